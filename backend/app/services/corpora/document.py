"""One document of a corpus, and what a reader of documents looks like."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol


class Document(NamedTuple):
    text: str
    title: str | None = None


class Progress(NamedTuple):
    """How far a reader is; ``total`` is 0 while it cannot be known."""

    done: float
    total: float
    unit: str


class Corpus(Protocol):
    """Something that yields documents once and can say how far it is."""

    def documents(self) -> Iterator[Document]: ...

    def progress(self) -> Progress: ...


def clean_text(text: str) -> str:
    """Text that UTF-8 and PostgreSQL can hold: no NUL, no lone surrogates, Unix line ends."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        text = text.replace("\0", "")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode("utf-8")
    return text
