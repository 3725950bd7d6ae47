"""Prose files: one document when short, else blocks that end at a blank line."""

from collections.abc import Iterator
from typing import TextIO

from app.services.corpora.document import Document

WHOLE_FILE_CHARACTERS = 16_000
BLOCK_CHARACTERS = 4_000
# A file without blank lines is still cut, at a line end, so that held-out documents exist.
LONGEST_BLOCK_CHARACTERS = 16_000
LONGEST_LINE_CHARACTERS = 64_000


def split_prose(stream: TextIO, title: str) -> Iterator[Document]:
    """Yield the documents of a prose file.

    Args:
        stream: The text.
        title: Name of the file; blocks of a long one get a running number.
    """
    head = stream.read(WHOLE_FILE_CHARACTERS + 1)
    if len(head) <= WHOLE_FILE_CHARACTERS:
        if head.strip():
            yield Document(head.strip("\n"), title)
        return
    for number, block in enumerate(_blocks(_lines(head, stream)), start=1):
        yield Document(block, f"{title} #{number}")


def _lines(head: str, stream: TextIO) -> Iterator[str]:
    lines = head.splitlines(keepends=True)
    if not head.endswith("\n"):
        lines[-1] += stream.readline(LONGEST_LINE_CHARACTERS)
    yield from lines
    while line := stream.readline(LONGEST_LINE_CHARACTERS):
        yield line


def _blocks(lines: Iterator[str]) -> Iterator[str]:
    block: list[str] = []
    size = 0
    for line in lines:
        at_blank_line = not line.strip()
        if (size >= BLOCK_CHARACTERS and at_blank_line) or size >= LONGEST_BLOCK_CHARACTERS:
            yield "".join(block).strip("\n")
            block, size = [], 0
        if at_blank_line and not block:
            continue
        block.append(line)
        size += len(line)
    if size:
        yield "".join(block).strip("\n")
