"""Sums over whole tables and what PostgreSQL says about itself, for the metrics page."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.enums import ACTIVE_JOB_STATES, JobState
from app.db.models import Activation, Checkpoint, Dataset, Job, TrainingMetric

_TABLES = text(
    "SELECT relname, pg_total_relation_size(oid) FROM pg_class "
    "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
)
_VACUUMS = text(
    "SELECT relname, extract(epoch FROM now() - greatest(last_autovacuum, last_vacuum)) AS age, "
    "n_live_tup AS live, n_dead_tup AS dead FROM pg_stat_user_tables"
)
_DATABASE = text(
    "SELECT pg_database_size(datname) AS size, numbackends, xact_commit, xact_rollback, deadlocks, "
    "temp_bytes FROM pg_stat_database WHERE datname = current_database()"
)
_WAL = text("SELECT coalesce(sum(size), 0) FROM pg_ls_waldir()")


def count_jobs(session: Session) -> Sequence[Any]:
    """Kind, queue, state, number of them, and attempts beyond the first."""
    statement = select(Job.kind, Job.queue, Job.state, func.count(), func.sum(Job.attempt - 1))
    return session.execute(statement.group_by(Job.kind, Job.queue, Job.state)).all()


def spread_run_seconds(session: Session, bounds: Sequence[float]) -> Sequence[Any]:
    """Kind, end state, then as ``_spread``: from a job's start to its end."""
    seconds = _seconds(Job.finished_at - Job.started_at)
    statement = select(Job.kind, Job.state, *_spread(seconds, bounds))
    return session.execute(statement.where(seconds >= 0).group_by(Job.kind, Job.state)).all()


def spread_wait_seconds(session: Session, bounds: Sequence[float]) -> Sequence[Any]:
    """Queue, then as ``_spread``: from a job's request to its first start."""
    seconds = _seconds(Job.started_at - Job.created_at)
    statement = select(Job.queue, *_spread(seconds, bounds))
    return session.execute(statement.where(seconds >= 0).group_by(Job.queue)).all()


def heartbeat_age_seconds(session: Session) -> float | None:
    """Of the running job that was heard of longest ago."""
    age = _seconds(func.now() - func.min(Job.heartbeat_at))
    return session.scalar(select(age).where(Job.state.in_(ACTIVE_JOB_STATES)))


def stored_bytes(session: Session) -> dict[str, int]:
    sizes = {
        "datasets": Dataset.size_bytes,
        "activations": Activation.size_bytes,
        "checkpoints": Checkpoint.file_size_bytes,
    }
    return {
        name: int(session.scalar(select(func.coalesce(func.sum(column), 0))) or 0)
        for name, column in sizes.items()
    }


def newest_points(session: Session) -> Sequence[TrainingMetric]:
    """The newest point of each training that runs."""
    running = select(Job.resource_id).where(Job.state == JobState.RUNNING)
    newest = (
        select(TrainingMetric.training_id, func.max(TrainingMetric.step).label("step"))
        .where(TrainingMetric.training_id.in_(running))
        .group_by(TrainingMetric.training_id)
        .subquery()
    )
    is_newest = and_(
        TrainingMetric.training_id == newest.c.training_id, TrainingMetric.step == newest.c.step
    )
    return session.scalars(select(TrainingMetric).join(newest, is_newest)).all()


def table_sizes(session: Session) -> Sequence[Any]:
    """Table or partition, bytes with indexes."""
    return session.execute(_TABLES).all()


def vacuums(session: Session) -> Sequence[Any]:
    """``relname``; ``age``: seconds since a vacuum ended, None before; ``live``, ``dead`` rows."""
    return session.execute(_VACUUMS).all()


def database_counters(session: Session) -> Any:
    return session.execute(_DATABASE).one()


def wal_bytes(session: Session) -> int | None:
    """None where this user may not see it."""
    try:
        with session.begin_nested():
            return int(session.scalar(_WAL) or 0)
    except DBAPIError:
        return None


def _seconds(interval: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.extract("epoch", interval)


def _spread(seconds: ColumnElement[Any], bounds: Sequence[float]) -> list[ColumnElement[Any]]:
    """Number, sum, and for each bound how many are not above it."""
    below = [func.count().filter(seconds <= bound) for bound in bounds]
    return [func.count(), func.coalesce(func.sum(seconds), 0), *below]
