"""A process that has loaded what jobs need and makes copies of itself, one for each.

``python -m app.workers.nursery LISTENER IDLE_SECONDS``; ``forking.py`` is the workers' end. One
serves all workers of a stack. It loads a module when the first order names it, never touches a
GPU and holds one thread, so that a copy starts as clean as a fresh process. It leaves when its
workers are gone, when nothing was ordered for a while, and when the code on the disk has changed.
"""

import ctypes
import gc
import importlib
import json
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app.core.config import get_settings
from app.workers.lifeline import die_with_writer

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 65536
MAX_FDS = 8
# A worker that the supervisor starts again finds the nursery still there.
FORSAKEN_SECONDS = 4.0
TICK_SECONDS = 1.0
# Makes room for the command line of a job, which a copy writes over its own.
ROOM_FOR_COMMAND = "-" * 160
_ARG_START, _ARG_END = 45, 46  # fields of /proc/self/stat behind the name


@dataclass(frozen=True)
class Order:
    """A program to become: ``main(arguments)`` of a module.

    Attributes:
        module: Its name.
        arguments: What its ``main`` gets.
        needs: Modules that the nursery loads before it makes the copy, for this and later ones.
    """

    module: str
    arguments: list[str]
    needs: list[str] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self)).encode()


Program = Callable[[], int]


class Nursery:
    """Makes copies and tells who ordered them how they ended.

    Args:
        listener: Workers connect to it. A connection that orders nothing says that its worker
            lives; on one that orders come ``{"pid": …}`` with a pidfd, then ``{"status": …}``.
        idle_seconds: How long it stays without an order.
    """

    def __init__(self, listener: socket.socket, idle_seconds: float) -> None:
        self._listener = listener
        self._idle_seconds = idle_seconds
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._clients: set[socket.socket] = set()
        self._children: dict[int, tuple[int, socket.socket]] = {}  # pidfd -> pid, who ordered it
        self._code = CodeOnDisk()
        self._is_closed = False
        self._unfit: str | None = None
        self._wanted_at = self._visited_at = time.monotonic()

    def serve(self) -> Program | None:
        """Until it may leave; in a copy it returns what the copy is to run."""
        while not self._may_leave():
            for key, _ in self._selector.select(TICK_SECONDS):
                if key.fd not in self._selector.get_map():
                    continue  # dropped by an order that came with it
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, int):
                    self._report_end(key.fileobj)
                elif isinstance(key.fileobj, socket.socket):
                    program = self._hear(key.fileobj)
                    if program is not None:
                        return program
        return None

    def _may_leave(self) -> bool:
        now = time.monotonic()
        if self._children:
            self._wanted_at = now
        if self._clients:
            self._visited_at = now
        if self._is_closed:
            return not self._children
        is_forsaken = now - self._visited_at > FORSAKEN_SECONDS
        return is_forsaken or now - self._wanted_at > self._idle_seconds

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        client.setblocking(False)
        self._clients.add(client)
        self._selector.register(client, selectors.EVENT_READ)

    def _hear(self, client: socket.socket) -> Program | None:
        """Follow an order; None but in the copy."""
        fds: list[int] = []
        try:
            message, fds, _, _ = socket.recv_fds(client, MAX_MESSAGE_BYTES, MAX_FDS)
            if message:
                return self._make(Order(**json.loads(message)), fds, client)
            self._dismiss(client)
        except BlockingIOError:
            return None  # the event was of a client that had the same number
        except OSError as error:  # the worker is gone, or no process can be made
            logger.warning("order dropped: %s", error)
            self._dismiss(client)
        finally:
            for fd in fds:  # the copy has duplicates; the device's lock must not live on here
                os.close(fd)
        return None

    def _make(self, order: Order, fds: list[int], client: socket.socket) -> Program | None:
        self._wanted_at = time.monotonic()
        if not self._code.is_unchanged():
            self._close()
            return None
        self._load([order.module, *order.needs])
        if self._unfit is not None:
            self._dismiss(client)
            return None
        ready, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(ready)
            self._forget_everything()
            return _become(order, fds, tell)
        os.close(tell)
        os.read(ready, 1)  # its process group exists, or it has died
        os.close(ready)
        pidfd = os.pidfd_open(pid)
        self._children[pidfd] = (pid, client)
        self._selector.register(pidfd, selectors.EVENT_READ)
        socket.send_fds(client, [json.dumps({"pid": pid}).encode()], [pidfd])
        return None

    def _load(self, needs: list[str]) -> None:
        missing = [name for name in needs if name not in sys.modules]
        if not missing:
            return
        for name in missing:
            try:
                importlib.import_module(name)
            except Exception:  # the job meets it, too, and says so
                logger.exception("could not be loaded: %s", name)
        self._code = CodeOnDisk()
        gc.collect()
        gc.freeze()  # the collector of a copy leaves the shared pages alone
        self._unfit = unfit_to_fork()
        if self._unfit is not None:
            logger.error("jobs start the long way: %s", self._unfit)

    def _report_end(self, pidfd: int) -> None:
        pid, client = self._children.pop(pidfd)
        self._selector.unregister(pidfd)
        os.close(pidfd)
        _, status = os.waitpid(pid, 0)
        answer = {"status": os.waitstatus_to_exitcode(status)}
        if client in self._clients:
            try:
                client.send(json.dumps(answer).encode())
            except OSError:
                self._dismiss(client)

    def _dismiss(self, client: socket.socket) -> None:
        if client in self._clients:
            self._clients.remove(client)
            self._selector.unregister(client)
            client.close()

    def _close(self) -> None:
        """Take no more orders, so that the next one goes to a new nursery; who runs is watched."""
        self._is_closed = True
        self._selector.unregister(self._listener)
        self._listener.close()
        for client in self._clients - {client for _, client in self._children.values()}:
            self._dismiss(client)

    def _forget_everything(self) -> None:
        """In a copy: nothing that it holds open may keep others waiting."""
        self._selector.close()
        self._listener.close()
        for client in self._clients:
            client.close()
        for pidfd in self._children:
            os.close(pidfd)


