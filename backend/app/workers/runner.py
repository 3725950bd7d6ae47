"""What supervision needs of whatever runs an attempt: a child of its own, or the warm process."""

import time
from abc import ABC, abstractmethod

from app.core.enums import JobAction
from app.workers.context import REQUEST_STRENGTH
from app.workers.outcome import Outcome


class Runner(ABC):
    """One attempt in another process."""

    shutdown_action = JobAction.PAUSE

    def __init__(self) -> None:
        self.asked: JobAction | None = None
        self.was_killed = False
        self._deadline: float | None = None

    def ask(self, action: JobAction, grace_seconds: float, *, by_shutdown: bool = False) -> None:
        """Hand a request on, once; the process has ``grace_seconds`` to follow it."""
        if self.asked is not None and REQUEST_STRENGTH[self.asked] >= REQUEST_STRENGTH[action]:
            return
        self.asked = action
        deadline = time.monotonic() + grace_seconds
        self._deadline = deadline if self._deadline is None else min(deadline, self._deadline)
        try:
            self.deliver(action, by_shutdown)
        except BrokenPipeError:
            return  # it is ending by itself

    def is_overdue(self) -> bool:
        """Whether a request was not followed in time."""
        return self._deadline is not None and time.monotonic() > self._deadline

    @abstractmethod
    def deliver(self, action: JobAction, by_shutdown: bool) -> None:
        """Write a request to the process."""

    @abstractmethod
    def wait(self, seconds: float) -> bool:
        """Wait at most ``seconds``; True when the attempt has ended."""

    @abstractmethod
    def kill(self) -> None:
        """End the process and everything that it started."""

    @abstractmethod
    def outcome(self) -> Outcome:
        """How the ended attempt ended, also when it could not say so itself."""
