"""A process that has loaded the modules of a program and turns copies of itself into it.

``python -m app.supervisor.nursery SUPERVISOR_PID MODULE…``. Each line on stdin orders a program,
each line on stdout is the process id of one. The copy is made by a process in between that ends
at once, so the supervisor becomes its parent: a nursery that dies takes nobody along.
"""

import gc
import importlib
import json
import os
import runpy
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from app.core.config import get_settings
from app.supervisor import launch

_ADOPTION_SECONDS = 10.0


@dataclass(frozen=True)
class Order:
    """A program to become: ``python -m MODULE ARGUMENTS…`` without the start of Python."""

    name: str
    module: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    log: str

    def to_line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


def main() -> None:
    """Load, then fork for every order until stdin ends; a copy goes on as the program."""
    supervisor, *modules = sys.argv[1:]
    replies = os.dup(1)
    os.dup2(2, 1)  # what a module prints belongs into the log
    for module in modules:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # the collector of a copy leaves the shared pages alone
    for line in sys.stdin:
        order = Order(**json.loads(line))
        pid = _copy()
        if pid is None:
            os.close(replies)
            _become(order, int(supervisor))
            return
        os.write(replies, f"{pid}\n".encode())


def _copy() -> int | None:
    """The process id of a new copy; None in the copy itself."""
    read_end, write_end = os.pipe()
    between = os.fork()
    if between == 0:
        pid = os.fork()
        if pid != 0:
            os.write(write_end, str(pid).encode())
            os._exit(0)
    os.close(write_end)
    if between == 0:
        os.close(read_end)
        return None
    os.waitpid(between, 0)
    pid = int(os.read(read_end, 32))
    os.close(read_end)
    return pid


def _become(order: Order, supervisor: int) -> None:
    _wait_for_adoption(supervisor)
    launch.die_with_parent(parent=supervisor)()
    os.setsid()
    os.chdir(order.folder)
    os.environ.update(order.environment)
    _redirect(Path(order.log))
    get_settings.cache_clear()
    launch.call_this_process(order.name)
    sys.argv = [order.module, *order.arguments]
    runpy.run_module(order.module, run_name="__main__", alter_sys=True)


def _wait_for_adoption(supervisor: int) -> None:
    deadline = time.monotonic() + _ADOPTION_SECONDS
    while os.getppid() != supervisor:
        if time.monotonic() > deadline:  # it died meanwhile
            os._exit(1)
        time.sleep(0.001)


def _redirect(log: Path) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    words = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nothing, 0), (words, 1), (words, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(words)


if __name__ == "__main__":
    main()
