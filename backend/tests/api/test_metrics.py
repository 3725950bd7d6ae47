"""What Prometheus reads: requests and queries of this process, and the state of everything."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind, JobState
from app.main import create_app
from app.schemas.events import JobUpdated
from app.schemas.job import JobRead
from app.services import counters, outbox
from app.services.counters import Count
from app.services.metrics import machine, page
from app.services.reconciliation import drift_file
from app.supervisor.ports import pick_port
from tests.factories import make_job, make_metrics, make_training
from tests.fixtures.servers import forget_connections

# Name, and labels as a set of pairs.
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    page._made = (0.0, b"")
    yield
    page._made = (0.0, b"")


def samples_of(client: TestClient) -> Samples:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def test_requests_are_counted_by_operation(client: TestClient) -> None:
    labels = {"endpoint": "list_jobs", "method": "GET"}
    client.get("/api/v1/jobs")
    before = samples_of(client)
    client.get("/api/v1/jobs")
    client.get("/api/v1/jobs?page=0")
    client.get("/api/v1/nothing/at/all")
    after = samples_of(client)
    counted = value(after, "api_requests_total", status="200", **labels)
    assert counted == value(before, "api_requests_total", status="200", **labels) + 1
    assert value(after, "api_requests_total", status="400", **labels) >= 1
    assert value(after, "api_request_duration_seconds_count", **labels) >= 3
    assert value(after, "api_requests_total", endpoint="none", method="GET", status="404") >= 1
    assert value(after, "api_requests_in_flight") == 1, "the one that reads them"


def test_this_process_is_measured(client: TestClient) -> None:
    client.get("/api/v1/datasets")
    samples = samples_of(client)
    assert value(samples, "db_query_duration_seconds_count") > 0
    assert value(samples, "db_pool_connections", state="in_use") >= 0
    assert value(samples, "websocket_connections") == 0
    assert ("event_loop_lag_seconds_count", frozenset()) in samples
    assert any(name == "mistudio_build_info" for name, _ in samples)


def test_the_state_of_everything(client: TestClient) -> None:
    samples = samples_of(client)
    for part in ("machine", "database", "redis"):
        assert value(samples, "mistudio_up", part=part) == 1
    assert value(samples, "memory_total_bytes") > value(samples, "memory_usage_bytes") > 0
    assert value(samples, "disk_free_bytes") > 0
    assert value(samples, "db_bytes") > 1_000_000
    assert value(samples, "db_wal_bytes") > 0
    assert value(samples, "db_table_bytes", table="jobs") > 0
    assert value(samples, "db_dead_rows", table="jobs") >= 0
    assert value(samples, "db_live_rows", table="features") >= 0
    assert value(samples, "swap_total_bytes") >= value(samples, "swap_usage_bytes") >= 0
    assert value(samples, "redis_memory_bytes") > 0
    assert value(samples, "redis_append_only_ok") == 1
    assert value(samples, "mistudio_queue_messages", queue="training") == 0


def test_jobs_and_trainings(session: Session) -> None:
    """Read past the client, whose own session the page does not share."""
    from app.services.metrics import database

    make_job(session, JobKind.DATASET_IMPORT, JobState.QUEUED)
    training = make_training(session)
    make_metrics(session, training, [10, 20])
    make_job(session, JobKind.TRAINING_RUN, JobState.RUNNING, resource_id=training.id)
    found = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in [*database._jobs(session), *database._trainings(session)]
        for sample in family.samples
    }
    labels = {"kind": "dataset_import", "queue": "downloads", "state": "queued"}
    assert value(found, "mistudio_jobs", **labels) == 1
    assert value(found, "training_step", training_id=str(training.id)) == 20


def test_durations_are_spread_over_bounds(session: Session) -> None:
    from datetime import UTC, datetime, timedelta

    from app.services.metrics import database

    end = datetime.now(UTC)
    for seconds in (0.5, 4, 100):
        started = end - timedelta(seconds=seconds)
        times = {"created_at": started - timedelta(seconds=0.3), "started_at": started}
        make_job(session, JobKind.TRAINING_RUN, JobState.SUCCEEDED, finished_at=end, **times)
    families = {family.name: family for family in database._jobs(session)}
    runs = {
        sample.labels["le"]: sample.value
        for sample in families["training_duration_seconds"].samples
        if sample.name.endswith("_bucket")
    }
    assert [runs[bound] for bound in ("1.0", "5.0", "60.0", "300.0", "+Inf")] == [1, 2, 2, 3, 3]
    waits = {
        sample.labels.get("le"): sample.value
        for sample in families["mistudio_job_wait_seconds"].samples
    }
    assert (waits["0.1"], waits["0.5"]) == (0, 3)


def test_counts_of_other_processes(client: TestClient) -> None:
    counters.add(Count.CHILDREN_KILLED, label="SIGKILL")
    counters.add(Count.CHECKPOINT_SECONDS, 1.5)
    counters.add(Count.CHECKPOINTS_DAMAGED)
    samples = samples_of(client)
    assert value(samples, "mistudio_job_children_killed_total", signal="SIGKILL") == 1
    assert value(samples, "mistudio_checkpoint_save_seconds_total") == 1.5
    assert value(samples, "mistudio_checkpoints_damaged_total") == 1
    assert value(samples, "mistudio_checkpoint_saved_bytes_total") == 0
    assert value(samples, "mistudio_job_owners_lost_total") == 0


def test_what_compressed_swap_holds(tmp_path: Path) -> None:
    (tmp_path / "zram0").mkdir()
    (tmp_path / "zram0" / "mm_stat").write_text("8192 1024 4096 0 4096 0 0 0 0\n")
    families = machine.zrams(tmp_path)
    found = {s.name: (s.labels, s.value) for family in families for s in family.samples}
    device = {"device": "zram0"}
    assert found == {"zram_held_bytes": (device, 8192), "zram_memory_bytes": (device, 4096)}
    assert not any(family.samples for family in machine.zrams(tmp_path / "none"))


def test_what_happened_without_redis_is_counted_later(
    client: TestClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = JobUpdated(
        seq=1,
        data=JobRead.model_validate(make_job(session, JobKind.DATASET_IMPORT, JobState.QUEUED)),
    )
    before = value(samples_of(client), "mistudio_events_dropped_total")
    with monkeypatch.context() as away:
        away.setenv("REDIS_URL", f"redis://127.0.0.1:{pick_port()}/0")
        forget_connections()
        outbox.emit(event)
        outbox.emit(event)
    forget_connections()
    outbox.emit(event)
    counters.add(Count.WRITE_ERRORS, label="dataset_import")
    page._made = (0.0, b"")
    samples = samples_of(client)
    assert value(samples, "mistudio_events_dropped_total") == before + 2
    assert value(samples, "mistudio_job_write_errors_total", kind="dataset_import") >= 1
    assert value(samples, "mistudio_checkpoint_save_failures_total") >= 0


def test_drift_is_what_the_last_start_found(client: TestClient, settings: Settings) -> None:
    drift_file(settings).unlink(missing_ok=True)
    assert ("mistudio_drift", frozenset()) not in samples_of(client), "nobody has looked"
    page._made = (0.0, b"")
    drift_file(settings).parent.mkdir(parents=True, exist_ok=True)
    drift_file(settings).write_text('[{"what": "x", "problem": "y", "remedy": "z"}]')
    assert value(samples_of(client), "mistudio_drift") == 1
    drift_file(settings).unlink()


def test_parts_that_are_away_are_said_to_be(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://nobody@127.0.0.1:{pick_port()}/none")
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{pick_port()}/0")
    forget_connections()
    with TestClient(create_app(), base_url="http://localhost") as client:
        counters.add(Count.OWNERS_LOST)  # nobody counts, and nothing fails
        samples = samples_of(client)
    assert value(samples, "mistudio_up", part="database") == 0
    assert value(samples, "mistudio_up", part="redis") == 0
    assert value(samples, "mistudio_up", part="machine") == 1
    monkeypatch.undo()
    forget_connections()
