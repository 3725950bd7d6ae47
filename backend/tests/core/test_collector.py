"""The collector is spared while a server runs, and only then."""

import gc
import weakref

import pytest

from app.core.collector import THRESHOLDS, spared_collector


class Node:
    def __init__(self) -> None:
        self.other = self


def test_what_was_there_is_left_alone_and_what_comes_is_still_freed() -> None:
    before = gc.get_threshold()
    old, new = Node(), None
    was = weakref.ref(old)
    with spared_collector():
        assert gc.get_threshold() == THRESHOLDS
        new = Node()
        seen = weakref.ref(new)
        del old, new
        gc.collect()
        assert (was() is not None, seen()) == (True, None)
    gc.collect()
    assert was() is None
    assert gc.get_threshold() == before


def test_a_server_that_fails_puts_the_collector_back() -> None:
    before = gc.get_threshold()
    with pytest.raises(RuntimeError), spared_collector():
        raise RuntimeError
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
