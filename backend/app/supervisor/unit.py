"""Keeping one process alive: start, watch, restart with backoff."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.supervisor.state import ProcessState

FIRST_DELAY_SECONDS = 0.3
LONGEST_DELAY_SECONDS = 30.0
# A process that held out this long starts again at once when it fails the next time.
STABLE_AFTER_SECONDS = 60.0
PROBE_INTERVAL_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Supervised(Protocol):
    """What the supervisor needs of a process; both database servers fit it too."""

    name: str

    @property
    def pid(self) -> int | None: ...
    @property
    def log_path(self) -> Path: ...
    def is_running(self) -> bool: ...
    def is_ready(self) -> bool: ...
    def spawn(self) -> None: ...
    def stop(self) -> None: ...


def backoff_seconds(failures: int) -> float:
    """Wait before the restart after the n-th failure in a row: 0.3, 0.6, 1.2, … 30 s."""
    return float(min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** max(0, failures - 1)))


@dataclass
class Unit:
    """One process with its history. ``hang_after_seconds`` restarts it when it stops answering."""

    target: Supervised
    hang_after_seconds: float | None = None
    restarts: int = 0
    failures: int = 0
    started_at: float | None = None
    is_ready: bool = False
    _start_again_at: float | None = None
    _last_probe: float = 0.0
    _last_answer: float = 0.0

    @property
    def name(self) -> str:
        return self.target.name

    def start(self) -> None:
        """Launch without waiting for readiness."""
        self._start_again_at = None
        self.started_at = time.time()
        self.is_ready = False
        self._last_answer = time.monotonic()
        self._last_probe = 0.0
        try:
            self.target.spawn()
        except OSError as error:  # no memory or no file handles: try again later
            _log.error("%s could not be started: %s", self.name, error)

    def adopt(self) -> None:
        """Take over a process that was started and waited for elsewhere."""
        self.started_at = time.time()
        self._last_answer = time.monotonic()
        self.is_ready = True

    def tick(self) -> None:
        """Look once: notice a death, restart when its time has come, probe every few seconds."""
        now = time.monotonic()
        if self._start_again_at is not None:
            if now >= self._start_again_at:
                self.restarts += 1
                self.start()
            return
        if not self.target.is_running():
            self._plan_restart(now)
            return
        if not self.is_ready or now - self._last_probe >= PROBE_INTERVAL_SECONDS:
            self._probe(now)

    def stop(self) -> None:
        self._start_again_at = None
        self.is_ready = False
        self.target.stop()

    def describe(self) -> ProcessState:
        return ProcessState(
            name=self.name,
            pid=self.target.pid if self.target.is_running() else None,
            state=self._state(),
            started_at=self.started_at,
            restarts=self.restarts,
            log=str(self.target.log_path),
        )

    def _state(self) -> str:
        if self._start_again_at is not None:
            wait = max(0.0, self._start_again_at - time.monotonic())
            return f"restarting in {wait:.0f} s"
        if not self.target.is_running():
            return "stopped"
        return "running" if self.is_ready else "starting"

    def _plan_restart(self, now: float) -> None:
        uptime = time.time() - (self.started_at or time.time())
        self.failures = 1 if uptime >= STABLE_AFTER_SECONDS else self.failures + 1
        delay = backoff_seconds(self.failures)
        self.is_ready = False
        self._start_again_at = now + delay
        _log.warning("%s ended after %.1f s; restart in %.1f s", self.name, uptime, delay)

    def _probe(self, now: float) -> None:
        self._last_probe = now
        if self.target.is_ready():
            self.is_ready = True
            self._last_answer = now
        elif self.hang_after_seconds and now - self._last_answer > self.hang_after_seconds:
            _log.warning("%s has not answered for %.0f s", self.name, now - self._last_answer)
            self.target.stop()
