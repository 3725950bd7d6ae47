"""At most a few events a second."""

import time

INTERVAL_SECONDS = 0.25


class Throttle:
    """Answers whether enough time passed since it last said yes; the first answer is yes."""

    def __init__(self, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._interval = interval_seconds
        self._last = float("-inf")

    def is_due(self) -> bool:
        now = time.monotonic()
        if now - self._last < self._interval:
            return False
        self._last = now
        return True
