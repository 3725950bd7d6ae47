from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind, JobState, ResourceType, TrainingStatus
from app.db.models import Checkpoint, Job, Training
from app.db.repositories import trainings
from tests.api.asserts import data_of, error_of
from tests.factories import (
    make_checkpoint,
    make_feature,
    make_job,
    make_metrics,
    make_training,
)


def url_of(training: Training, checkpoint: Checkpoint | None = None, action: str = "") -> str:
    tail = f"/{checkpoint.id}{action}" if checkpoint is not None else ""
    return f"/api/v1/trainings/{training.id}/checkpoints{tail}"


def with_files(settings: Settings, checkpoint: Checkpoint) -> Path:
    folder = settings.data_root / checkpoint.file_path
    folder.mkdir(parents=True)
    (folder / "metadata.json").write_text("{}")
    return folder


@pytest.fixture
def training(session: Session) -> Training:
    training = make_training(session, status=TrainingStatus.STOPPED, current_step=100)
    make_metrics(session, training, list(range(10, 101, 10)))
    return training


def test_listing_newest_first(client: TestClient, session: Session, training: Training) -> None:
    for step, quality in ((50, 0.7), (100, 0.6)):
        figures = {"quality": quality, "quality_split": "heldout", "l0": 8.0, "reason": "interval"}
        make_checkpoint(session, training, step, metadata_=figures)
    rows = data_of(client.get(url_of(training)))
    assert [row["step"] for row in rows] == [100, 50]
    assert [row["is_best"] for row in rows] == [False, True]
    assert [row["explained_variance"] for row in rows] == [0.6, 0.7]
    assert (rows[0]["quality_split"], rows[0]["reason"], rows[0]["l0"]) == (
        "heldout",
        "interval",
        8,
    )
    assert rows[0]["file_path"] == f"checkpoints/{training.id}/step_100"


def test_saving_now_is_for_running_trainings(client: TestClient, session: Session) -> None:
    training = make_training(session, status=TrainingStatus.TRAINING)
    job = make_job(
        session, JobKind.TRAINING_RUN, JobState.RUNNING, ResourceType.TRAINING, training.id
    )
    for count in (1, 2):
        assert data_of(client.post(url_of(training)), 202)["job_id"] == str(job.id)
        session.refresh(job)
        assert job.payload == {"save_requests": count}
    stopped = make_training(session, status=TrainingStatus.STOPPED)
    error_of(client.post(url_of(stopped)), 409, "ILLEGAL_TRANSITION", "only while it trains")


def test_loading_goes_back_and_trains_on(
    client: TestClient, session: Session, settings: Settings, training: Training
) -> None:
    early, late = make_checkpoint(session, training, 50), make_checkpoint(session, training, 100)
    with_files(settings, early)
    read = data_of(client.post(url_of(training, early, "/load")))
    assert (read["status"], read["current_step"], read["progress"]) == ("initializing", 50, 50)
    assert read["job"]["state"] == "queued"
    assert [row["step"] for row in data_of(client.get(url_of(training)))] == [50]
    metrics = data_of(client.get(f"/api/v1/trainings/{training.id}/metrics"))
    assert [point["step"] for point in metrics] == [10, 20, 30, 40, 50]
    error_of(client.post(url_of(training, late, "/load")), 404, "NOT_FOUND")


def test_loading_resumes_a_paused_run(
    client: TestClient, session: Session, settings: Settings
) -> None:
    training = make_training(session, status=TrainingStatus.PAUSED)
    job = make_job(
        session, JobKind.TRAINING_RUN, JobState.PAUSED, ResourceType.TRAINING, training.id
    )
    checkpoint = make_checkpoint(session, training, 50)
    with_files(settings, checkpoint)
    read = data_of(client.post(url_of(training, checkpoint, "/load")))
    assert read["job"]["id"] == str(job.id)
    assert read["job"]["state"] == "queued"


def test_loading_is_refused_while_it_runs_or_without_files(
    client: TestClient, session: Session, training: Training
) -> None:
    checkpoint = make_checkpoint(session, training, 50)
    error_of(
        client.post(url_of(training, checkpoint, "/load")), 409, "CHECKPOINT_INVALID", "missing"
    )
    make_job(session, JobKind.TRAINING_RUN, JobState.RUNNING, ResourceType.TRAINING, training.id)
    error_of(
        client.post(url_of(training, checkpoint, "/load")), 409, "ILLEGAL_TRANSITION", "Pause or"
    )


def test_deleting_removes_the_files(
    client: TestClient, session: Session, settings: Settings, training: Training
) -> None:
    checkpoint = make_checkpoint(session, training, 50)
    folder = with_files(settings, checkpoint)
    assert data_of(client.delete(url_of(training, checkpoint)))["step"] == 50
    assert not folder.exists()
    assert trainings.list_checkpoints(session, training.id) == []
    error_of(client.delete(url_of(training, checkpoint)), 404, "NOT_FOUND")


def test_what_is_still_needed_is_kept(client: TestClient, session: Session) -> None:
    paused = make_training(session, status=TrainingStatus.PAUSED)
    older, latest = make_checkpoint(session, paused, 50), make_checkpoint(session, paused, 100)
    error_of(client.delete(url_of(paused, latest)), 409, "CONFLICT", "goes on from this")
    data_of(client.delete(url_of(paused, older)))
    done = make_training(session)
    make_feature(session, done, 0, metadata={"checkpoint_step": 100})
    checkpoint = make_checkpoint(session, done, 100)
    error_of(client.delete(url_of(done, checkpoint)), 409, "CONFLICT", "features")


def test_nothing_changes_while_features_are_discovered(
    client: TestClient, session: Session, training: Training
) -> None:
    checkpoint = make_checkpoint(session, training, 50)
    make_job(session, JobKind.FEATURE_EXTRACT, JobState.RUNNING, ResourceType.TRAINING, training.id)
    for response in (
        client.post(url_of(training, checkpoint, "/load")),
        client.delete(url_of(training, checkpoint)),
    ):
        error_of(response, 409, "CONFLICT", "a feature discovery (running)")


def test_a_checkpoint_of_another_training(
    client: TestClient, session: Session, training: Training
) -> None:
    foreign = make_checkpoint(session, make_training(session), 50)
    error_of(client.delete(url_of(training, foreign)), 404, "NOT_FOUND")
    error_of(client.post(url_of(training, foreign, "/load")), 404, "NOT_FOUND")
    error_of(client.get(f"/api/v1/trainings/{uuid4()}/checkpoints"), 404, "NOT_FOUND")
    assert session.query(Job).count() == 0
