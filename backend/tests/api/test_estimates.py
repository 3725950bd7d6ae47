"""Estimates before jobs, refusals with a way out, and what is recorded of both."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.enums import JobKind, JobState, ResourceType
from app.db.models import Activation, Job, Tokenization, Training
from app.services.estimates import extraction, history, training
from app.services.estimates.room import Limit, Room
from app.services.job_lifecycle import transition
from app.workers.ending import record_outcome
from app.workers.outcome import Outcome
from tests.api.asserts import data_of, error_of
from tests.factories import make_activation, make_job

MEGABYTE = 1_000_000
PROCESS_BYTES = history.FIRST_BASE_BYTES + history.GROWTH_BYTES


@pytest.fixture
def store(session: Session) -> Activation:
    return make_activation(session, n_tokens=100_000)


def body_of(store: Activation, **hyperparameters: Any) -> dict[str, Any]:
    ids = {"model_id": str(store.model_id), "dataset_id": str(store.dataset_id)}
    return {
        **ids,
        "hyperparameters": {"training_steps": 100, "batch_size": 1000, **hyperparameters},
    }


def need(estimate: dict[str, Any], name: str) -> dict[str, Any]:
    return next(found for found in estimate["resources"] if found["name"] == name)


@pytest.fixture
def with_room(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give the machine other limits."""

    def give(memory: int = 10**12, disk: int = 10**12, gpu: int | None = None) -> None:
        device = "cpu" if gpu is None else "cuda:0"
        limit = None if gpu is None else Limit(gpu, gpu)
        room = Room(device, Limit(memory, memory), Limit(disk, disk), limit)
        for module in (training, extraction):
            monkeypatch.setattr(module, "look_around", lambda _: room)

    return give


def test_an_estimate_names_its_parts_and_where_its_rate_is_from(
    client: TestClient, store: Activation
) -> None:
    found = data_of(client.post("/api/v1/trainings/estimate", json=body_of(store)))
    memory = need(found, "memory")
    assert memory["needed_bytes"] == sum(part["size_bytes"] for part in memory["parts"])
    assert memory["reclaimable_bytes"] == 100_000 * 128 * 2
    assert (found["fit"], found["proposal"], found["device"]) == ("fits", None, "cpu")
    assert found["time"]["tokens"] == 100_000
    assert found["time"]["seconds"] > 0
    assert "no such job has run" in found["time"]["source"]
    assert need(found, "disk")["needed_bytes"] == 5 * 4 * 4 * (2 * 128 * 1024 + 3 * 1024 + 128)


def test_rates_and_the_processs_own_memory_come_from_earlier_jobs(
    client: TestClient, session: Session, store: Activation
) -> None:
    flop = 2 * 256 * 1024
    for rate, seconds in ((1000.0, 130.0), (2000.0, 70.0), (4000.0, 40.0)):
        estimate = {"shape": "topk store cpu", "flop_per_token": flop, "tokens": 100_000}
        measured = {"base_bytes": 300 * MEGABYTE, "memory_bytes": 1, "seconds": seconds}
        make_job(
            session, JobKind.TRAINING_RUN, JobState.SUCCEEDED, estimate=estimate,
            measured=measured, result={"tokens_per_second": rate},
        )  # fmt: skip
    found = data_of(client.post("/api/v1/trainings/estimate", json=body_of(store)))
    assert found["time"]["tokens_per_second"] == pytest.approx(2000)
    assert found["time"]["seconds"] == pytest.approx(100_000 / 2000 + 20)
    assert "the median of 3 jobs" in found["time"]["source"]
    assert need(found, "memory")["parts"][0]["size_bytes"] == 345 * MEGABYTE
    wider = body_of(store, expansion_factor=16)
    found = data_of(client.post("/api/v1/trainings/estimate", json=wider))
    assert found["time"]["tokens_per_second"] == pytest.approx(1000)


def test_a_training_that_cannot_fit_is_refused_with_one_that_does(
    client: TestClient, session: Session, store: Activation, with_room: Any
) -> None:
    with_room(memory=PROCESS_BYTES + 350 * MEGABYTE)
    body = body_of(store, batch_size=65_536)
    error = error_of(client.post("/api/v1/trainings", json=body), 409, "OUT_OF_MEMORY", "It fits")
    proposal = error["details"]["proposal"]
    assert proposal == {"hyperparameters": {"gradient_accumulation": 16}}
    assert error["details"]["limiter"] == "memory"
    assert session.query(Training).count() == 0
    body["hyperparameters"] |= proposal["hyperparameters"]
    assert data_of(client.post("/api/v1/trainings/estimate", json=body))["fit"] == "fits"
    data_of(client.post("/api/v1/trainings", json=body), 201)
    with_room(gpu=100 * MEGABYTE)
    body = body_of(store, d_sae=65_536)
    error = error_of(client.post("/api/v1/trainings", json=body), 409, "GPU_OOM", "d_sae")
    assert error["details"]["estimate"]["limiter"] == "gpu_memory"
    with_room(disk=1 * MEGABYTE)
    error_of(client.post("/api/v1/trainings", json=body_of(store)), 507, "DISK_FULL", "disk space")