class CodeOnDisk:
    """When the files of our loaded modules, and the folders of packages, last changed."""

    def __init__(self) -> None:
        home = Path(__file__).parents[2]
        files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
        ours = {file for file in files if file and Path(file).is_relative_to(home)}
        packages = {path for path in sys.path if path.endswith("-packages")}
        self._seen = {path: _changed_at(path) for path in ours | packages}

    def is_unchanged(self) -> bool:
        return all(_changed_at(path) == seen for path, seen in self._seen.items())


def _changed_at(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return 0


def unfit_to_fork() -> str | None:
    """Why a copy of this process would not do: a lock of a thread, or a driver that was opened."""
    pid = os.fork()  # OpenBLAS ends its threads before a fork
    if pid == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    if len(list(Path("/proc/self/task").iterdir())) != 1:
        return "a module started a thread while it was loaded"
    if "libcuda.so" in Path("/proc/self/maps").read_text():
        return "a module opened the GPU's driver while it was loaded"
    return None


def _become(order: Order, fds: list[int], tell: int) -> Program:
    """What a fresh process has: session, streams, signals, a name of its own."""
    stdin, stdout, stderr, lifeline = fds[:4]
    os.setsid()
    die_with_writer(os.dup(lifeline))
    for fd in fds[4:]:
        os.dup(fd)  # the lock of a device is held by whoever has it open
    for source, target in ((stdin, 0), (stdout, 1), (stderr, 2)):
        os.dup2(source, target)
    os.write(tell, b"1")
    os.close(tell)
    _show_command([sys.executable, "-m", order.module, *order.arguments])
    sys.argv = [order.module, *order.arguments]
    get_settings.cache_clear()
    main = importlib.import_module(order.module).main
    return lambda: int(main(order.arguments))


def _show_command(command: list[str]) -> None:
    """Write over the command line that the kernel shows of this process."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[_ARG_START]), int(fields[_ARG_END])
    text = b"\0".join(word.encode() for word in command)[: end - start - 1]
    ctypes.memmove(start, text.ljust(end - start, b"\0"), end - start)


def main(listener_fd: int, idle_seconds: float) -> int:
    _show_command([sys.executable, "-m", "app.workers.nursery"])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    program = Nursery(socket.socket(fileno=listener_fd), idle_seconds).serve()
    return 0 if program is None else program()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2])))
