"""From the ML core's callbacks to the job's context."""

from collections.abc import Callable

from app.ml.records import Progress
from app.workers.context import JobContext
from app.workers.progress import with_rate


def reporter(
    context: JobContext, *, start: float = 0.0, end: float = 1.0
) -> Callable[[Progress], None]:
    """A ``report`` for the core.

    Args:
        context: Where the progress goes.
        start: Share of the whole job that was done before this phase.
        end: Share that will be done after it.
    """

    def report(progress: Progress) -> None:
        if (start, end) == (0.0, 1.0):
            context.report(
                progress.done,
                progress.total,
                progress.message,
                unit=progress.unit,
                rate=progress.rate,
            )
            return
        share = progress.done / progress.total if progress.total else 0.0
        text = with_rate(progress.message, progress.rate, progress.unit)
        context.report(start + share * (end - start), 1.0, text)

    return report


def should_stop(context: JobContext) -> Callable[[], bool]:
    """Whether anything was asked of the job; the core then raises ``Stopped``."""
    return lambda: context.stop_requested() is not None
