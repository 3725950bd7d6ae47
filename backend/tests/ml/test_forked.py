"""Ranges of features in copies of the process."""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from app.ml.feature_discovery.forked import map_ranges


def numbers(first: int, last: int) -> tuple[int, list[int]]:
    return os.getpid(), list(range(first, last))


def test_copies_answer_in_order() -> None:
    found = list(map_ranges(numbers, 103, 5, processes=3))
    assert [number for _, part in found for number in part] == list(range(103))
    makers = {pid for pid, _ in found}
    assert makers
    assert os.getpid() not in makers
    assert not any(Path(f"/proc/{pid}").exists() for pid in makers)


@contextmanager
def seconds_to_finish(seconds: int) -> Iterator[None]:
    """Fail instead of hanging: the copies are killed, which is told as an error."""

    def too_late(*_: object) -> None:
        for copy in multiprocessing.active_children():
            copy.kill()

    before = signal.signal(signal.SIGALRM, too_late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_a_copy_does_not_wait_for_its_parents_threads() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        large = torch.arange(1_000_000.0).flip(0)
        assert large.sort().values[0] == 0  # the threads exist now

        def smallest(first: int, last: int) -> float:
            return (large * (first + 1)).sort().values[1].item()

        with seconds_to_finish(120):
            assert list(map_ranges(smallest, 4, 1, processes=2)) == [1.0, 2.0, 3.0, 4.0]
    finally:
        torch.set_num_threads(threads)


def test_few_ranges_are_done_here() -> None:
    assert {pid for pid, _ in map_ranges(numbers, 12, 5)} == {os.getpid()}
    assert list(map_ranges(numbers, 0, 5)) == []


def test_who_stops_asking_leaves_no_copy() -> None:
    answers = map_ranges(numbers, 100, 5, processes=2)
    pid, _ = next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert not Path(f"/proc/{pid}").exists()


def test_a_failure_and_a_killed_copy_are_told() -> None:
    def fails(first: int, last: int) -> None:
        raise ValueError(f"{first}")

    def dies(first: int, last: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(ValueError, match="0"):
        list(map_ranges(fails, 10, 5, processes=2))
    with pytest.raises(BrokenProcessPool):
        list(map_ranges(dies, 10, 5, processes=2))
