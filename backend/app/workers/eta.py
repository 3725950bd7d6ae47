"""Time left, from a moving window of the monotonic clock."""

import time
from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 20.0
MIN_SPAN_SECONDS = 1.0
POINT_SPACING_SECONDS = 0.2


class RateEstimator:
    """Rate over the last ``WINDOW_SECONDS``; a phase that starts over resets it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._points: deque[tuple[float, float]] = deque()
        self._total = 0.0
        self.per_second: float | None = None

    def update(self, done: float, total: float, rate: float | None = None) -> float | None:
        """Take a measurement.

        Args:
            done: Units done.
            total: Units there are.
            rate: Units per second if the caller knows; replaces the window's.

        Returns:
            Seconds left, or None while it cannot be said.
        """
        now = self._clock()
        if total != self._total or (self._points and done < self._points[-1][1]):
            self._points.clear()
            self.per_second = None
            self._total = total
        if not self._points or now - self._points[-1][0] >= POINT_SPACING_SECONDS:
            self._points.append((now, done))
        while len(self._points) > 2 and now - self._points[0][0] > WINDOW_SECONDS:
            self._points.popleft()
        first_time, first_done = self._points[0]
        if now - first_time >= MIN_SPAN_SECONDS:
            self.per_second = (done - first_done) / (now - first_time)
        speed = rate if rate is not None else self.per_second
        return max(0.0, total - done) / speed if speed and total > 0 else None
