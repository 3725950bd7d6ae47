"""Free loopback ports."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below Linux's ephemeral range (32768 upwards), so that no outgoing connection of anybody takes a
# port in the moment between a server's crash and its restart.
PORT_RANGE = range(20_000, 32_768)


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now (a port in TIME_WAIT counts as free)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def is_listening(port: int, host: str = LOOPBACK) -> bool:
    """Whether something accepts connections there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host, port)) == 0


def pick_port(preferred: int | None = None) -> int:
    """The preferred port when it is free, else a random free one of ``PORT_RANGE``.

    Raises:
        OSError: no free port was found.
    """
    if preferred is not None and is_free(preferred):
        return preferred
    for port in random.sample(PORT_RANGE, k=200):
        if is_free(port):
            return port
    raise OSError("no free loopback port was found")


def next_free_port(first: int, host: str = LOOPBACK, attempts: int = 100) -> int:
    """The first free port from ``first`` upwards.

    Raises:
        OSError: none of ``attempts`` ports is free.
    """
    for port in range(first, first + attempts):
        if is_free(port, host):
            return port
    raise OSError(f"no free port between {first} and {first + attempts - 1}")
