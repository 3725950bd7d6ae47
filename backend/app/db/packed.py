"""Lists of numbers as bytes: a fifth of what JSONB costs to load, half of what an array does."""

import struct
import sys
from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

Code = Literal["i", "H", "f"]


def pack(code: Code, values: Sequence[float]) -> bytes:
    """Numbers as big-endian bytes, as PostgreSQL's ``int4send`` and its like write them.

    Args:
        code: "i" int32, "H" uint16, "f" float32.
        values: In the range of the code.

    Raises:
        OverflowError: A value is out of range.
    """
    numbers = array(code, values)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers.tobytes()


def unpack(code: Code, data: bytes | memoryview) -> list[Any]:
    """The numbers that ``pack`` wrote."""
    return list(_reader(code, len(data)).unpack(data))


@lru_cache(maxsize=1024)
def _reader(code: Code, n_bytes: int) -> struct.Struct:
    return struct.Struct(f">{n_bytes // array(code).itemsize}{code}")


class PackedNumbers(TypeDecorator[list[Any]]):
    """A ``bytea`` column that is a list of numbers in Python."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, code: Code) -> None:
        super().__init__()
        self.code: Code = code

    def process_bind_param(self, value: list[Any] | None, dialect: Dialect) -> bytes | None:
        return None if value is None else pack(self.code, value)

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], Any]:
        # Called for every list of every row: one function instead of a decorator's three.
        code = self.code
        return lambda value: None if value is None else unpack(code, value)
