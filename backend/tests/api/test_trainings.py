from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.enums import ActivationStatus, JobKind, JobState, ResourceType, TrainingStatus
from app.db.models import Activation, Dataset, Job, LanguageModel, Training
from tests.api.asserts import data_of, error_of, page_of
from tests.factories import (
    make_activation,
    make_feature,
    make_job,
    make_metrics,
    make_training,
)

URL = "/api/v1/trainings"


def body_for(store: Activation, **values: Any) -> dict[str, Any]:
    ids = {"model_id": str(store.model_id), "dataset_id": str(store.dataset_id)}
    return {**ids, **values}


def run_of(session: Session, training: Training, state: JobState, **values: Any) -> Job:
    return make_job(
        session, JobKind.TRAINING_RUN, state, ResourceType.TRAINING, training.id, **values
    )


def test_creating_takes_the_latest_store_and_the_recipes_defaults(
    client: TestClient, session: Session
) -> None:
    store = make_activation(session)
    body = body_for(store, hyperparameters={"k": 4, "trainingSteps": 50})
    created = data_of(client.post(URL, json=body), 201)
    assert created["status"] == "initializing"
    read = data_of(client.get(f"{URL}/{created['training_id']}"))
    assert (read["activation_id"], read["layer"], read["total_steps"]) == (str(store.id), 2, 50)
    assert (read["n_latents"], read["hyperparameters"]["k"]) == (8 * 128, 4)
    assert read["hyperparameters"]["lr_schedule"] == "trapezoid"
    assert read["job"]["id"] == created["job_id"]
    assert session.get_one(Job, created["job_id"]).queue == "training"


def test_creating_on_a_named_store(client: TestClient, session: Session) -> None:
    store = make_activation(session, layers=[1, 3])
    body = body_for(store, activation_id=str(store.id), layer=3, name="mine")
    created = data_of(client.post(URL, json=body), 201)
    read = data_of(client.get(f"{URL}/{created['training_id']}"))
    assert (read["layer"], read["name"]) == (3, "mine")
    body.pop("layer")
    error_of(
        client.post(URL, json=body), 400, "VALIDATION_ERROR", "one of the store's layers: 1, 3"
    )
    body["layer"] = 0
    error_of(client.post(URL, json=body), 400, "HOOK_POINT_NOT_FOUND", "It holds: 1, 3")
    wrong = {**body, "layer": 1, "hook_type": "mlp"}
    error_of(client.post(URL, json=wrong), 400, "HOOK_POINT_NOT_FOUND", "holds no 'mlp'")
    other = body_for(make_activation(session), activation_id=str(store.id))
    error_of(client.post(URL, json=other), 400, "VALIDATION_ERROR", "another model or dataset")


def test_a_transcoder_needs_both_places_in_one_store(client: TestClient, session: Session) -> None:
    half = make_activation(session, hook_types=["residual", "mlp_input"])
    body = body_for(half, encoder_type="transcoder", hyperparameters={"skip": True})
    error_of(client.post(URL, json=body), 409, "NOT_READY", "mlp_input and mlp")
    named = {**body, "activation_id": str(half.id)}
    error_of(client.post(URL, json=named), 400, "HOOK_POINT_NOT_FOUND", "holds no 'mlp'")
    whole = make_activation(
        session,
        session.get_one(LanguageModel, half.model_id),
        session.get_one(Dataset, half.dataset_id),
        hook_types=["mlp_input", "mlp"],
    )
    created = data_of(client.post(URL, json=body), 201)
    read = data_of(client.get(f"{URL}/{created['training_id']}"))
    assert (read["activation_id"], read["encoder_type"]) == (str(whole.id), "transcoder")
    assert (read["hook_type"], read["target_hook_type"]) == ("mlp_input", "mlp")


def test_heads_are_as_wide_as_they_are(client: TestClient, session: Session) -> None:
    """Together they may be wider than the stream: latents are counted from their width."""
    store = make_activation(session, hook_types=["residual", "z"])
    model = session.get_one(LanguageModel, store.model_id)
    model.metadata_ = model.metadata_ | {"d_z": 256}
    for hook_type, n_latents in (("residual", 1024), ("z", 2048)):
        body = body_for(store, hook_type=hook_type, hyperparameters={"expansion_factor": 8})
        created = data_of(client.post(URL, json=body), 201)
        read = data_of(client.get(f"{URL}/{created['training_id']}"))
        assert (read["hook_type"], read["n_latents"]) == (hook_type, n_latents)


