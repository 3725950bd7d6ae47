"""Homes of the tests' own, and an environment that names no server of anybody else."""

import os
from collections.abc import Iterator

import pytest

from app.core.config import Settings
from tests.fixtures.servers import forget_connections

FOREIGN = ("DATABASE_URL", "REDIS_URL")


@pytest.fixture(scope="module", autouse=True)
def bare_environment(servers: Settings) -> Iterator[pytest.MonkeyPatch]:
    """As for a newcomer: nothing is configured. Yields the patch, for modules that set more.

    The shared servers are asked for first, because they set the environment when they start.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("MISTUDIO_") or name in FOREIGN:
                patch.delenv(name)
        forget_connections()
        yield patch
    forget_connections()
