"""Fixtures that every test may name; the servers start when the first of them is needed."""

pytest_plugins = [
    "tests.fixtures.servers",
    "tests.fixtures.database",
    "tests.fixtures.stack",
    "tests.fixtures.rig",
    "tests.fixtures.faults",
    "tests.fixtures.live",
]
