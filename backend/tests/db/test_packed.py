"""Lists of numbers as bytes, in the order that PostgreSQL writes them."""

import struct

import pytest

from app.db.packed import Code, pack, unpack


@pytest.mark.parametrize(
    ("code", "values", "size"),
    [("i", [0, -1, 2**31 - 1], 4), ("H", [0, 1, 65_535], 2), ("f", [0.0, -1.5, 3.25], 4)],
)
def test_numbers_come_back(code: Code, values: list[float], size: int) -> None:
    data = pack(code, values)
    assert len(data) == size * len(values)
    assert unpack(code, data) == unpack(code, memoryview(data)) == values
    assert data[:size] == struct.pack(f">{code}", values[0])


def test_no_numbers_are_no_bytes() -> None:
    assert (pack("f", []), unpack("f", b"")) == (b"", [])


def test_a_number_that_does_not_fit_is_refused() -> None:
    with pytest.raises(OverflowError):
        pack("H", [65_536])
