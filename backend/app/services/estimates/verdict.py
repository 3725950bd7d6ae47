"""From needs and limits to an estimate: does it fit, what is short, how long."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from app.core.enums import ErrorCode
from app.core.errors import AppError
from app.ml.configs.budget import Need
from app.schemas.estimate import Estimate, EstimatedTime, Fit, NeedRead, ResourceNeed
from app.services.estimates.history import FIRST_SHARE, History
from app.services.estimates.room import Limit, Room, product_rate

# An estimate may be this much too high; what would fit then is not refused.
TOLERANCE = 0.25
_CODES = {
    "memory": ErrorCode.OUT_OF_MEMORY,
    "gpu_memory": ErrorCode.GPU_OOM,
    "disk": ErrorCode.DISK_FULL,
}
_WORDS = {"memory": "memory", "gpu_memory": "GPU memory", "disk": "disk space"}


class DoesNotFit(AppError):
    """The job needs more than the machine has; ``details`` has the estimate and a way out."""

    def __init__(self, estimate: Estimate) -> None:
        self.code = _CODES[estimate.limiter]
        self.status = 507 if estimate.limiter == "disk" else 409
        super().__init__(
            estimate.message,
            details={
                "limiter": estimate.limiter,
                "proposal": estimate.proposal,
                "estimate": estimate.model_dump(mode="json", exclude={"proposal", "message"}),
            },
        )


def judge(
    room: Room,
    base_bytes: int,
    phases: Sequence[Sequence[Need]],
    host: Sequence[Need],
    mapped: Need | None,
    disk: Sequence[Need],
    time: EstimatedTime,
) -> Estimate:
    """Put together what a job needs at its peak and compare it with the machine.

    Args:
        room: The machine.
        base_bytes: The process with its libraries.
        phases: What is needed at the same time on the device; the largest of them counts.
        host: What is needed in memory before them, wherever they run.
        mapped: Files in memory, which the system drops when it needs room.
        disk: What will be written.
        time: How long.
    """
    phase = max(phases, key=_total)
    process = [Need("the process with its libraries", base_bytes)]
    files = [mapped] if mapped is not None else []
    needs = {"disk": _resource("disk", disk, room.disk)}
    if room.has_gpu:
        beside = [need for need in phase if need.on_host]
        largest = max(host, beside, key=_total)
        needs["memory"] = _resource("memory", [*process, *largest, *files], room.memory)
        if room.gpu is not None:
            there = [need for need in phase if not need.on_host]
            needs["gpu_memory"] = _resource("gpu_memory", there, room.gpu)
    else:
        largest = max(phase, host, key=_total)
        needs["memory"] = _resource("memory", [*process, *largest, *files], room.memory)
    limiter = max(needs.values(), key=lambda need: _share(need))
    fit = _fit(_share(limiter))
    return Estimate(
        device=room.device,
        resources=list(needs.values()),
        time=time,
        fit=fit,
        limiter=limiter.name,
        message=_sentence(limiter, fit),
        proposal=None,
    )


def time_of(
    history: History,
    tokens: int,
    flop_per_token: int,
    room: Room,
    first_share: float = FIRST_SHARE,
    measuring_flop: int = 0,
) -> EstimatedTime:
    """Time by the rate of earlier jobs, else by products measured now; on a GPU only the former.

    Args:
        history: How earlier jobs of the kind went.
        tokens: How many are read.
        flop_per_token: Of their reading.
        room: The machine.
        first_share: Share of the rate of plain products, where no job has run yet.
        measuring_flop: What the language model does at the end, likewise.
    """
    rate, overhead = history.flop_per_second, history.overhead_seconds
    if rate is not None:
        jobs = "one job" if history.n_jobs == 1 else f"the median of {history.n_jobs} jobs"
        source = f"measured: {jobs} of this kind on this machine"
    elif not room.has_gpu:
        rate = first_share * product_rate()
        overhead += measuring_flop / (FIRST_SHARE * product_rate())
        source = "matrix products measured just now; no such job has run on this machine yet"
    else:
        source = "unknown: no such job has run on this machine yet"
    if rate is None:
        return EstimatedTime(seconds=None, tokens_per_second=None, tokens=tokens, source=source)
    per_second = rate / flop_per_token
    seconds = tokens / per_second + overhead
    return EstimatedTime(
        seconds=seconds, tokens_per_second=per_second, tokens=tokens, source=source
    )


def with_way_out(
    estimate: Estimate, candidates: Iterable[dict[str, Any]], again: Callable[..., Estimate]
) -> Estimate:
    """Add the first change of the request that makes it fit.

    Args:
        estimate: Of the request as it is.
        candidates: Changes, the mildest first.
        again: Estimates the request with a change.
    """
    if estimate.fit is Fit.FITS:
        return estimate
    proposal = next((c for c in candidates if again(c).fit is Fit.FITS), None)
    if proposal is None:
        return estimate
    words = ", ".join(f"{name} {value}" for name, value in _flat(proposal))
    message = f"{estimate.message} It fits with {words}."
    return estimate.model_copy(update={"proposal": proposal, "message": message})


def refuse_unfit(estimate: Estimate) -> None:
    """
    Raises:
        DoesNotFit: Even if the estimate is a quarter too high.
    """
    if estimate.fit is Fit.DOES_NOT_FIT:
        raise DoesNotFit(estimate)


def as_recorded(estimate: Estimate, flop_per_token: int, shape: str) -> dict[str, Any]:
    """What a job keeps of its estimate, to be set beside what it took."""
    sizes = {need.name: need.needed_bytes for need in estimate.resources}
    return {
        "memory_bytes": sizes["memory"],
        "gpu_memory_bytes": sizes.get("gpu_memory"),
        "disk_bytes": sizes["disk"],
        "seconds": estimate.time.seconds,
        "time_source": estimate.time.source,
        "tokens": estimate.time.tokens,
        "flop_per_token": flop_per_token,
        "shape": shape,
    }


def _resource(name: Any, needs: Sequence[Need], limit: Limit) -> ResourceNeed:
    parts = [
        NeedRead(name=need.name, size_bytes=need.size_bytes, reclaimable=need.reclaimable)
        for need in needs
    ]
    return ResourceNeed(
        name=name,
        needed_bytes=sum(part.size_bytes for part in parts),
        reclaimable_bytes=sum(part.size_bytes for part in parts if part.reclaimable),
        free_bytes=limit.free,
        limit_bytes=limit.most,
        parts=parts,
    )


def _total(needs: Sequence[Need]) -> int:
    return sum(need.size_bytes for need in needs)


def _share(need: ResourceNeed) -> float:
    return (need.needed_bytes - need.reclaimable_bytes) / max(need.limit_bytes, 1)


def _fit(share: float) -> Fit:
    if share <= 1:
        return Fit.FITS
    return Fit.TIGHT if share * (1 - TOLERANCE) <= 1 else Fit.DOES_NOT_FIT


def _sentence(need: ResourceNeed, fit: Fit) -> str:
    wanted = _gigabytes(need.needed_bytes - need.reclaimable_bytes)
    there, word = _gigabytes(need.limit_bytes), _WORDS[need.name]
    if fit is Fit.FITS:
        return f"It fits; {word} is what it needs most of: {wanted} of {there}."
    verb = "may not fit" if fit is Fit.TIGHT else "does not fit"
    return f"It {verb}: about {wanted} of {word} are needed, and there are {there}."


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


def _flat(change: dict[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in change.items():
        found += _flat(value) if isinstance(value, dict) else [(name, value)]
    return found
