"""Tasks of the tests: small, steered by files and by the job's payload."""

import mmap
import os
import resource
import signal
from pathlib import Path
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import ErrorCode
from app.core.errors import AppError
from app.db.models import Job
from app.workers.context import JobContext, JobInterrupted, JobOutcome
from app.workers.model_cache import ModelCache

TICK_SECONDS = 0.02


class SampleFailed(AppError):
    code = ErrorCode.DATASET_EMPTY
    status = 409


def run_sample(context: JobContext) -> JobOutcome:
    """Append the attempt to ``trace``, do what ``mode`` says, go on until ``release`` exists."""
    _trace(context, f"{context.attempt}")
    mode = context.payload.get("mode")
    if mode == "fail":
        raise SampleFailed("No document held any text.", details={"documents": 0})
    if mode == "crash":
        raise ValueError("secret particulars")
    if mode == "memory":
        raise MemoryError
    if mode == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "exit":
        os._exit(7)
    if mode == "deaf":
        _wait_deaf(context)
    if mode == "fill":
        _fill_the_disk(context)
    if mode == "no_memory":
        _take_more_memory_than_allowed()
    if mode == "gpu_memory":
        raise OutOfMemoryError("CUDA out of memory")
    if mode == "truncated":
        _read_a_truncated_map(context)
    if mode == "write":
        context.write_later(_note(context.job_id))
    if mode == "write_on_go":
        while not Path(context.payload["go"]).exists():
            context.sleep(TICK_SECONDS)
        context.write_later(_note(context.job_id))
        _trace(context, "written")
    return _steps(context)


def steer(context: JobContext, cache: ModelCache) -> JobOutcome:
    """Answer with the process and how often the cached thing was loaded."""
    _trace(context, f"{context.attempt}")
    if context.payload.get("mode") == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    loads = cache.get("loads", list[int], 1)
    loads.append(1)
    outcome = _steps(context)
    return JobOutcome(outcome.state, {"pid": os.getpid(), "uses": len(loads)})


def _steps(context: JobContext) -> JobOutcome:
    total = 200
    step = 0
    while not _released(context):
        if context.stop_requested() is not None:
            _trace(context, f"{context.attempt} {context.stop_requested()}")
            raise JobInterrupted(action=context.stop_requested())  # type: ignore[arg-type]
        step = min(step + 1, total - 1)
        context.report(step, total, "Working", unit="steps")
        context.sleep(TICK_SECONDS)
    context.report(total, total, "Done")
    return JobOutcome("succeeded", {"attempt": context.attempt})


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


def _fill_the_disk(context: JobContext) -> None:
    """Write into a file as an extraction does; a later attempt overwrites what is there."""
    target = context.data_root / "cache" / f"{context.job_id}.filler"
    with target.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, int(context.payload["size_bytes"]))
    target.unlink()


def _take_more_memory_than_allowed() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    bytearray(4 << 30)


def _read_a_truncated_map(context: JobContext) -> None:
    """Map a file, let somebody cut it, read past its new end: the kernel sends SIGBUS."""
    target = Path(context.payload["file"])
    with target.open("r+b") as file, mmap.mmap(file.fileno(), 0) as pages:
        os.truncate(target, 0)
        print(pages[1 << 15])


def _wait_deaf(context: JobContext) -> None:
    event = context.signal
    while True:
        event._event.clear()
        event.wait(TICK_SECONDS)


def _released(context: JobContext) -> bool:
    release = context.payload.get("release")
    return release is None or Path(release).exists()


def _trace(context: JobContext, line: str) -> None:
    trace = context.payload.get("trace")
    if trace is not None:
        with Path(trace).open("a") as stream:
            stream.write(f"{line}\n")


def _note(job_id: UUID):  # type: ignore[no-untyped-def]
    def work(session: Session) -> None:
        job = session.get(Job, job_id)
        assert job is not None
        job.error_details = {"written": True}

    return work


_SAMPLE = "tests.workers.sample_tasks:run_sample"
_STEER = "tests.workers.sample_tasks:steer"
TASKS = {
    "dataset_import": _SAMPLE,
    "dataset_delete": _SAMPLE,
    "training_run": _SAMPLE,
    "activation_extract": _SAMPLE,
    "feature_import": "tests.workers.killed_exchange:run_import",
    "feature_export": "tests.workers.killed_exchange:run_export",
    "steering_generate": _STEER,
    "feature_probe": _STEER,
    "feature_ablate": _STEER,
}
