"""Ports: what is taken is noticed, what is asked for is kept."""

import socket
from collections.abc import Iterator

import pytest

from app.supervisor import ports


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of ``PORT_RANGE`` on which something listens, with a free one after it."""
    with socket.socket() as listener:
        for port in ports.PORT_RANGE:
            if ports.is_free(port) and ports.is_free(port + 1):
                listener.bind((ports.LOOPBACK, port))
                listener.listen()
                yield port
                return


def test_a_listening_port_is_taken(taken: int) -> None:
    assert not ports.is_free(taken)
    assert ports.is_listening(taken)
    assert not ports.is_listening(taken + 1)


def test_the_preferred_port_is_kept_while_it_is_free(taken: int) -> None:
    assert ports.pick_port(taken + 1) == taken + 1


def test_another_port_is_picked_when_the_preferred_one_is_taken(taken: int) -> None:
    picked = ports.pick_port(taken)

    assert picked != taken
    assert picked in ports.PORT_RANGE
    assert ports.is_free(picked)


def test_the_next_free_port_follows_the_taken_one(taken: int) -> None:
    assert ports.next_free_port(taken) == taken + 1


def test_no_free_port_is_an_error_with_the_range(taken: int) -> None:
    with pytest.raises(OSError, match=f"no free port between {taken} and {taken}"):
        ports.next_free_port(taken, attempts=1)
