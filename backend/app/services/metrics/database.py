"""Jobs, trainings and stored bytes as the rows say, and PostgreSQL itself."""

from prometheus_client.core import Metric
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind
from app.db.repositories import statistics
from app.db.session import session_scope
from app.services.metrics.families import counter, gauge, gauges, histogram

RUN_BOUNDS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0)
WAIT_BOUNDS = (0.1, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0)

TRAINING_GAUGES = (
    ("training_step", "Step of a running training", "step"),
    ("training_loss", "Its newest loss", "loss"),
    ("training_l0", "Active latents per token", "sparsity"),
    ("training_dead_latents", "Latents that do not fire any more", "dead_neurons"),
    ("training_tokens_per_second", "How fast it goes", "tokens_per_second"),
)
TABLE_GAUGES = (
    ("db_vacuum_age_seconds", "Since a table was vacuumed", "age"),
    ("db_live_rows", "Rows of a table, as the server estimates them", "live"),
    ("db_dead_rows", "Rows that wait for a vacuum", "dead"),
)


def collect(_settings: Settings) -> list[Metric]:
    with session_scope() as session:
        return [*_jobs(session), *_trainings(session), *_storage(session), *_server(session)]


def _jobs(session: Session) -> list[Metric]:
    counted = statistics.count_jobs(session)
    runs = statistics.spread_run_seconds(session, RUN_BOUNDS)
    trainings = [row for row in runs if row[0] is JobKind.TRAINING_RUN]
    return [
        gauge("mistudio_jobs", "Jobs", ["kind", "queue", "state"],
              [([row[0].value, row[1], row[2].value], row[3]) for row in counted]),
        counter("mistudio_job_extra_attempts", "Attempts beyond the first", ["kind", "state"],
                [([row[0].value, row[2].value], row[4]) for row in counted]),
        histogram("mistudio_job_run_seconds", "From start to end", ["kind", "state"], RUN_BOUNDS,
                  [([row[0].value, row[1].value], row[2:]) for row in runs]),
        histogram("training_duration_seconds", "Training duration", ["state"], RUN_BOUNDS,
                  [([row[1].value], row[2:]) for row in trainings]),
        histogram("mistudio_job_wait_seconds", "From request to first start", ["queue"],
                  WAIT_BOUNDS,
                  [([row[0]], row[1:])
                   for row in statistics.spread_wait_seconds(session, WAIT_BOUNDS)]),
        gauge("mistudio_job_heartbeat_age_seconds", "Of the running job silent for longest", [],
              [([], statistics.heartbeat_age_seconds(session))]),
    ]  # fmt: skip


def _trainings(session: Session) -> list[Metric]:
    points = [([str(point.training_id)], point) for point in statistics.newest_points(session)]
    return [*gauges(["training_id"], points, TRAINING_GAUGES)]


def _storage(session: Session) -> list[Metric]:
    stored = statistics.stored_bytes(session)
    tables = [([row.relname], row) for row in statistics.vacuums(session)]
    return [
        gauge("mistudio_stored_bytes", "Files by what they are", ["category"],
              [([name], size) for name, size in stored.items()]),
        gauge("db_table_bytes", "Tables and partitions with indexes", ["table"],
              [([name], size) for name, size in statistics.table_sizes(session)]),
        *gauges(["table"], tables, TABLE_GAUGES),
        gauge("db_wal_bytes", "Write-ahead log", [], [([], statistics.wal_bytes(session))]),
    ]  # fmt: skip


def _server(session: Session) -> list[Metric]:
    found = statistics.database_counters(session)
    ends = [(["commit"], found.xact_commit), (["rollback"], found.xact_rollback)]
    return [
        gauge("db_bytes", "Size of the database", [], [([], found.size)]),
        gauge("db_connections", "Open connections to it", [], [([], found.numbackends)]),
        counter("db_transactions", "Ended transactions", ["end"], ends),
        counter("db_deadlocks", "Deadlocks", [], [([], found.deadlocks)]),
        counter("db_temp_bytes", "Spilled to disk", [], [([], found.temp_bytes)]),
    ]
