"""Waiting for the one device, in the order of submission, with a message that says for what."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from app.core.config import Settings
from app.core.enums import JobKind, JobState
from app.db.models import Job
from app.db.repositories import jobs
from app.db.session import session_scope
from app.services.job_lifecycle import StaleAttempt
from app.services.memory_needs import bytes_needed
from app.services.system_service import compute_device
from app.workers import shutdown
from app.workers.admission import Admission, Verdict
from app.workers.database import AWAY, retry_while_away
from app.workers.device_lock import DeviceLock
from app.workers.lease import Lease, say_why_it_waits
from app.workers.queues import DEVICE_KINDS

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.2
MESSAGE_INTERVAL_SECONDS = 1.0

_NAMES = {
    "training_run": "a training",
    "activation_extract": "an activation extraction",
    "feature_extract": "a feature discovery",
    "feature_score": "a scoring of features",
    "training_evaluate": "a measurement",
}


@dataclass(frozen=True)
class Device:
    """What the wait ended with.

    Attributes:
        name: ``cuda:0`` or ``cpu``; None when the job needs no device.
        descriptor: Open file of the lock to hand to the child; None when none is needed.
        was_refused: The job ended, or this process was told to go, before its turn came.
    """

    name: str | None = None
    descriptor: int | None = None
    was_refused: bool = False


@contextmanager
def device_for(settings: Settings, job: Job, lease: Lease) -> Iterator[Device]:
    """Hold the device while the block runs, for the kinds of jobs that need it."""
    if job.kind not in DEVICE_KINDS or job.payload.get("shares_device"):
        yield Device()
        return
    name = compute_device(settings)
    with DeviceLock(settings.run_dir, name) as lock:
        if _wait(lock, lease, name, _admission(settings, job, name)):
            yield Device(name, descriptor=lock.descriptor)
        else:
            yield Device(name, was_refused=True)


def _admission(settings: Settings, job: Job, device: str) -> Admission:
    def measure() -> int:
        with session_scope() as session:
            return bytes_needed(session, job)

    needed = retry_while_away(measure, give_up=shutdown.requested)
    return Admission(settings, device, needed)


def _wait(lock: DeviceLock, lease: Lease, device: str, admission: Admission) -> bool:
    """Wait for lock and room; False when the job ended or this process must go."""
    next_look = 0.0
    is_first = False
    while True:
        if shutdown.requested():
            retry_while_away(lease.give_back, give_up=shutdown.requested)
            return False
        if time.monotonic() >= next_look:
            next_look = time.monotonic() + MESSAGE_INTERVAL_SECONDS
            try:
                if not _is_still_queued(lease):
                    return False
                is_first = _look_around(lease, device) == 1
            except AWAY as error:
                lease.note_away(error)
        if is_first and lock.try_acquire():
            verdict = _judge(lease, admission)
            if verdict is None:
                return True
            lock.release()
            if verdict.refusal is not None:
                refuse = partial(lease.refuse, verdict.refusal)
                retry_while_away(refuse, give_up=shutdown.requested)
                return False
            time.sleep(MESSAGE_INTERVAL_SECONDS)
        time.sleep(POLL_SECONDS)


def _judge(lease: Lease, admission: Admission) -> Verdict | None:
    """What keeps the job from starting, shown to the user; nothing is judged in the dark."""
    try:
        with session_scope() as session:
            steering = jobs.list_active(session, {JobKind.STEERING_GENERATE})
            verdict = admission.judge(ours_is_active=bool(steering))
            if verdict is not None:
                say_why_it_waits(session, lease.job_id, lease.attempt, verdict.message)
            return verdict
    except AWAY as error:
        lease.note_away(error)
        return Verdict("")


def _is_still_queued(lease: Lease) -> bool:
    try:
        lease.check()
    except StaleAttempt:
        return False
    with session_scope() as session:
        job = jobs.get(session, lease.job_id)
        return job is not None and job.state is JobState.QUEUED


def _look_around(lease: Lease, device: str) -> int:
    """Tell the user what the job waits for; its position among those that wait (1 is next)."""
    with session_scope() as session:
        waiting = [job.id for job in jobs.list_waiting(session, DEVICE_KINDS)]
        position = waiting.index(lease.job_id) + 1 if lease.job_id in waiting else 0
        active = jobs.list_active(session, DEVICE_KINDS)
        if position and (active or position > 1):
            text = _message(device, active, position)
            say_why_it_waits(session, lease.job_id, lease.attempt, text)
        return position


def _message(device: str, active: list[Job], position: int) -> str:
    name = "processor" if device == "cpu" else f"GPU ({device})"
    holder = _NAMES.get(active[0].kind, "another job") if active else "another job"
    return f"Waiting for the {name}: {holder} is running. Position {position} in the queue."
