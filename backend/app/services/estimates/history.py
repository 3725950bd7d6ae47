"""How earlier jobs of a kind went on this machine: their rate, their start, their own memory."""

from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy.orm import Session

from app.core.enums import JobKind
from app.db.models import Job
from app.db.repositories import jobs

CONSIDERED = 20
MOST_USED = 5
# Where no such job has run yet: the process with its libraries, and what it takes to start.
FIRST_BASE_BYTES = 310_000_000
# Libraries that are loaded on the way, pools of threads and of memory.
GROWTH_BYTES = 45_000_000
FIRST_START_SECONDS = 5.0
# Share of the rate of plain float32 products that jobs reached when this was written: reading a
# model and k-sparse trainings 0.5 in float32 and 0.8 to 1.2 where bfloat16 is faster, others less.
FIRST_SHARE, FIRST_SHARE_DENSE = 0.6, 0.25


@dataclass(frozen=True)
class History:
    """What is known of a kind of job; ``flop_per_second`` is None before the first has ended.

    ``base_bytes`` is the process with its libraries; ``overhead_seconds`` what came on top of
    reading tokens: start, measuring, writing.
    """

    flop_per_second: float | None
    n_jobs: int
    overhead_seconds: float
    base_bytes: int


def history_of(session: Session, kind: JobKind, shape: str) -> History:
    """Read the newest jobs of a kind that were measured; those of the same shape count first.

    Args:
        session: Open session.
        kind: What ran.
        shape: What makes rates comparable: model or activation, device.
    """
    found = jobs.list_measured(session, kind, CONSIDERED)
    alike = [job for job in found if (job.estimate or {}).get("shape") == shape] or found
    used = alike[:MOST_USED]
    rates = [rate for job in used if (rate := _flop_per_second(job)) is not None]
    overheads = [seconds for job in used if (seconds := _overhead(job)) is not None]
    bases = [_measured(job)["base_bytes"] for job in used if _measured(job).get("base_bytes")]
    return History(
        median(rates) if rates else None,
        len(rates),
        median(overheads) if overheads else FIRST_START_SECONDS,
        int(median(bases) if bases else FIRST_BASE_BYTES) + GROWTH_BYTES,
    )


def _flop_per_second(job: Job) -> float | None:
    rate = (job.result or {}).get("tokens_per_second")
    flop = (job.estimate or {}).get("flop_per_token")
    return rate * flop if rate and flop else None


def _overhead(job: Job) -> float | None:
    rate = (job.result or {}).get("tokens_per_second")
    tokens, seconds = (job.estimate or {}).get("tokens"), _measured(job).get("seconds")
    if not rate or not tokens or not seconds or job.attempt > 1:
        return None
    return float(max(seconds - tokens / rate, 0.0))


def _measured(job: Job) -> dict[str, Any]:
    return job.measured or {}
