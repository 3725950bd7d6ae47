"""Fixtures that every test may name; the servers start when the first of them is needed."""

import gc

import pytest

pytest.register_assert_rewrite("tests.fixtures")  # so that a failure there says what was found

pytest_plugins = [
    "tests.fixtures.servers",
    "tests.fixtures.database",
    "tests.fixtures.stack",
    "tests.fixtures.rig",
    "tests.fixtures.faults",
    "tests.fixtures.live",
]


def pytest_collection_finish() -> None:
    """Everything that collecting loaded stays: the collector need not look through it again.

    A full collection in a process that has read all tests took half a second, seconds under load.
    """
    gc.collect()
    gc.freeze()
