"""A program in a process of its own: a copy of the nursery, or started the long way."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from app.core.config import Settings
from app.workers.child_environment import compute_environment
from app.workers.forking import BACKEND_FOLDER, ForkedChild, NotMade, fork
from app.workers.nursery import Order


class JobProcess:
    """It has its own session, so that it and what it starts can be ended together.

    Args:
        settings: Where the nursery is found.
        order: What runs; started the long way, its last argument is this process's id.
        log: Gets what it prints.
        answers: Whether its stdout is a pipe to us instead.
        held: Open files that it keeps open, such as the lock of a device.
    """

    def __init__(
        self,
        settings: Settings,
        order: Order,
        log: Path,
        *,
        answers: bool = False,
        held: tuple[int, ...] = (),
    ) -> None:
        self._settings = settings
        self._order = order
        self._log = log
        self._held = held
        stdin, requests = os.pipe()
        self._theirs = [stdin]  # their ends of the pipes, until they have them
        self.requests = os.fdopen(requests, "wb", buffering=0)
        self.answers: int | None = None
        if answers:
            self.answers, stdout = os.pipe()
            self._theirs.append(stdout)
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with log.open("ab") as stream:
            stdout = self._theirs[-1] if answers else stream.fileno()
            streams = [stdin, stdout, stream.fileno()]
            child = fork(settings, order, [*streams, *held])
        self._process: ForkedChild | subprocess.Popen[bytes] = child or self._start_long()

    def _start_long(self) -> subprocess.Popen[bytes]:
        order = self._order
        with self._log.open("ab") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", order.module, *order.arguments, str(os.getpid())],
                cwd=BACKEND_FOLDER,
                env=compute_environment(self._settings),
                stdin=self._theirs[0],
                stdout=stream if self.answers is None else self._theirs[1],
                stderr=stream,
                start_new_session=True,
                pass_fds=self._held,
            )
        self._hand_over()
        return process

    def wait(self, timeout: float) -> int:
        """Its exit status, negative for a signal.

        Raises:
            subprocess.TimeoutExpired: It still runs.
        """
        try:
            return self._process.wait(timeout)
        except NotMade:
            self._process = self._start_long()
            return self._process.wait(timeout)
        finally:
            if self._process.pid is not None:
                self._hand_over()

    def poll(self) -> int | None:
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def kill(self, wait_seconds: float) -> int:
        """End it with all that it started; its exit status.

        Raises:
            subprocess.TimeoutExpired: The kernel does not let it go.
        """
        self._kill_group()
        try:
            return self._process.wait(wait_seconds)
        except NotMade:
            return -signal.SIGKILL

    def close(self) -> None:
        """Make sure that nothing of it lives on, and let go of what is open here."""
        self._kill_group()
        if isinstance(self._process, ForkedChild):
            self._process.close()
        self._hand_over()
        self.requests.close()
        if self.answers is not None:
            os.close(self.answers)
            self.answers = None

    def _kill_group(self) -> None:
        if isinstance(self._process, ForkedChild):
            self._process.kill_group()
        else:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _hand_over(self) -> None:
        while self._theirs:
            os.close(self._theirs.pop())
