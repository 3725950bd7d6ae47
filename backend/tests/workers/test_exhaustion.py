"""Disk, memory and mapped files give out under a job: it pauses or fails with the right words."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from uuid import UUID

import pytest

from app.core.enums import JobKind, JobState, ResourceType
from app.core.paths import activation_dir, tokenization_dir
from app.db.models import Activation, Tokenization
from app.db.session import session_scope
from app.services import counters
from app.services.counters import Count
from tests.factories import make_activation, make_training
from tests.fixtures.rig import Rig, wait_for
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
    full = (Count.WRITE_ERRORS, job.kind.value)
    wait_for(lambda: full in [one[:2] for one in counters.read()] or None, "it is counted")
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


@dataclass(frozen=True)
class Stores:
    """A training, the activations that it reads, and the tokens below them, with files."""

    training: UUID
    activation: UUID
    tokenization: UUID
    folders: dict[str, PurePosixPath]


@pytest.fixture
def stores(rig: Rig) -> Stores:
    with session_scope() as session:
        activation = make_activation(session)
        training = make_training(session, activation)
        tokens = session.get_one(Tokenization, activation.tokenization_id)
        folders = {
            "activations": activation_dir(activation.id),
            "tokens": tokenization_dir(tokens.dataset_id, tokens.id),
        }
        ids = training.id, activation.id, tokens.id
    for relative in folders.values():
        folder = rig.settings.data_root / relative
        folder.mkdir(parents=True)
        (folder / "shard.npy").write_bytes(bytes(1 << 16))
        manifest = {"files": [{"name": "shard.npy", "size_bytes": 1 << 16}]}
        (folder / "metadata.json").write_text(json.dumps(manifest))
    return Stores(*ids, folders)


@pytest.mark.fault(17)
@pytest.mark.parametrize(
    ("cut", "kind"),
    [
        ("activations", JobKind.TRAINING_RUN),
        ("tokens", JobKind.TRAINING_RUN),
        ("tokens", JobKind.ACTIVATION_EXTRACT),
    ],
)
def test_a_file_cut_under_its_reader_is_put_away_and_the_worker_lives_on(
    rig: Rig, stores: Stores, cut: str, kind: JobKind
) -> None:
    folder = rig.settings.data_root / stores.folders[cut]
    training = (ResourceType.TRAINING, stores.training)
    activation = (ResourceType.ACTIVATION, stores.activation)
    job_id = rig.create(
        kind,
        resource=training if kind is JobKind.TRAINING_RUN else activation,
        mode="truncated",
        file=str(folder / "shard.npy"),
    )
    job = rig.wait_state(job_id, S.FAILED)
    assert (job.error_code, job.attempt) == ("STORE_INVALID", 1), "not tried a second time"
    assert job.error_details is not None
    assert job.error_details["signal"] == "SIGBUS"
    assert "shard.npy holds 0 of 65536 bytes" in (job.error_message or "")
    again = {"activations": "extract the activations again", "tokens": "tokenise the dataset again"}
    assert again[cut] in (job.error_message or "")
    with session_scope() as session:
        row = session.get_one(Activation, stores.activation)
        tokens = session.get_one(Tokenization, stores.tokenization)
        broken = row if cut == "activations" else tokens
        assert (broken.status, tokens.status == "error") == ("error", cut == "tokens")
    assert not (folder / "shard.npy").exists()
    lost = rig.settings.data_root / "lost+found"
    name = "--".join([*stores.folders[cut].parts, "shard.npy"])
    assert name in {path.name for path in lost.iterdir()}
    assert rig.wait_state(rig.create(), S.SUCCEEDED).attempt == 1
