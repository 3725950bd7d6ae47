"""Starting and stopping the supervisor from another process."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from app.core.config import Settings
from app.core.paths import ensure_home
from app.supervisor.leftovers import clear_leftovers
from app.supervisor.private_files import read_tail
from app.supervisor.stack import BACKEND_FOLDER
from app.supervisor.state import StackPhase, StackState, read_state

START_TIMEOUT_SECONDS = 300.0
# Jobs save themselves (20 s), servers flush; beyond this the supervisor itself is at fault.
STOP_TIMEOUT_SECONDS = 120.0
_POLL_SECONDS = 0.1

Tell = Callable[[str], None]


class ControlFailed(Exception):
    """The stack did not start or stop; the message is for the person at the terminal."""


def running_stack(settings: Settings) -> StackState | None:
    """The state of the supervisor that holds this home, None when none runs."""
    state = read_state(settings.services_file)
    return state if state is not None and state.is_alive() else None


def start_stack(settings: Settings, tell: Tell, *, dev: bool = False) -> StackState:
    """Start the supervisor in the background and wait until everything answers.

    Args:
        settings: Where the home is.
        tell: Receives each step as one short sentence.
        dev: With reload and Vite's server.

    Raises:
        ControlFailed: it did not start; its log's end is in the message.
    """
    ensure_home(settings.home)
    log_path = settings.logs_dir / "supervisor.log"
    start = log_path.stat().st_size if log_path.exists() else 0
    with log_path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.supervisor.daemon", *(["--dev"] if dev else [])],
            cwd=BACKEND_FOLDER,
            env=os.environ | {"MISTUDIO_HOME": str(settings.home)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # outlives this terminal, and its Ctrl-C
        )
    return _wait_until_ready(settings, process, tell, log_path, start)


def stop_stack(settings: Settings, tell: Tell) -> bool:
    """Stop the supervisor and all that belongs to it, within ``STOP_TIMEOUT_SECONDS``.

    Returns:
        Whether anything ran.

    Raises:
        ControlFailed: something is still alive.
    """
    state = running_stack(settings)
    if state is None:
        return clear_leftovers(settings.home) > 0
    if state.phase is not StackPhase.STOPPING:
        os.kill(state.pid, signal.SIGTERM)
    supervisor = psutil.Process(state.pid)
    deadline = time.monotonic() + STOP_TIMEOUT_SECONDS
    said = ""
    while state.is_alive() and time.monotonic() < deadline:
        latest = read_state(settings.services_file)
        if latest is not None and latest.message != said:
            said = latest.message
            tell(said)
        time.sleep(_POLL_SECONDS)
    if state.is_alive():
        supervisor.kill()  # the kernel then signals its children
        clear_leftovers(settings.home)
        raise ControlFailed(
            f"The supervisor did not stop within {STOP_TIMEOUT_SECONDS:.0f} s and was killed; "
            f"see {settings.logs_dir / 'supervisor.log'}. The next `make up` recovers."
        )
    return True


def _wait_until_ready(
    settings: Settings,
    process: subprocess.Popen[bytes],
    tell: Tell,
    log_path: Path,
    log_start: int,
) -> StackState:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    said = ""
    while time.monotonic() < deadline:
        state = read_state(settings.services_file)
        ours = state is not None and state.pid == process.pid
        if state is not None and ours and state.phase is StackPhase.READY:
            return state
        if process.poll() is not None:
            reason = state.message if state is not None and ours else ""
            raise ControlFailed(reason or read_tail(log_path, start=log_start))
        if state is not None and ours and state.message != said:
            said = state.message
            tell(said)
        time.sleep(_POLL_SECONDS)
    process.terminate()
    raise ControlFailed(f"The stack did not start in time; see {log_path}")
