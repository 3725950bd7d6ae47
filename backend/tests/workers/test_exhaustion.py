"""Disk, memory and mapped files give out under a job: it pauses or fails with the right words."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from app.core.enums import JobKind, JobState, ResourceType
from app.core.paths import activation_dir
from app.db.models import Activation
from app.db.session import session_scope
from tests.factories import make_activation, make_training
from tests.fixtures.rig import Rig
from tests.fixtures.small_disk import fill, small_disk
from tests.workers.steps import lines, release, running

pytestmark = pytest.mark.faults
S = JobState
DISK_BYTES = 6_000_000


@pytest.fixture
def disk(rig: Rig) -> Iterator[Path]:
    with small_disk(rig.settings.data_root, DISK_BYTES) as folder:
        (folder / "cache").mkdir()
        yield folder


@pytest.mark.fault(12)
def test_a_filling_disk_pauses_the_running_job_until_there_is_room(
    rig: Rig, files: dict[str, str], disk: Path
) -> None:
    job_id = rig.create(JobKind.TRAINING_RUN, **files)
    running(rig, files, job_id)
    filler = fill(disk, leave_bytes=200_000)
    job = rig.wait_state(job_id, S.PAUSED)
    assert lines(files) == ["1", "1 pause"]  # it was asked between two steps and could save
    assert (job.reason, job.error_code) == ("disk full", "DISK_FULL")
    assert job.error_details is not None
    assert job.error_details["free_bytes"] < 1_000_000 < job.error_details["needed_bytes"]
    assert "MB are free and 2 MB are needed" in (job.message or "")
    filler.unlink()
    running(rig, files, job_id, attempt=2)
    release(files)
    assert rig.wait_state(job_id, S.SUCCEEDED).error_code is None


@pytest.mark.fault(13)
def test_no_space_in_the_middle_of_a_write_is_no_failure(rig: Rig, disk: Path) -> None:
    filler = fill(disk, leave_bytes=2_000_000)
    job_id = rig.create(mode="fill", size_bytes=3_000_000)
    job = rig.wait_state(job_id, S.PAUSED)
    assert (job.reason, job.error_code, job.attempt) == ("disk full", "DISK_FULL", 1)
    filler.unlink()
    assert rig.wait_state(job_id, S.SUCCEEDED).attempt == 2
    assert not list((disk / "cache").iterdir())


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        pytest.param("no_memory", "OUT_OF_MEMORY", marks=pytest.mark.fault(15)),
        pytest.param("gpu_memory", "GPU_OOM", marks=pytest.mark.fault(16)),
    ],
)
def test_memory_that_gives_out_fails_the_job_and_nothing_else(
    rig: Rig, mode: str, code: str
) -> None:
    job = rig.wait_state(rig.create(mode=mode), S.FAILED)
    assert (job.error_code, job.attempt) == (code, 1)
    assert rig.wait_state(rig.create(), S.SUCCEEDED).attempt == 1


@pytest.fixture
def store(rig: Rig) -> tuple[UUID, UUID]:
    """Ids of a training and of the activation store that it reads, with one shard on disk."""
    with session_scope() as session:
        training = make_training(session, activation_id=make_activation(session).id)
        ids = training.id, training.activation_id
    folder = rig.settings.data_root / activation_dir(ids[1])
    folder.mkdir(parents=True)
    (folder / "shard.npy").write_bytes(bytes(1 << 16))
    manifest = {"files": [{"name": "shard.npy", "size_bytes": 1 << 16}]}
    (folder / "metadata.json").write_text(json.dumps(manifest))
    return ids


@pytest.mark.fault(17)
def test_a_file_cut_under_its_reader_is_put_away_and_the_worker_lives_on(
    rig: Rig, store: tuple[UUID, UUID]
) -> None:
    training, activation = store
    folder = rig.settings.data_root / activation_dir(activation)
    job_id = rig.create(
        JobKind.TRAINING_RUN,
        resource=(ResourceType.TRAINING, training),
        mode="truncated",
        file=str(folder / "shard.npy"),
    )
    job = rig.wait_state(job_id, S.FAILED)
    assert (job.error_code, job.attempt) == ("STORE_INVALID", 1), "not tried a second time"
    assert job.error_details is not None
    assert job.error_details["signal"] == "SIGBUS"
    assert "shard.npy holds 0 of 65536 bytes" in (job.error_message or "")
    with session_scope() as session:
        assert session.get_one(Activation, activation).status == "error"
    assert not (folder / "shard.npy").exists()
    lost = rig.settings.data_root / "lost+found"
    assert [path.name for path in lost.iterdir()] == [f"activations--{activation}--shard.npy"]
    assert rig.wait_state(rig.create(), S.SUCCEEDED).attempt == 1
