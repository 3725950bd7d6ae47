"""The data folder of the embedded PostgreSQL: its creation and its lock."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psutil

from app.supervisor import binaries, launch
from app.supervisor.private_files import own_tree, write_private
from app.supervisor.same_folder import sees_same_folder

USER = "mistudio"
_ORPHAN_STOP_SECONDS = 30.0


class PostgresFailed(Exception):
    """The server did not start; the message holds the end of its log."""


def create_cluster(home: Path, password_file: Path) -> None:
    """Run ``initdb`` in a temporary folder and rename, so that a half-made cluster never counts.

    Raises:
        PostgresFailed: ``initdb`` refused; the message says why.
    """
    bin_folder = binaries.find_postgres_bin()
    identity, owner = launch.choose_identity(bin_folder / "postgres")
    write_private(password_file, secrets.token_urlsafe(24))
    work = Path(tempfile.mkdtemp(prefix="postgres-new-", dir=home))
    try:
        cluster, password_copy = work / "data", work / "password"
        write_private(password_copy, password_file.read_text(encoding="ascii"))
        own_tree(work, owner)
        done = subprocess.run(
            [
                bin_folder / "initdb",
                "-D",
                cluster,
                f"--username={USER}",
                "--auth=scram-sha-256",
                f"--pwfile={password_copy}",
                # Right lower() and ILIKE for every script, without ICU or the system's locales.
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--encoding=UTF8",
            ],
            preexec_fn=launch.chain(identity),
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
        )
        if done.returncode != 0:
            raise PostgresFailed(f"initdb failed:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
        if (home / "postgres").exists():
            shutil.rmtree(home / "postgres")  # no PG_VERSION in it: the rest of a broken copy
        cluster.rename(home / "postgres")
    finally:
        shutil.rmtree(work, ignore_errors=True)


def clear_stale_lock(data_folder: Path) -> None:
    """Make the folder ready for a start: stop an orphaned server, drop a lock nobody holds.

    The lock is removed only when its pid belongs to another program (pids are reused after a
    reboot) and no server process works in the folder: otherwise it is PostgreSQL's own guard
    against two servers on one cluster.

    Raises:
        PostgresFailed: an orphaned server of this folder does not leave.
    """
    lock = data_folder / "postmaster.pid"
    try:
        pid = int(lock.read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return
    if not psutil.pid_exists(pid):
        return  # PostgreSQL recovers from this itself
    servers = processes_in(data_folder)
    if any(server.pid == pid for server in servers):
        os.kill(pid, signal.SIGINT)
    _, staying = psutil.wait_procs(servers, timeout=_ORPHAN_STOP_SECONDS)
    if staying:
        raise PostgresFailed(f"another PostgreSQL (pid {staying[0].pid}) uses {data_folder}")
    lock.unlink(missing_ok=True)


def processes_in(folder: Path) -> list[psutil.Process]:
    """Live server processes whose working folder this is (PostgreSQL and Valkey stay in theirs)."""
    found = []
    for process in psutil.process_iter(["cwd", "cmdline", "ppid", "status"]):
        info = process.info
        if info["status"] == psutil.STATUS_ZOMBIE:
            continue
        is_server = serves(folder, info["cwd"], info["cmdline"], info["ppid"])
        if is_server and sees_same_folder(process.pid, folder):
            found.append(process)
    return found


def serves(folder: Path, cwd: str | None, command: list[str] | None, parent: int) -> bool:
    """Whether a process belongs to the server of this folder.

    A container's root may not read the working folder of the server, which is another user
    ("nobody"). Its command line names the folder; its children are known by their parent.
    """
    if cwd is not None:
        return cwd == str(folder)
    return _names(command, folder) or _names(_command_of(parent), folder)


def _names(command: list[str] | None, folder: Path) -> bool:
    return command is not None and command[1:3] == ["-D", str(folder)]


def _command_of(pid: int) -> list[str] | None:
    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return None
