"""What the written pages have in common: a notice, tables, and text that stays text in Markdown."""

from collections.abc import Iterable, Sequence

NOTICE = "<!-- Written from the code by `make gen`; do not edit. -->\n"


def page(title: str, *parts: str) -> str:
    """Join a title and paragraphs into a file's text."""
    return "\n\n".join([f"{NOTICE}\n# {title}", *(part.strip() for part in parts)]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell_text(it) for it in line) + " |" for line in lines)


def cell_text(text: str) -> str:
    """Return text for one cell: a bar would end it, an asterisk or a "<" would become markup."""
    text = " ".join(text.split())
    if text.startswith("`"):
        return text.replace("|", "\\|")
    return text.replace("<", "&lt;").replace("|", "\\|").replace("*", "\\*")


def code(text: object) -> str:
    return f"`{text}`"


def docstring_line(cls: type) -> str:
    """Return the first paragraph of a docstring, its double backticks as single ones."""
    text = (cls.__doc__ or "").strip().split("\n\n")[0]
    return " ".join(text.split()).replace("``", "`")
