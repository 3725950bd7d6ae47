"""What forces a job off the machine or keeps it from starting, with hand-made machines."""

from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import ErrorCode, JobKind, JobState, ResourceType
from app.core.memory import Memory
from app.schemas.system import GpuHealth
from app.services.memory_needs import bytes_needed
from app.workers import admission, pressure
from app.workers.admission import Admission
from app.workers.errors import failure_of
from app.workers.outcome import Failure
from app.workers.pressure import PressureGauge, is_relieved, with_numbers
from tests.factories import make_activation, make_job, make_model, make_training

GB = 10**9


class Machine:
    """Figures that a test sets."""

    disk = memory = 100 * GB
    gpus: list[GpuHealth]


def gpu(used: int, load: float | None = 0.0) -> GpuHealth:
    return GpuHealth(
        available=True,
        name="G",
        memory_total_bytes=8 * GB,
        memory_used_bytes=used,
        utilization_percent=load,
    )


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    found = Machine()
    found.gpus = [gpu(0)]

    for module in (pressure, admission):
        monkeypatch.setattr(module, "read_memory", lambda: Memory(100 * GB, found.memory))
        monkeypatch.setattr(module, "read_gpus", lambda: found.gpus)
    monkeypatch.setattr(pressure, "free_disk", lambda _: found.disk)
    monkeypatch.setattr(pressure.shutil, "which", lambda _: "/usr/bin/nvidia-smi")
    monkeypatch.setattr(pressure, "CHECK_SECONDS", 0.0)
    return found


def test_a_filling_disk_is_found_with_its_numbers(machine: Machine, settings: Settings) -> None:
    gauge = PressureGauge(settings, JobKind.TRAINING_RUN, "cpu")
    assert gauge.look() is None
    machine.disk = 100_000_000
    found = gauge.look()
    assert found is not None
    assert found.code is ErrorCode.DISK_FULL
    assert "100 MB are free and 1.1 GB are needed" in found.message
    machine.disk = 100 * GB
    assert gauge.look() is found  # once found it is what the job makes way for
    assert is_relieved(settings, "disk full", found.details)
    machine.disk = GB
    assert not is_relieved(settings, "disk full", found.details)


def test_deletions_and_steering_go_on(machine: Machine, settings: Settings) -> None:
    machine.disk = 0
    for kind in (JobKind.TRAINING_DELETE, JobKind.STEERING_GENERATE):
        assert PressureGauge(settings, kind, None).look() is None


def test_memory_that_others_took(machine: Machine, settings: Settings) -> None:
    machine.memory = 1_000_000
    found = PressureGauge(settings, JobKind.DATASET_IMPORT, None).look()
    assert found is not None
    assert found.code is ErrorCode.OUT_OF_MEMORY
    assert not is_relieved(settings, "memory low", found.details)
    machine.memory = GB
    assert is_relieved(settings, "memory low", found.details)


def test_a_lost_device_is_believed_the_second_time(machine: Machine, settings: Settings) -> None:
    gauge = PressureGauge(settings, JobKind.TRAINING_RUN, "cuda:0")
    machine.gpus = []
    assert gauge.look() is None
    machine.gpus = [gpu(0)]
    assert gauge.look() is None
    machine.gpus = []
    assert gauge.look() is None
    found = gauge.look()
    assert found is not None
    assert found.code is ErrorCode.DEVICE_LOST
    assert not is_relieved(settings, "device lost", found.details)
    machine.gpus = [gpu(0)]
    assert is_relieved(settings, "device lost", found.details)


def test_errors_of_a_task_get_the_machines_numbers(machine: Machine, settings: Settings) -> None:
    machine.disk = 10_000_000
    full = with_numbers(settings, Failure(ErrorCode.DISK_FULL, "Full.", {"needed_bytes": 4 * GB}))
    assert full.details["free_bytes"] == 10_000_000
    assert full.details["needed_bytes"] == 4 * GB + settings.disk_reserve_bytes
    other = Failure(ErrorCode.DATASET_EMPTY, "Empty.")
    assert with_numbers(settings, other) is other
    lost = failure_of(RuntimeError("CUDA error: GPU is lost"))
    assert with_numbers(settings, lost).details == {"device": settings.device}


class SafetensorError(Exception):
    """Named as the library's."""


def test_a_full_disk_below_safetensors_is_recognised() -> None:
    error = SafetensorError("I/O error: No space left on device (os error 28)")
    assert failure_of(error).code is ErrorCode.DISK_FULL
    assert failure_of(SafetensorError("bad header")).code is ErrorCode.INTERNAL_ERROR


def test_a_job_waits_for_free_memory_and_is_refused_without_hope(
    machine: Machine, settings: Settings
) -> None:
    machine.gpus = [gpu(6 * GB)]
    waits = Admission(settings, "cuda:0", 3 * GB).judge(ours_is_active=False)
    assert waits is not None
    assert (waits.message, waits.refusal) == (
        "Waiting for memory: 3.0 GB are needed, 2.0 GB are free.",
        None,
    )
    assert Admission(settings, "cuda:0", 2 * GB).judge(ours_is_active=False) is None
    never = Admission(settings, "cuda:0", 9 * GB).judge(ours_is_active=False)
    assert never is not None
    assert never.refusal is not None
    assert never.refusal.code is ErrorCode.GPU_OOM
    too_much = Admission(settings, "cpu", 200 * GB).judge(ours_is_active=False)
    assert too_much is not None
    assert too_much.refusal is not None
    assert too_much.refusal.code is ErrorCode.OUT_OF_MEMORY


def test_a_device_that_others_keep_busy_is_refused_after_a_while(
    machine: Machine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(admission.time, "monotonic", lambda: now[0])
    judge = Admission(settings, "cuda:0", 0).judge
    machine.gpus = [gpu(0, load=97.0)]
    first = judge(ours_is_active=False)
    assert first is not None
    assert first.refusal is None
    now[0] = 60.0
    assert judge(ours_is_active=True) is None  # our own steering
    assert judge(ours_is_active=False) is not None
    now[0] = 71.0
    refused = judge(ours_is_active=False)
    assert refused is not None
    assert refused.refusal is not None
    assert (refused.refusal.code, refused.refusal.details["utilization_percent"]) == (
        ErrorCode.GPU_BUSY,
        97.0,
    )
    for load in (90.0, None):
        machine.gpus = [gpu(0, load=load)]
        assert judge(ours_is_active=False) is None
    machine.gpus = []
    assert judge(ours_is_active=False) is None


def test_the_least_memory_of_a_job(session: Session) -> None:
    model = make_model(session, memory_req_bytes=1000)
    training = make_training(
        session, model_id=model.id, hyperparameters={"expansion_factor": 2, "training_steps": 10}
    )
    dictionary = 4 * (2 * 128 * 256 + 128 + 256)
    kind, type_ = JobKind.TRAINING_RUN, ResourceType.TRAINING
    run = make_job(session, kind, JobState.QUEUED, type_, training.id)
    assert bytes_needed(session, run) == 4 * dictionary
    run.kind = JobKind.FEATURE_EXTRACT
    assert bytes_needed(session, run) == 1000 + dictionary
    store = make_activation(session, model_id=model.id)
    run.kind, run.resource_id = JobKind.ACTIVATION_EXTRACT, store.id
    assert bytes_needed(session, run) == 1000
    run.resource_id = uuid4()
    assert bytes_needed(session, run) == 0
    run.kind = kind
    assert bytes_needed(session, run) == 0
