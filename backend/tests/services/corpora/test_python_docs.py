from pathlib import Path

from app.services.corpora.python_docs import PythonDocs, docstrings

LONG = "This sentence is long enough to be worth a line of its own in the corpus. " * 8


def module(text: str) -> str:
    return f'"""{text}"""\n\n\nclass A:\n    """{text[:60]} of A."""\n\n    def f(self): ...\n'


def test_docstrings_in_source_order_without_short_ones() -> None:
    source = '''
"""Module documentation that is long enough to count."""

def f():
    """
    Indented documentation that is long
        enough to count.
    """
    x = """a string that is no documentation at all, though long"""

class C:
    """Short."""

    async def g(self):
        "Single quotes also document, when they stand first in the body."
'''
    assert docstrings(source.encode()) == [
        "Module documentation that is long enough to count.",
        "Indented documentation that is long\n    enough to count.",
        "Single quotes also document, when they stand first in the body.",
    ]


def test_what_cannot_be_parsed_has_none() -> None:
    assert docstrings(b'"""doc"""\nprint "old"') == []
    assert docstrings(b"\0'''") == []


def test_one_document_per_module_long_enough_and_never_twice(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text(module(LONG))
    (tmp_path / "pkg" / "copy.py").write_text(module(LONG))
    (tmp_path / "pkg" / "short.py").write_text('"""Documentation that is too short for a page."""')
    (tmp_path / "pkg" / "GUIDE.md").write_text("A manual. " * 100)
    titles = sorted(document.title or "" for document in PythonDocs(tmp_path).documents())
    assert len(titles) == 2
    assert titles[0] in {"pkg", "pkg.copy", "pkg/GUIDE.md"}
    assert "pkg/GUIDE.md" in titles


def test_the_order_is_fixed_and_progress_ends(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"m{number}.py").write_text(module(f"Module {number}. {LONG}"))
    first, second = PythonDocs(tmp_path), PythonDocs(tmp_path)
    titles = [document.title for document in first.documents()]
    assert titles == [document.title for document in second.documents()]
    assert titles != sorted(titles, key=str)
    assert first.progress() == (10, 10, "files")


def test_this_environment_has_documentation() -> None:
    documents = PythonDocs().documents()
    texts = [next(documents).text for _ in range(50)]
    assert all(len(text) >= 400 for text in texts)
