"""Reading a GGUF file once: transformers parses the whole file for each part that it wants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import gguf

_PARSERS = ("GGUFReader", "get_tensor_name_map")


@contextmanager
def parsed_once() -> Iterator[None]:
    """Remember what was parsed while one file is read.

    Its 50,000 tokens of vocabulary are parsed for the configuration, the tokenizer and the
    weights, and the table of tensor names is built anew for every module. Both depend on
    nothing but their arguments.
    """
    before: dict[str, Any] = {name: getattr(gguf, name) for name in _PARSERS}
    for name, parser in before.items():
        setattr(gguf, name, cache(parser))
    try:
        yield
    finally:
        for name, parser in before.items():
            setattr(gguf, name, parser)
