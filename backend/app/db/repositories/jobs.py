"""Queries on jobs. Every write of a runner is a compare-and-set on (id, attempt, owner)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Update, func, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.core.enums import (
    ACTIVE_JOB_STATES,
    TERMINAL_JOB_STATES,
    JobAction,
    JobKind,
    JobState,
    ResourceType,
)
from app.db.models import Job, Training
from app.db.repositories.base import RowPage, paginate

# Each write to a row takes the next multiple; between two writes its runner numbers events in
# the gap, so that numbers grow over all writers without a write for each event.
SEQ_STRIDE = 1_000_000

RECENT_JOBS = 9
UNFINISHED_STATES = tuple(state for state in JobState if state not in TERMINAL_JOB_STATES)


def next_seq() -> ColumnElement[int]:
    """Expression for a row's next ``seq``."""
    return (Job.seq // SEQ_STRIDE + 1) * SEQ_STRIDE


def get(session: Session, job_id: UUID, *, lock: bool = False) -> Job | None:
    """The job as the database has it now; with ``lock`` its row is held until the commit."""
    return session.get(Job, job_id, with_for_update=lock or None, populate_existing=True)


def list_page(
    session: Session,
    *,
    page: int = 1,
    limit: int = 50,
    states: Collection[JobState] | None = None,
    kinds: Collection[JobKind] | None = None,
    resource_type: ResourceType | None = None,
    resource_id: UUID | None = None,
    workflow_id: UUID | None = None,
) -> RowPage[Job]:
    """Newest first."""
    statement = select(Job)
    if states:
        statement = statement.where(Job.state.in_(states))
    if kinds:
        statement = statement.where(Job.kind.in_(kinds))
    if resource_type is not None:
        statement = statement.where(Job.resource_type == resource_type)
    if resource_id is not None:
        statement = statement.where(Job.resource_id == resource_id)
    if workflow_id is not None:
        statement = statement.where(Job.workflow_id == workflow_id)
    return paginate(session, statement.order_by(Job.created_at.desc(), Job.id), page, limit)


def latest_for(session: Session, resource_type: ResourceType, resource_id: UUID) -> Job | None:
    return latest_for_many(session, resource_type, [resource_id]).get(resource_id)


def latest_for_many(
    session: Session,
    resource_type: ResourceType,
    resource_ids: Sequence[UUID],
    *,
    kind: JobKind | None = None,
) -> dict[UUID, Job]:
    """The newest job of each resource, by default of any kind."""
    of_kind = [Job.kind == kind] if kind is not None else []
    statement = (
        select(Job)
        .where(Job.resource_type == resource_type, Job.resource_id.in_(resource_ids), *of_kind)
        .ext(distinct_on(Job.resource_id))
        .order_by(Job.resource_id, Job.created_at.desc())
    )
    return {job.resource_id: job for job in session.scalars(statement) if job.resource_id}


def latest_of_kind(session: Session, kind: JobKind, resource_id: UUID) -> Job | None:
    """The newest job of one kind that works on a resource."""
    statement = select(Job).where(Job.kind == kind, Job.resource_id == resource_id)
    return session.scalar(statement.order_by(Job.created_at.desc()).limit(1))


def typical_seconds(session: Session, kind: JobKind) -> float | None:
    """Median run time of the last successful jobs of a kind; None before the first."""
    seconds = func.extract("epoch", Job.finished_at - Job.started_at)
    recent = (
        select(seconds.label("seconds"))
        .where(Job.kind == kind, Job.state == JobState.SUCCEEDED, Job.started_at.is_not(None))
        .order_by(Job.finished_at.desc())
        .limit(RECENT_JOBS)
        .subquery()
    )
    median = func.percentile_cont(0.5).within_group(recent.c.seconds)
    return session.scalar(select(median))


def list_succeeded_without(session: Session, kind: JobKind, key: str) -> list[Job]:
    """Jobs of a kind that succeeded and whose result lacks a key."""
    statement = select(Job).where(
        Job.kind == kind, Job.state == JobState.SUCCEEDED, ~Job.result.has_key(key)
    )
    return list(session.scalars(statement.order_by(Job.finished_at)))


def list_measured(session: Session, kind: JobKind, limit: int) -> list[Job]:
    """The newest jobs of a kind that gave a result and know what they took."""
    statement = select(Job).where(
        Job.kind == kind,
        Job.state.in_((JobState.SUCCEEDED, JobState.STOPPED)),
        Job.measured.is_not(None),
    )
    return list(session.scalars(statement.order_by(Job.finished_at.desc()).limit(limit)))


def unfinished_for(session: Session, resource_type: ResourceType, resource_id: UUID) -> list[Job]:
    """Jobs on a resource that have not ended; of a training also the run that it shares."""
    own = (Job.resource_type == resource_type) & (Job.resource_id == resource_id)
    if resource_type is ResourceType.TRAINING:
        shared = select(Training.shared_run_id).where(Training.id == resource_id)
        own = (own & (Job.kind != JobKind.TRAINING_GRID)) | (Job.id == shared.scalar_subquery())
    statement = select(Job).where(own, Job.state.in_(UNFINISHED_STATES))
    return list(session.scalars(statement.order_by(Job.created_at)))


def states_of(session: Session, job_ids: Collection[UUID]) -> dict[UUID, JobState]:
    """States by job; jobs that do not exist are left out."""
    found = session.execute(select(Job.id, Job.state).where(Job.id.in_(job_ids)))
    return {row.id: row.state for row in found}


def reserve(session: Session, job_id: UUID, attempt: int, owner: str, lease: timedelta) -> bool:
    """Take a queued job for one runner, so that a duplicate delivery of it does nothing."""
    free = or_(
        Job.lease_owner.is_(None), Job.lease_owner == owner, Job.lease_expires_at < func.now()
    )
    statement = (
        update(Job)
        .where(
            Job.id == job_id,
            Job.attempt == attempt,
            Job.state == JobState.QUEUED,
            Job.waits_for.is_(None),
            free,
        )
        .values(
            lease_owner=owner,
            lease_expires_at=func.now() + lease,
            heartbeat_at=func.now(),
        )
    )
    return _changed_one(session, statement)


def extend_lease(
    session: Session, job_id: UUID, attempt: int, owner: str, lease: timedelta
) -> bool:
    """Heartbeat. False means that the job was taken away: the runner must stop."""
    statement = (
        update(Job)
        .where(
            Job.id == job_id,
            Job.attempt == attempt,
            Job.lease_owner == owner,
            Job.state.in_((JobState.QUEUED, *ACTIVE_JOB_STATES)),
        )
        .values(lease_expires_at=func.now() + lease, heartbeat_at=func.now())
    )
    return _changed_one(session, statement)


def release(session: Session, job_id: UUID, attempt: int, owner: str) -> bool:
    """Give a reservation back; without ``dispatched_at`` the sweeper sends a message at once."""
    statement = (
        update(Job)
        .where(
            Job.id == job_id,
            Job.attempt == attempt,
            Job.lease_owner == owner,
            Job.state == JobState.QUEUED,
        )
        .values(lease_owner=None, lease_expires_at=None, dispatched_at=None, message=None)
    )
    return _changed_one(session, statement)


def write_progress(
    session: Session, job_id: UUID, attempt: int, values: Mapping[str, Any]
) -> Job | None:
    """Write progress of a live attempt.

    Returns:
        The row as it is now, or None when the attempt no longer owns the job.
    """
    statement = (
        update(Job)
        .where(
            Job.id == job_id,
            Job.attempt == attempt,
            Job.state.in_((JobState.QUEUED, *ACTIVE_JOB_STATES)),
        )
        .values(seq=next_seq(), **values)
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return session.scalars(statement).one_or_none()


def read_request(
    session: Session, job_id: UUID, attempt: int
) -> tuple[JobState, JobAction | None] | None:
    """State and pending request of an attempt; None when a later attempt took over."""
    row = session.execute(
        select(Job.state, Job.requested).where(Job.id == job_id, Job.attempt == attempt)
    ).one_or_none()
    return (row.state, row.requested) if row else None


def list_queued(session: Session, older_than: timedelta) -> list[Job]:
    """Queued jobs without a live reservation whose last dispatch is older than the given age.

    Those that wait for another job are not among them.
    """
    statement = (
        select(Job)
        .where(
            Job.state == JobState.QUEUED,
            Job.waits_for.is_(None),
            or_(Job.dispatched_at.is_(None), Job.dispatched_at < func.now() - older_than),
            or_(Job.lease_expires_at.is_(None), Job.lease_expires_at < func.now()),
        )
        .order_by(Job.created_at)
    )
    return list(session.scalars(statement))


def list_owned(session: Session) -> list[Job]:
    """Jobs that a runner holds: starting, running, or queued with a reservation."""
    statement = select(Job).where(
        or_(
            Job.state.in_(ACTIVE_JOB_STATES),
            (Job.state == JobState.QUEUED) & Job.lease_owner.is_not(None),
        )
    )
    return list(session.scalars(statement.order_by(Job.created_at)))


def lease_age(session: Session, job_id: UUID) -> timedelta | None:
    """How long ago a job's lease ended by the database's clock; None while it is valid."""
    ended = func.coalesce(Job.lease_expires_at, Job.updated_at)
    row = session.execute(select(func.now(), ended).where(Job.id == job_id)).one_or_none()
    return row[0] - row[1] if row is not None and row[1] < row[0] else None


def list_paused_for(session: Session, *reasons: str) -> list[Job]:
    statement = select(Job).where(Job.state == JobState.PAUSED, Job.reason.in_(reasons))
    return list(session.scalars(statement.order_by(Job.created_at)))


def list_waiting_for(session: Session, job_id: UUID) -> list[Job]:
    """Jobs that start, or may be resumed, when this one has given its result; rows are held."""
    waiting = Job.state.in_((JobState.QUEUED, JobState.PAUSED))
    statement = select(Job).where(Job.waits_for == job_id, waiting).order_by(Job.created_at)
    return list(session.scalars(statement.with_for_update()))


def list_followers(session: Session, job_id: UUID) -> list[Job]:
    """Jobs that waited for this one until the end, whatever became of them."""
    statement = select(Job).where(Job.waits_for == job_id).order_by(Job.created_at)
    return list(session.scalars(statement))


def hold_workflow(session: Session, workflow_id: UUID) -> None:
    """Hold all rows of a workflow until the commit, in the order in which transitions do."""
    statement = select(Job.id).where(Job.workflow_id == workflow_id)
    session.execute(statement.order_by(Job.created_at, Job.id).with_for_update())


def list_of_workflow(session: Session, workflow_id: UUID) -> list[Job]:
    """Every job of a workflow, repeated ones included, in the order of creation."""
    statement = select(Job).where(Job.workflow_id == workflow_id)
    statement = statement.order_by(Job.created_at, Job.id)
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def list_waiting(session: Session, kinds: Collection[JobKind]) -> list[Job]:
    """Queued jobs of some kinds that a live runner holds, oldest first."""
    statement = select(Job).where(
        Job.state == JobState.QUEUED,
        Job.kind.in_(kinds),
        Job.lease_owner.is_not(None),
        Job.lease_expires_at > func.now(),
    )
    return list(session.scalars(statement.order_by(Job.created_at, Job.id)))


def list_active(session: Session, kinds: Collection[JobKind]) -> list[Job]:
    statement = select(Job).where(Job.state.in_(ACTIVE_JOB_STATES), Job.kind.in_(kinds))
    return list(session.scalars(statement.order_by(Job.started_at)))


def count_active_by_queue(session: Session) -> dict[str, int]:
    """Jobs that run now, by queue."""
    statement = (
        select(Job.queue, func.count()).where(Job.state.in_(ACTIVE_JOB_STATES)).group_by(Job.queue)
    )
    return dict(session.execute(statement).all())


def mark_dispatched(session: Session, job_id: UUID, attempt: int) -> None:
    session.execute(
        update(Job)
        .where(Job.id == job_id, Job.attempt == attempt)
        .values(dispatched_at=func.now())
        .execution_options(synchronize_session=False)
    )


def _changed_one(session: Session, statement: Update) -> bool:
    returning = statement.returning(Job.id).execution_options(synchronize_session=False)
    return session.execute(returning).one_or_none() is not None