def test_resid_pre_is_the_stream_after_the_block_before(
    client: TestClient, session: Session
) -> None:
    store = make_activation(session, layers=[1, 3])
    body = body_for(store, layer=2, hook_type="resid_pre")
    created = data_of(client.post(URL, json=body), 201)
    read = data_of(client.get(f"{URL}/{created['training_id']}"))
    assert (read["layer"], read["hook_type"]) == (1, "residual")
    first = {**body, "layer": 0}
    error_of(client.post(URL, json=first), 400, "VALIDATION_ERROR", "are the embeddings")


def test_without_activations_one_is_told_to_extract_first(
    client: TestClient, session: Session
) -> None:
    store = make_activation(session, status=ActivationStatus.EXTRACTING)
    error_of(client.post(URL, json=body_for(store)), 409, "NOT_READY", "Extract them first")
    named = body_for(store, activation_id=str(store.id))
    error_of(client.post(URL, json=named), 409, "NOT_READY", "still extracting")
    ready = make_activation(session)
    error_of(client.post(URL, json=body_for(ready, layer=1)), 409, "NOT_READY", "at layer 1")
    error_of(client.post(URL, json=body_for(ready, layer=7)), 400, "HOOK_POINT_NOT_FOUND", "0 to 3")
    error_of(client.post(URL, json=body_for(ready, model_id=str(uuid4()))), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"hyperparameters": {"k": 2000}}, "k", "must not exceed the 1024 latents"),
        ({"hyperparameters": {"d_sae": 16, "k": 17}}, "k", "must not exceed the 16 latents"),
        ({"hyperparameters": {"learning_rate": 50}}, "learning_rate", ""),
        ({"hyperparameters": {"batch_size": 0}}, "batch_size", ""),
        ({"hyperparameters": {"warmup_steps": 99, "training_steps": 9}}, "warmup_steps", ""),
        ({"hyperparameters": {"colour": "red"}}, "colour", ""),
        ({"encoder_type": "dense"}, "encoder_type", ""),
        ({"encoder_type": "transcoder", "hook_type": "residual"}, "hook_type", "mlp_input"),
        ({"encoder_type": "skip", "hyperparameters": {"skip_rank": 65}}, "skip_rank", "exceed 64"),
        ({"hyperparameters": {"skip": True}}, "skip", "needs encoder type skip"),
        ({"hyperparameters": {"matryoshka_sizes": [64, 32]}}, "matryoshka_sizes", "must rise"),
        ({"hyperparameters": {"matryoshka_sizes": [2048]}}, "matryoshka_sizes", "1024 latents"),
        ({"hyperparameters": {"learning_rate": -1e-4}}, "learning_rate", ""),
    ],
)
def test_bad_hyperparameters_name_their_field(
    client: TestClient, session: Session, values: dict[str, Any], field: str, sentence: str
) -> None:
    response = client.post(URL, json=body_for(make_activation(session), **values))
    error = error_of(response, 400, "VALIDATION_ERROR", sentence)
    assert any(item["field"].endswith(field) for item in error["details"]["errors"])


def test_listing(client: TestClient, session: Session) -> None:
    first = make_training(session, name="first", status=TrainingStatus.PAUSED)
    make_training(session, name="second")
    rows, pagination = page_of(client.get(f"{URL}?sort_by=name&order=asc"))
    assert [row["name"] for row in rows] == ["first", "second"]
    assert pagination["limit"] == 20
    assert [r["id"] for r in page_of(client.get(f"{URL}?status=paused"))[0]] == [str(first.id)]
    assert [r["id"] for r in page_of(client.get(f"{URL}?search=FIRS"))[0]] == [str(first.id)]
    assert page_of(client.get(f"{URL}?model_id={first.model_id}"))[1]["total"] == 1
    error_of(client.get(f"{URL}/{uuid4()}"), 404, "NOT_FOUND", "This training")


