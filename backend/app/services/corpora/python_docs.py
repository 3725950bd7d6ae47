"""The documentation of the installed Python packages: text that is on every machine.

One document per module: its documentation strings in source order, each under the name that it
documents. The packages' own manuals (.md, .rst) are documents as well.
"""

import ast
import gc
import hashlib
import inspect
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.services.corpora.document import Document, Progress

SHORTEST_DOCUMENT_CHARACTERS = 400
SHORTEST_DOCSTRING_CHARACTERS = 40
LARGEST_SOURCE_BYTES = 2_000_000
MANUAL_SUFFIXES = frozenset({".md", ".rst"})
_Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class PythonDocs:
    """Documentation strings and manuals below a folder of installed packages.

    The order is that of a hash of the names: fixed for a set of packages, and any beginning of it
    is a mixture of all of them. Strings that occur a second time are left out (libraries repeat
    whole parameter lists in every class), and so are documents under 400 characters.

    Args:
        root: Folder that holds the packages; by default that of this environment.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._root = root or Path(sysconfig.get_path("purelib"))
        self._files = sorted(_files_below(self._root), key=self._order)
        self._done = 0
        self._seen: set[bytes] = set()

    def documents(self) -> Iterator[Document]:
        for path in self._files:
            document = self._read(path)
            self._done += 1
            if document is not None:
                yield document

    def progress(self) -> Progress:
        return Progress(self._done, len(self._files), "files")

    def _order(self, path: Path) -> bytes:
        name = path.relative_to(self._root).as_posix()
        return hashlib.sha256(name.encode()).digest()

    def _read(self, path: Path) -> Document | None:
        source = path.read_bytes()
        name = path.relative_to(self._root)
        if path.suffix == ".py":
            strings = list(self._new_strings(docstrings(source)))
            text = "\n\n".join(strings)
            title = ".".join(name.with_suffix("").parts).removesuffix(".__init__")
        else:
            text = "".join(self._new_strings([source.decode("utf-8", "replace")]))
            title = name.as_posix()
        if len(text) < SHORTEST_DOCUMENT_CHARACTERS:
            return None
        return Document(text, title)

    def _new_strings(self, strings: list[str]) -> Iterator[str]:
        for string in strings:
            digest = hashlib.blake2b(string.encode("utf-8", "replace"), digest_size=16).digest()
            if digest not in self._seen:
                self._seen.add(digest)
                yield string


def docstrings(source: bytes) -> list[str]:
    """Documentation strings of a module in source order, cleaned of indentation.

    A string shorter than 40 characters says too little to be worth a line; a file that this
    Python cannot parse has none.
    """
    if b'"""' not in source and b"'''" not in source:
        return []
    try:
        with _without_garbage_collection():
            module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [text for text in _strings_of(module) if len(text) >= SHORTEST_DOCSTRING_CHARACTERS]


def _strings_of(node: ast.Module | _Documented) -> Iterator[str]:
    text = ast.get_docstring(node, clean=False)
    if text:
        yield inspect.cleandoc(text)
    for child in node.body:
        if isinstance(child, _Documented):
            yield from _strings_of(child)


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """A syntax tree has no cycles; without the collector parsing takes 30 % less time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _files_below(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        if path.suffix != ".py" and path.suffix not in MANUAL_SUFFIXES:
            continue
        if path.is_file() and 0 < path.stat().st_size <= LARGEST_SOURCE_BYTES:
            yield path
