"""Rows without files, files without rows, leftovers; what is unknown is moved, never deleted."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind, JobState, ResourceType
from app.core.paths import activation_dir, checkpoint_dir, dataset_documents, model_dir
from app.db.models import Checkpoint
from app.services.reconciliation import (
    clear_after,
    drift_file,
    find_drift,
    list_drift_at_start,
    repair,
)
from tests.factories import (
    make_activation,
    make_checkpoint,
    make_dataset,
    make_job,
    make_model,
    make_training,
)

Find = Callable[[], list[str]]


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    (tmp_path / "data").mkdir()
    return Settings(home=tmp_path)


@pytest.fixture
def found(session: Session, home: Settings) -> Find:
    return lambda: [f"{finding.what}: {finding.problem}" for finding in find_drift(session, home)]


def mend(session: Session, home: Settings) -> None:
    repair(session, home)
    assert find_drift(session, home) == []


def write(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def write_checkpoint(folder: Path) -> None:
    write(folder / "sae.safetensors", b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    write(folder / "metadata.json", json.dumps({"sha256": {"sae.safetensors": digest}}).encode())


def lost(home: Settings) -> list[str]:
    return sorted(path.name for path in (home.data_root / "lost+found").glob("*"))


def test_ready_rows_without_files_are_marked(session: Session, home: Settings, found: Find) -> None:
    dataset = make_dataset(session)
    model = make_model(session, name="m")
    write(home.data_root / model_dir(model.id) / "config.json")
    assert found() == [f'dataset "{dataset.name}": documents.jsonl is missing']
    mend(session, home)
    session.refresh(dataset)
    assert dataset.status == "error"
    assert dataset.error_message is not None
    session.refresh(model)
    assert model.status == "ready"


def test_a_store_whose_shard_is_short_is_marked(
    session: Session, home: Settings, found: Find
) -> None:
    store = make_activation(session)
    root = home.data_root
    write(root / model_dir(store.model_id) / "config.json")
    write(root / dataset_documents(store.dataset_id))
    folder = root / activation_dir(store.id)
    write(folder / "a.npy", b"12345")
    write(folder / "metadata.json", b'{"files": [{"name": "a.npy", "size_bytes": 9}]}')
    assert f"activation store {store.id}: a.npy holds 5 of 9 bytes" in found()
    mend(session, home)
    session.refresh(store)
    assert store.status == "error"
    assert (folder / "a.npy").exists()


def test_checkpoints_are_held_against_their_checksums(
    session: Session, home: Settings, found: Find
) -> None:
    training = make_training(session)
    rows = [make_checkpoint(session, training, step=step) for step in (1, 2, 3)]
    folders = [home.data_root / checkpoint_dir(training.id, step) for step in (1, 2)]
    for folder in folders:
        write_checkpoint(folder)
    write(folders[1] / "sae.safetensors", b"weighty")
    problems = [line for line in found() if line.startswith("checkpoint ")]
    assert [line.rpartition(": ")[2] for line in problems] == [
        "sae.safetensors is missing or was altered",
        "its files are missing",
    ]
    mend(session, home)
    kept = {row.step for row in session.query(Checkpoint).filter_by(training_id=training.id)}
    assert kept == {rows[0].step}
    assert folders[0].exists()
    assert lost(home) == [f"checkpoints--{training.id}--step_2"]


def test_what_no_row_knows_is_moved_and_never_deleted(
    session: Session, home: Settings, found: Find
) -> None:
    stranger = uuid4()
    write(home.data_root / "activations" / str(stranger) / "a.npy")
    write(home.data_root / "models" / "notes of mine.txt")
    training = make_training(session)
    write_checkpoint(home.data_root / checkpoint_dir(training.id, 7))
    assert sum("no row knows it" in line for line in found()) == 3
    mend(session, home)
    assert lost(home) == [
        f"activations--{stranger}",
        f"checkpoints--{training.id}--step_7",
        "models--notes of mine.txt",
    ]
    write(home.data_root / "models" / "notes of mine.txt", b"again")
    mend(session, home)
    assert (home.data_root / "lost+found" / "models--notes of mine.txt.2").read_bytes() == b"again"


def test_a_killed_jobs_own_files_go_and_nobody_elses(session: Session, home: Settings) -> None:
    model, busy = make_model(session), make_model(session)
    kind, type_, root = JobKind.MODEL_DOWNLOAD, ResourceType.MODEL, home.data_root
    ended = make_job(
        session, kind, JobState.CANCELLED, type_, model.id, payload={"upload": "cache/upload-1/a"}
    )
    running = make_job(session, kind, JobState.RUNNING, type_, busy.id)
    gone = [
        write(root / "cache" / f"download-{ended.id}" / "model.safetensors"),
        write(root / "cache" / "upload-1" / "a"),
        write(root / "models" / f".{model.id}.tmp-12345678" / "w"),
    ]
    kept = [
        write(root / "cache" / f"download-{running.id}" / "model.safetensors"),
        write(root / "cache" / "upload-2" / "a"),
        write(root / "models" / f".{busy.id}.tmp-12345678" / "w"),
        write(root / "cache" / "trash" / str(ended.id) / "w"),
    ]
    clear_after(session, home, ended)
    assert all(path.exists() for path in gone), "nothing goes before the commit"
    session.commit()
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in kept)

    ended.resource_id = busy.id  # another job works on the same thing
    clear_after(session, home, ended)
    session.commit()
    assert all(path.exists() for path in kept)


def test_leftovers_of_ended_jobs_go_and_those_of_running_ones_stay(
    session: Session, home: Settings, found: Find
) -> None:
    training = make_training(session)
    ended, running = uuid4(), uuid4()
    kind, type_ = JobKind.TRAINING_RUN, ResourceType.TRAINING
    make_job(session, kind, JobState.RUNNING, type_, training.id, id=running)
    cache = home.data_root / "cache"
    gone = [
        write(home.data_root / "models" / ".abc.tmp-12345678" / "w"),
        write(home.data_root / "datasets" / str(uuid4()) / ".raw.partial" / "d"),
        write(cache / f"download-{ended}" / "f"),
        write(cache / "trash" / str(ended) / "f"),
        write(cache / "discovery" / f"discovery-{ended}" / "f"),
        write(home.run_dir / "jobs" / f"{ended}-1.json"),
    ]
    kept = [
        write(home.data_root / "checkpoints" / str(training.id) / ".step_5.tmp-12345678" / "w"),
        write(home.data_root / checkpoint_dir(training.id, 5) / "sae.safetensors"),
        write(cache / f"download-{running}" / "f"),
        write(home.run_dir / "jobs" / f"{running}-1.json"),
        write(cache / "hub" / "something"),
    ]
    assert sum("ended too early" in line for line in found()) == len(gone)
    mend(session, home)
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in kept)


def test_what_was_set_aside_comes_back_when_its_successor_never_came(
    session: Session, home: Settings, found: Find
) -> None:
    model = make_model(session)
    write(home.data_root / "models" / f".{model.id}.old-12345678" / "config.json", b"old")
    assert "put it back" in {finding.remedy for finding in find_drift(session, home)}
    mend(session, home)
    session.refresh(model)
    assert (home.data_root / model_dir(model.id) / "config.json").read_bytes() == b"old"
    assert model.status == "ready"


def test_a_start_lists_both_directions_and_touches_nothing(
    session: Session, home: Settings
) -> None:
    dataset = make_dataset(session)
    stranger = write(home.data_root / "activations" / str(uuid4()) / "a.npy").parent
    leftover = write(home.data_root / "models" / ".abc.tmp-12345678" / "w")
    training = make_training(session)
    for step in (1, 2):
        make_checkpoint(session, training, step=step)
    altered = home.data_root / checkpoint_dir(training.id, 1)
    write_checkpoint(altered)
    write(altered / "sae.safetensors", b"weighty")
    home.run_dir.mkdir()

    n_found = list_drift_at_start(session, home)

    listed = {item["what"]: item for item in json.loads(drift_file(home).read_text())}
    assert len(listed) == n_found
    assert f'dataset "{dataset.name}"' in listed
    assert listed[f"activations/{stranger.name}"]["remedy"] == "move it to lost+found"
    assert listed[f"data/models/{leftover.parent.name}"]["remedy"] == "delete it"
    steps = [what.rpartition("_")[2] for what in listed if what.startswith("checkpoint ")]
    assert steps == ["2"], "checksums are left to the doctor"
    assert stranger.exists()
    assert leftover.exists()
    session.refresh(dataset)
    assert dataset.status == "ready"
    mend(session, home)
    assert list_drift_at_start(session, home) == 0


def test_exports_are_held_against_their_files(
    session: Session, home: Settings, found: Find
) -> None:
    result = {"file_name": "a.csv", "size_bytes": 1, "expires_at": "2999-01-01T00:00:00+00:00"}
    kind, done = JobKind.FEATURE_EXPORT, JobState.SUCCEEDED
    kept, short, gone, over = (make_job(session, kind, done, result=result) for _ in range(4))
    over.result = result | {"removed_at": "2026-01-01T00:00:00+00:00"}
    failed = make_job(session, kind, JobState.FAILED)
    running = make_job(session, kind, JobState.RUNNING)
    stranger = uuid4()
    for key in (kept.id, over.id, failed.id, running.id, stranger):
        write(home.data_root / "exports" / str(key) / "a.csv")
    write(home.data_root / "exports" / str(short.id) / "a.csv", b"xy")
    assert sorted(line.partition(": ")[2] for line in found()) == [
        "a.csv holds 2 of 1 bytes",
        "a.csv is missing",
        "belongs to an export that is over",
        "belongs to an export that is over",
        "no row knows it",
    ]
    mend(session, home)
    left = {path.name for path in (home.data_root / "exports").iterdir()}
    assert left == {str(kept.id), str(running.id)}
    assert lost(home) == [f"exports--{stranger}"]
    for job in (short, gone):
        session.refresh(job)
        assert job.result is not None
        assert "removed_at" in job.result
