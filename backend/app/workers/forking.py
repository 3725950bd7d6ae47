"""The workers' end of the nursery (``nursery.py``): find or start it, order, watch a child.

It is only a faster way: where it fails, a child is started as any other program.
"""

import fcntl
import hashlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import app
from app.core.config import Settings
from app.workers.child_environment import compute_environment
from app.workers.nursery import MAX_FDS, MAX_MESSAGE_BYTES, ROOM_FOR_COMMAND, Order

BACKEND_FOLDER = Path(app.__file__).parent.parent
_BACKLOG = 64  # while it loads, orders wait

# Says to the nursery, while it is open, that this worker may order again.
_presence: socket.socket | None = None


class NotMade(Exception):
    """The nursery went away before it made the child."""


class ForkedChild:
    """A child that the nursery makes; the part of ``subprocess.Popen`` that supervision needs.

    Args:
        connection: The order has been sent on it.
        lifeline: Write end of a pipe; the kernel kills the child when it is closed.
    """

    def __init__(self, connection: socket.socket, lifeline: int) -> None:
        self._connection: socket.socket | None = connection
        self._lifeline: int | None = lifeline
        self._pidfd: int | None = None
        self.pid: int | None = None
        self.returncode: int | None = None

    def wait(self, timeout: float) -> int:
        """
        Raises:
            subprocess.TimeoutExpired: It still runs, or is still to be made.
            NotMade: It never will be.
        """
        deadline = time.monotonic() + timeout
        while self.returncode is None:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._watched()], [], [], left)[0]:
                raise subprocess.TimeoutExpired("child", timeout)
            if self._connection is None:
                self.returncode = -signal.SIGKILL  # ended, and nobody can say how
            else:
                self._hear(self._connection)
        return self.returncode

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def _watched(self) -> int:
        """The nursery's word counts; the child itself is watched when the nursery has died."""
        if self._connection is not None:
            return self._connection.fileno()
        if self._pidfd is None:
            raise NotMade
        return self._pidfd

    def _hear(self, connection: socket.socket) -> None:
        try:
            message, fds, _, _ = socket.recv_fds(connection, MAX_MESSAGE_BYTES, MAX_FDS)
        except OSError:
            message, fds = b"", []
        if not message:
            connection.close()
            self._connection = None
            if self.pid is None:
                raise NotMade
            return
        answer = json.loads(message)
        if "pid" in answer:
            self.pid, [self._pidfd] = answer["pid"], fds
        else:
            self.returncode = answer["status"]

    def kill_group(self) -> None:
        """End it with all that it started, also where it is only about to be made."""
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        elif self.returncode is None:  # without its lifeline it ends before it begins
            self.returncode = -signal.SIGKILL

    def close(self) -> None:
        self.kill_group()
        if self._connection is not None:
            self._connection.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None


def fork(settings: Settings, order: Order, fds: list[int]) -> ForkedChild | None:
    """Order a child of the nursery; None when there is none and none can be started.

    Args:
        settings: Where the nursery's socket lies, and how long it stays idle.
        order: What the child runs.
        fds: Its stdin, stdout and stderr, then what else it holds open.
    """
    global _presence
    try:
        if _presence is None or _is_over(_presence):
            _presence = _connect(settings)
        connection = _connect(settings)
    except OSError:
        return None
    read_end, write_end = os.pipe()
    try:
        everything = [*fds[:3], read_end, *fds[3:]]
        socket.send_fds(connection, [order.to_bytes()], everything)
    except OSError:
        connection.close()
        os.close(write_end)
        return None
    finally:
        os.close(read_end)
    return ForkedChild(connection, write_end)


def _is_over(connection: socket.socket) -> bool:
    if select.select([connection], [], [], 0)[0]:  # the nursery says nothing here
        connection.close()
        return True
    return False


def _connect(settings: Settings) -> socket.socket:
    """A connection to the nursery of this environment, which is started if it does not run."""
    environment = compute_environment(settings)
    settings.run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _reachable(settings.run_dir, f"nursery-{_key(environment)}.sock") as address:
        try:
            return _call(address)
        except (ConnectionRefusedError, FileNotFoundError):
            lock = os.open(settings.run_dir / "nursery.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                return _call_or_start(settings, address, environment)
            finally:
                os.close(lock)


def _call_or_start(settings: Settings, address: str, environment: dict[str, str]) -> socket.socket:
    try:
        return _call(address)  # another worker was faster
    except (ConnectionRefusedError, FileNotFoundError):
        _remove_dead_sockets(settings.run_dir)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        listener.listen(_BACKLOG)
        idle = settings.nursery_idle.total_seconds()
        settings.logs_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (settings.logs_dir / "job-nursery.log").open("ab") as log:
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "app.workers.nursery"),
                    *(str(listener.fileno()), str(idle), ROOM_FOR_COMMAND),
                ],
                cwd=BACKEND_FOLDER,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(listener.fileno(),),
            )
    return _call(address)


def _call(address: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _remove_dead_sockets(folder: Path) -> None:
    """Those that nobody listens to any more, of other environments too."""
    for path in folder.glob("nursery-*.sock"):
        with _reachable(folder, path.name) as address:
            try:
                _call(address).close()
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)


@contextmanager
def _reachable(folder: Path, name: str) -> Iterator[str]:
    """An address of a socket below a folder of any length; the kernel takes 107 bytes."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{name}"
    finally:
        os.close(descriptor)


def _key(environment: dict[str, str]) -> str:
    """Libraries read the environment when they are loaded, so each one has its own nursery.

    So has each container of those that share a home.
    """
    namespace = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 (it is no path)
    parts = [sys.executable, namespace, *(f"{k}={v}" for k, v in sorted(environment.items()))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
