"""What an earlier stack left: processes that outlived it, and its temporary files."""

import logging
import shutil
from pathlib import Path

import psutil

from app.supervisor.launch import STACK_MARK, temporary_folder
from app.supervisor.postgres_cluster import processes_in
from app.supervisor.same_folder import sees_same_folder

_log = logging.getLogger(__name__)


def find_leftovers(home: Path) -> list[psutil.Process]:
    """Live processes that an earlier supervisor of this home started, whoever their parent is."""
    own = {psutil.Process().pid, *(parent.pid for parent in psutil.Process().parents())}
    found = {process.pid: process for process in processes_in(home / "valkey")}
    for process in psutil.process_iter():
        if process.pid in own:
            continue
        try:
            is_marked = process.environ().get(STACK_MARK) == str(home)
            if is_marked and sees_same_folder(process.pid, home):
                found[process.pid] = process
        except (psutil.AccessDenied, psutil.NoSuchProcess, OSError):
            continue  # somebody else's, or gone meanwhile
    return [process for process in found.values() if process.pid not in own]


def clear_leftovers(home: Path, timeout_seconds: float = 10.0) -> int:
    """Stop them (ask, then kill), so that two generations never work on the same data.

    Nobody uses the temporary folder then, and it is emptied.

    Returns:
        How many there were. PostgreSQL is not among them: its lock file tells its story.
    """
    leftovers = find_leftovers(home)
    for process in leftovers:
        _log.warning("stopping pid %d, left over from an earlier run", process.pid)
        _signal(process, kill=False)
    _, staying = psutil.wait_procs(leftovers, timeout=timeout_seconds)
    for process in staying:
        _signal(process, kill=True)
    psutil.wait_procs(staying, timeout=timeout_seconds)
    temporary = temporary_folder(home)
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
    return len(leftovers)


def _signal(process: psutil.Process, *, kill: bool) -> None:
    try:
        process.kill() if kill else process.terminate()
    except psutil.NoSuchProcess:
        return
