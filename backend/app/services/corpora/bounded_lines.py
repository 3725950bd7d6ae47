"""Lines of a file of records, none of which may fill the memory.

A packed file of 0.4 MB can hold one line of 400 MB, and its first records are read while the
request waits, in the process that answers everybody else.
"""

from collections.abc import Iterator
from typing import Self, TextIO

from app.services.corpora.errors import DatasetFormatInvalid

# Twenty novels; the text of a record is a document.
LONGEST_RECORD_CHARACTERS = 16_000_000


class BoundedLines(Iterator[str]):
    """Lines of which those of one record together have a bound.

    Args:
        stream: The text.
        name: File, for the error message.
        read_already: Lines of it that come first.
    """

    def __init__(self, stream: TextIO, name: str, *read_already: str) -> None:
        self._first = iter(read_already)
        self._stream = stream
        self._name = name
        self._size = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        """
        Raises:
            DatasetFormatInvalid: The record goes on and on.
        """
        line = next(self._first, "") or self._stream.readline(LONGEST_RECORD_CHARACTERS + 1)
        self._size += len(line)
        if self._size > LONGEST_RECORD_CHARACTERS:
            raise DatasetFormatInvalid(
                f"{self._name} holds a record of more than {LONGEST_RECORD_CHARACTERS:,} "
                "characters. Cut it into documents.",
                details={"longest_characters": LONGEST_RECORD_CHARACTERS},
            )
        if not line:
            raise StopIteration
        return line

    def begin_record(self) -> None:
        self._size = 0
