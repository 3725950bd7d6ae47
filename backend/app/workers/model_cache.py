"""Least-recently-used holder of loaded models and dictionaries in the warm process."""

import gc
import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar, cast

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class _Held:
    value: object
    size_bytes: int


class ModelCache:
    """Keeps what was loaded until the budget is used up.

    Args:
        max_bytes: Budget for everything held. One thing larger than that is still loaded; then
            it is the only one held.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._held: OrderedDict[Hashable, _Held] = OrderedDict()

    @property
    def held_bytes(self) -> int:
        return sum(held.size_bytes for held in self._held.values())

    def get(self, key: Hashable, load: Callable[[], T], size_bytes: int) -> T:
        """What is held under ``key``, loaded on first use.

        Args:
            key: Must change with what it names (id and step, not id alone).
            load: Called when nothing is held, after room was made.
            size_bytes: Memory that it will take.
        """
        if key in self._held:
            self._held.move_to_end(key)
            return cast(T, self._held[key].value)
        self._make_room(size_bytes)
        value = load()
        self._held[key] = _Held(value, size_bytes)
        return value

    def discard(self, key: Hashable) -> None:
        self._held.pop(key, None)
        gc.collect()

    def clear(self) -> None:
        self._held.clear()
        gc.collect()

    def _make_room(self, size_bytes: int) -> None:
        while self._held and self.held_bytes + size_bytes > self._max_bytes:
            key, _ = self._held.popitem(last=False)
            logger.info("unloaded", extra={"key": str(key)})
            gc.collect()