def test_what_would_fit_if_the_estimate_is_a_little_high_is_not_refused(
    client: TestClient, store: Activation, with_room: Any
) -> None:
    found = data_of(client.post("/api/v1/trainings/estimate", json=body_of(store)))
    memory = need(found, "memory")
    anonymous = memory["needed_bytes"] - memory["reclaimable_bytes"]
    with_room(memory=int(anonymous * 0.9))
    found = data_of(client.post("/api/v1/trainings/estimate", json=body_of(store)))
    assert (found["fit"], found["limiter"]) == ("tight", "memory")
    data_of(client.post("/api/v1/trainings", json=body_of(store)), 201)


def test_an_extraction_that_cannot_fit_is_refused_with_one_that_does(
    client: TestClient, session: Session, store: Activation, with_room: Any
) -> None:
    ids = {"model_id": str(store.model_id), "dataset_id": str(store.dataset_id)}
    body = {**ids, "layers": [0, 1], "dtype": "float32"}
    found = data_of(client.post("/api/v1/activations/estimate", json=body))
    assert need(found, "disk")["needed_bytes"] == 1000 * (128 * 2 * 4 + 16)  # tokens that there are
    with_room(disk=600_000)
    refused = client.post("/api/v1/activations/extract", json=body)
    error = error_of(refused, 507, "DISK_FULL", "It fits with dtype bfloat16")
    assert error["details"]["proposal"] == {"dtype": "bfloat16"}
    with_room(disk=300_000)
    refused = client.post("/api/v1/activations/extract", json=body)
    error = error_of(refused, 507, "DISK_FULL", "It fits with dtype int8")
    assert error["details"]["proposal"] == {"dtype": "int8"}
    with_room(memory=PROCESS_BYTES + 120 * MEGABYTE)
    refused = client.post("/api/v1/activations/extract", json={**body, "batch_size": 256})
    error = error_of(refused, 409, "OUT_OF_MEMORY", "It fits with batch_size")
    assert session.query(Job).count() == 0
    unknown = {**body, "layers": [9]}
    error_of(client.post("/api/v1/activations/estimate", json=unknown), 400, "HOOK_POINT_NOT_FOUND")


def test_a_corpus_that_fills_the_disk_is_streamed(
    client: TestClient, session: Session, store: Activation, with_room: Any
) -> None:
    session.get_one(Tokenization, store.tokenization_id).n_tokens = 1_000_000
    session.flush()
    with_room(disk=30_000_000)
    ids = {"model_id": str(store.model_id), "dataset_id": str(store.dataset_id)}
    body = {**ids, "layers": [0]}
    refused = client.post("/api/v1/activations/extract", json=body)
    error = error_of(refused, 507, "DISK_FULL", "source is stream")
    a_token = 128 + 8 + 16  # codes, scales, index
    assert error["details"]["proposal"] == {
        "dtype": "int8",
        "max_tokens": 30_000_000 // a_token // 1000 * 1000,
    }
    found = data_of(
        client.post("/api/v1/activations/estimate", json=body | error["details"]["proposal"])
    )
    assert found["fit"] == "fits"


def test_a_streaming_training_without_room_for_the_model_reads_the_store(
    client: TestClient, store: Activation, with_room: Any
) -> None:
    body = body_of(store, source="stream", batch_size=16_384)
    found = data_of(client.post("/api/v1/trainings/estimate", json=body))
    with_room(memory=int(need(found, "memory")["needed_bytes"] * 0.7))
    error = error_of(client.post("/api/v1/trainings", json=body), 409, "OUT_OF_MEMORY", "store")
    assert error["details"]["proposal"] == {"hyperparameters": {"source": "store"}}


def test_predicted_and_measured_stand_side_by_side(
    client: TestClient, session: Session, store: Activation
) -> None:
    created = data_of(client.post("/api/v1/trainings", json=body_of(store)), 201)
    job = session.get_one(Job, created["job_id"])
    assert job.resource_type is ResourceType.TRAINING
    shown = data_of(client.get(f"/api/v1/trainings/{created['training_id']}"))["job"]
    assert shown["estimate"]["memory_bytes"] > history.FIRST_BASE_BYTES
    assert shown["measured"] is None
    for attempt, state in ((1, "paused"), (2, "succeeded")):
        for to in (JobState.STARTING, JobState.RUNNING):
            transition(session, job, to)
        measured = {
                "memory_bytes": 10 * attempt, "gpu_memory_bytes": None, "base_bytes": 5,
                "seconds": 3.0 * attempt,
            }  # fmt: skip
        record_outcome(session, job.id, attempt, Outcome(state, measured=measured))
        if state == "paused":
            transition(session, job, JobState.QUEUED)
    shown = data_of(client.get(f"/api/v1/jobs/{job.id}"))
    assert shown["measured"] == {
        "memory_bytes": 20, "gpu_memory_bytes": None, "base_bytes": 5, "seconds": 9.0,
    }  # fmt: skip