def test_a_training_shows_newest_point_figures_and_counts(
    client: TestClient, session: Session
) -> None:
    figure = {"key": "l0", "label": "L0", "value": 8.0, "unit": "", "definition": "d",
              "n_tokens": 9}  # fmt: skip
    training = make_training(session, evaluation={"figures": [figure], "raw": {"l0": 8.0}})
    make_metrics(session, training, [1, 10, 20])
    make_feature(session, training, 0)
    run_of(session, training, JobState.SUCCEEDED)
    make_job(session, JobKind.FEATURE_EXTRACT, JobState.RUNNING, ResourceType.TRAINING, training.id)
    read = data_of(client.get(f"{URL}/{training.id}"))
    assert read["latest_metrics"]["step"] == 20
    assert read["evaluation"]["figures"][0].items() >= figure.items()
    assert (read["n_features"], read["progress"]) == (1, 100)
    assert read["job"]["kind"] == "training_run"
    assert read["discovery_job"]["kind"] == "feature_extract"


def test_metrics_are_cut_and_thinned(client: TestClient, session: Session) -> None:
    training = make_training(session)
    make_metrics(session, training, list(range(1, 101)))
    url = f"{URL}/{training.id}/metrics"
    assert [p["step"] for p in data_of(client.get(url))] == list(range(1, 101))
    steps = [p["step"] for p in data_of(client.get(f"{url}?start_step=10&end_step=12"))]
    assert steps == [10, 11, 12]
    thinned = [p["step"] for p in data_of(client.get(f"{url}?max_points=10"))]
    assert len(thinned) <= 11
    assert (thinned[0], thinned[-1]) == (1, 100)
    error_of(client.get(f"{url}?max_points=1"), 400, "VALIDATION_ERROR")
    error_of(client.get(f"{URL}/{uuid4()}/metrics"), 404, "NOT_FOUND")


def test_pausing_stopping_and_resuming_a_queued_training(
    client: TestClient, session: Session
) -> None:
    created = data_of(client.post(URL, json=body_for(make_activation(session))), 201)
    url = f"{URL}/{created['training_id']}"
    assert data_of(client.post(f"{url}/pause"))["status"] == "paused"
    assert data_of(client.post(f"{url}/pause"))["status"] == "paused"
    resumed = data_of(client.post(f"{url}/resume"))
    assert (resumed["status"], resumed["job"]["state"]) == ("initializing", "queued")
    assert data_of(client.post(f"{url}/stop"))["status"] == "stopped"
    error_of(client.post(f"{url}/pause"), 409, "ILLEGAL_TRANSITION", "nothing to pause")
    error_of(client.post(f"{url}/resume"), 409, "ILLEGAL_TRANSITION", "Load a checkpoint")


def test_a_running_training_is_flagged(client: TestClient, session: Session) -> None:
    training = make_training(session, status=TrainingStatus.TRAINING)
    job = run_of(session, training, JobState.RUNNING)
    read = data_of(client.post(f"{URL}/{training.id}/pause"))
    assert (read["status"], read["job"]["requested"]) == ("training", "pause")
    error = error_of(client.post(f"{URL}/{training.id}/resume"), 409, "NOT_READY", "still saving")
    assert error["retryable"]
    data_of(client.post(f"{URL}/{training.id}/stop"))
    session.refresh(job)
    assert job.requested == "stop"


def test_a_failed_training_is_resumed_by_a_new_run(client: TestClient, session: Session) -> None:
    training = make_training(session, status=TrainingStatus.ERROR, error_message="worker lost")
    run_of(session, training, JobState.FAILED)
    read = data_of(client.post(f"{URL}/{training.id}/resume"))
    assert (read["status"], read["error_message"]) == ("initializing", None)
    assert read["job"]["state"] == "queued"


@pytest.mark.parametrize("action", ["pause", "resume", "stop"])
def test_an_unknown_training(client: TestClient, action: str) -> None:
    error_of(client.post(f"{URL}/{uuid4()}/{action}"), 404, "NOT_FOUND")


def test_deleting_needs_an_end_or_a_pause(client: TestClient, session: Session) -> None:
    running = make_training(session, name="busy", status=TrainingStatus.TRAINING)
    run_of(session, running, JobState.RUNNING)
    error_of(client.delete(f"{URL}/{running.id}"), 409, "CONFLICT", "a training run (running)")
    paused = make_training(session, status=TrainingStatus.PAUSED)
    job = run_of(session, paused, JobState.PAUSED)
    accepted = data_of(client.delete(f"{URL}/{paused.id}"), 202)
    session.refresh(job)
    assert job.state == "cancelled"
    assert session.get_one(Job, accepted["job_id"]).kind == "training_delete"
    error_of(client.delete(f"{URL}/{uuid4()}"), 404, "NOT_FOUND")
