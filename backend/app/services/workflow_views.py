"""Workflows as the API shows them: their state follows from their jobs."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import ErrorCode, JobState
from app.db.models import Job, Workflow
from app.db.repositories import jobs
from app.schemas.job import JobRead
from app.schemas.workflow import WorkflowRead
from app.services.job_chain import NOT_STARTED, has_given_result


def read_workflow(session: Session, workflow: Workflow) -> WorkflowRead:
    steps = steps_of(session, workflow.id)
    ended = what_ended(steps)
    return WorkflowRead(
        id=workflow.id,
        name=workflow.name,
        state=state_of(steps),
        progress=sum(job.progress for job in steps) / max(len(steps), 1),
        error_code=ErrorCode(ended.error_code) if ended and ended.error_code else None,
        error_message=ended.error_message if ended else None,
        steps=[JobRead.model_validate(job) for job in steps],
        created_at=workflow.created_at,
    )


def steps_of(session: Session, workflow_id: UUID) -> list[Job]:
    """The steps in their order, of a repeated one only the newest job."""
    steps: list[Job] = []
    for job in jobs.list_of_workflow(session, workflow_id):
        repeated = [index for index, step in enumerate(steps) if step.id == job.retry_of]
        if repeated:
            steps[repeated[0]] = job
        else:
            steps.append(job)
    return steps


def what_ended(steps: Sequence[Job]) -> Job | None:
    """The step because of which the rest was given up, if any."""
    ended = {JobState.FAILED, JobState.CANCELLED}
    return next((job for job in steps if job.state in ended and job.reason != NOT_STARTED), None)


def state_of(steps: Sequence[Job]) -> JobState:
    """One state for all of them."""
    ended = what_ended(steps)
    if all(has_given_result(job) for job in steps):
        return JobState.SUCCEEDED
    if any(job.state.is_active for job in steps):
        return JobState.RUNNING
    if ended is not None:
        return ended.state
    if any(job.state is JobState.PAUSED for job in steps):
        return JobState.PAUSED
    return JobState.QUEUED
