"""What a training tells of itself while the database is away."""

from pathlib import Path
from uuid import UUID

import pytest

from app.core.config import Settings
from app.core.enums import JobKind, JobState, ResourceType
from app.db.models import Job
from app.db.repositories import trainings
from app.db.session import session_scope
from app.ml.records import CheckpointInfo
from app.services.checkpoint_service import save_now
from app.services.training_records import RunPlan, read_plan
from app.workers.context import JobContext
from app.workers.progress import ProgressReporter
from app.workers.tasks.training_reporter import TrainingReporter
from tests.factories import make_job, make_training


@pytest.fixture
def job(servers: Settings) -> Job:
    with session_scope() as session:
        training = make_training(session)
        return make_job(
            session, JobKind.TRAINING_RUN, JobState.RUNNING, ResourceType.TRAINING, training.id
        )


def plan_of(job: Job) -> RunPlan:
    assert job.resource_id is not None
    with session_scope() as session:
        return read_plan(session, job.resource_id)


def context_of(job: Job, settings: Settings, writer: ProgressReporter) -> JobContext:
    log = settings.home / "job.log"
    return JobContext(
        job.id, 1, job.kind, job.resource_type, job.resource_id, {}, settings, log, writer
    )


def checkpoint(step: int) -> CheckpointInfo:
    return CheckpointInfo(Path(f"/none/step_{step}"), step, 1.0, 1.0, 0.5, 1, "interval")


def steps_with_a_row(training_id: UUID) -> list[int]:
    with session_scope() as session:
        return [row.step for row in trainings.list_checkpoints(session, training_id)]


def test_a_checkpoint_counts_as_recorded_once_its_row_is_there(servers: Settings, job: Job) -> None:
    """The writer is not started yet: it stands for a database that is away."""
    writer = ProgressReporter(job.id, 1, on_stale=lambda: None)
    plan = plan_of(job)
    reporter = TrainingReporter(context_of(job, servers, writer), plan)
    reporter.starts_from(Path("/none/step_5"))
    for step in (10, 20, 30):
        reporter.on_checkpoint(checkpoint(step))
    assert reporter.recorded() == 5, "a run that dies now goes on from there"
    writer.start(job)
    writer.flush()
    assert reporter.recorded() == 30
    assert steps_with_a_row(plan.training_id) == [30, 20, 10]
    writer.close()


def test_a_checkpoint_asked_for_while_the_run_starts_is_written(
    servers: Settings, job: Job
) -> None:
    """After the job was marked as running, and before its task has read anything."""
    writer = ProgressReporter(job.id, 1, on_stale=lambda: None)
    context = context_of(job, servers, writer)
    assert job.resource_id is not None
    with session_scope() as session:
        save_now(session, job.resource_id)
    reporter = TrainingReporter(context, plan_of(job))
    writer.start(job)
    reporter.write_rows()  # its writer also looks for wishes
    writer.flush()
    assert [reporter.should_save(), reporter.should_save()] == [True, False]
    writer.close()


def test_a_fresh_run_has_nothing_recorded(servers: Settings, job: Job) -> None:
    writer = ProgressReporter(job.id, 1, on_stale=lambda: None)
    reporter = TrainingReporter(context_of(job, servers, writer), plan_of(job))
    reporter.starts_from(None)
    reporter.on_checkpoint(checkpoint(10))
    assert reporter.recorded() is None
