from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.enums import (
    ActivationStatus,
    DatasetStatus,
    JobKind,
    JobState,
    ModelStatus,
    ResourceType,
    TokenizationStatus,
    TrainingStatus,
)
from app.db.models import Activation, Job, LanguageModel
from app.services.activation_records import record_extraction
from tests.api.asserts import data_of, error_of, page_of
from tests.factories import (
    make_activation,
    make_dataset,
    make_job,
    make_model,
    make_tokenization,
    make_training,
)
from tests.factories.rows import CARD

URL = "/api/v1/activations"


def body_for(session: Session, **values: Any) -> dict[str, Any]:
    model, dataset = make_model(session), make_dataset(session)
    ids = {"model_id": str(model.id), "dataset_id": str(dataset.id)}
    return {**ids, "layers": [1, 2], **values}


def test_extracting_without_tokens_plans_to_tokenise_first(
    client: TestClient, session: Session
) -> None:
    body = body_for(session, max_tokens=5000)
    accepted = data_of(client.post(f"{URL}/extract", json=body), 202)
    read = data_of(client.get(f"{URL}/{accepted['resource_id']}"))
    assert (read["status"], read["layers"], read["hook_types"]) == ("queued", [1, 2], ["residual"])
    assert read["config"]["max_tokens"] == 5000
    [row] = data_of(client.get(f"/api/v1/datasets/{body['dataset_id']}/tokenizations"))
    assert (row["id"], row["status"]) == (read["tokenization_id"], "queued")
    assert row["metadata"]["max_length"] == 128
    assert session.get_one(Job, accepted["job_id"]).queue == "extraction"


def test_extracting_takes_the_latest_tokens_or_the_named_ones(
    client: TestClient, session: Session
) -> None:
    model, dataset = make_model(session), make_dataset(session)
    make_tokenization(session, dataset, model, status=TokenizationStatus.ERROR)
    named = make_tokenization(session, dataset, model)
    body = {"model_id": str(model.id), "dataset_id": str(dataset.id), "layers": [0]}
    accepted = data_of(client.post(f"{URL}/extract", json=body), 202)
    read = data_of(client.get(f"{URL}/{accepted['resource_id']}"))
    assert read["tokenization_id"] == str(named.id)
    body["tokenization_id"] = str(named.id)
    data_of(client.post(f"{URL}/extract", json=body), 202)
    named.status = TokenizationStatus.RUNNING
    session.flush()
    error_of(client.post(f"{URL}/extract", json=body), 409, "NOT_READY", "running")
    body["tokenization_id"] = str(make_activation(session).tokenization_id)
    error_of(client.post(f"{URL}/extract", json=body), 404, "NOT_FOUND", "chosen dataset and model")


def test_a_layer_that_does_not_exist_names_the_valid_range(
    client: TestClient, session: Session
) -> None:
    response = client.post(f"{URL}/extract", json=body_for(session, layers=[2, 9]))
    error = error_of(response, 400, "HOOK_POINT_NOT_FOUND", "Its layers are 0 to 3")
    assert error["details"]["constraints"] == {"min": 0, "max": 3}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"layers": []}, "layers"),
        ({"layers": [1, 1]}, "layers"),
        ({"layers": [-1]}, "layers"),
        ({"layers": "all"}, "layers"),
        ({"hook_types": ["logits"]}, "hook_types"),
        ({"hook_types": []}, "hook_types"),
        ({"batch_size": 0}, "batch_size"),
        ({"dtype": "int4"}, "dtype"),
        ({"max_tokens": 10}, "max_tokens"),
        ({"speed": "fast"}, "speed"),
    ],
)
def test_bad_settings_name_their_field(
    client: TestClient, session: Session, values: dict[str, Any], field: str
) -> None:
    response = client.post(f"{URL}/extract", json=body_for(session, **values))
    error = error_of(response, 400, "VALIDATION_ERROR")
    assert any(field in item["field"] for item in error["details"]["errors"])


def test_a_place_that_the_blocks_lack_is_refused_at_once(
    client: TestClient, session: Session
) -> None:
    """Attention and MLP of parallel blocks read the same stream, so nothing lies between them."""
    offered = ["residual", "mlp", "attention", "z", "mlp_input"]
    model = make_model(session, metadata_=CARD | {"hook_types": offered, "d_z": 128})
    body = body_for(session, model_id=str(model.id), hook_types=["z", "resid_mid"])
    error = error_of(client.post(f"{URL}/extract", json=body), 400, "HOOK_POINT_NOT_FOUND")
    assert "side by side" in error["message"]
    assert error["details"]["choices"] == offered
    shown = data_of(client.get(f"/api/v1/models/{model.id}/architecture"))
    assert shown["hook_types"] == offered
    data_of(client.post(f"{URL}/extract", json=body | {"hook_types": ["z"]}), 202)


def test_a_wider_place_takes_more_disk(client: TestClient, session: Session) -> None:
    model = make_model(session, metadata_=CARD | {"d_z": 256})
    dataset = make_dataset(session, metadata_={"statistics": {"n_characters": 400_000}})
    ids = {"model_id": str(model.id), "dataset_id": str(dataset.id)}
    sizes = []
    for hook_types in (["residual"], ["z"], ["residual", "z"]):
        body = ids | {"layers": [1], "hook_types": hook_types, "max_tokens": 10_000}
        found = data_of(client.post(f"{URL}/estimate", json=body))
        [disk] = [need for need in found["resources"] if need["name"] == "disk"]
        [stored] = [part for part in disk["parts"] if part["name"] == "activations"]
        sizes.append(stored["size_bytes"])
    residual, heads, both = (size - 16 * 10_000 for size in sizes)
    assert (residual, heads, both) == tuple(2 * 10_000 * width for width in (128, 256, 384))


def test_an_extraction_tells_the_width_of_the_heads(session: Session) -> None:
    """Of models that were imported before anybody asked for it."""
    store = make_activation(session)
    hooks = [{"hook_type": "residual", "d_model": 128}, {"hook_type": "z", "d_model": 192}]
    record_extraction(session, store.id, {"n_tokens": 5, "size_bytes": 6, "hooks": hooks})
    assert session.get_one(LanguageModel, store.model_id).metadata_["d_z"] == 192


def test_model_and_dataset_must_be_there_and_ready(client: TestClient, session: Session) -> None:
    body = body_for(session)
    missing = {**body, "dataset_id": str(uuid4())}
    error_of(client.post(f"{URL}/extract", json=missing), 404, "NOT_FOUND", "This dataset")
    loading = make_model(session, status=ModelStatus.LOADING)
    response = client.post(f"{URL}/extract", json={**body, "model_id": str(loading.id)})
    error_of(response, 409, "NOT_READY", "still loading")
    failed = make_dataset(session, status=DatasetStatus.ERROR)
    response = client.post(f"{URL}/extract", json={**body, "dataset_id": str(failed.id)})
    error_of(response, 409, "NOT_READY", "delete it and try again")


@pytest.mark.parametrize("kind", ["model", "dataset"])
def test_nothing_is_built_on_what_is_being_deleted(
    client: TestClient, session: Session, kind: str
) -> None:
    body = body_for(session)
    data_of(client.delete(f"/api/v1/{kind}s/{body[f'{kind}_id']}"), 202)
    error_of(client.post(f"{URL}/extract", json=body), 409, "NOT_READY", "is being deleted")


def test_listing_by_model_and_status(client: TestClient, session: Session) -> None:
    store = make_activation(session)
    make_activation(session, status=ActivationStatus.ERROR)
    rows, pagination = page_of(client.get(f"{URL}?model_id={store.model_id}"))
    assert [row["id"] for row in rows] == [str(store.id)]
    assert rows[0]["progress"] == 100
    assert page_of(client.get(f"{URL}?status=error"))[1]["total"] == 1
    assert pagination["total"] == 1
    error_of(client.get(f"{URL}?sort_by=odd"), 400, "VALIDATION_ERROR", "Choose one of")


def test_deleting(client: TestClient, session: Session) -> None:
    store = make_activation(session)
    accepted = data_of(client.delete(f"{URL}/{store.id}"), 202)
    assert session.get_one(Job, accepted["job_id"]).kind == "activation_delete"
    error_of(client.delete(f"{URL}/{store.id}"), 409, "CONFLICT")
    error_of(client.delete(f"{URL}/{uuid4()}"), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("status", "is_refused"),
    [(TrainingStatus.PAUSED, True), (TrainingStatus.TRAINING, True),
     (TrainingStatus.COMPLETED, False), (TrainingStatus.ERROR, False)],
)  # fmt: skip
def test_a_store_is_kept_for_trainings_that_have_not_ended(
    client: TestClient, session: Session, status: TrainingStatus, is_refused: bool
) -> None:
    store = make_activation(session)
    make_training(session, store, name="reader", status=status)
    response = client.delete(f"{URL}/{store.id}")
    if is_refused:
        error_of(response, 409, "CONFLICT", '"reader"')
    else:
        data_of(response, 202)


def test_a_store_that_is_read_by_a_discovery_is_kept(client: TestClient, session: Session) -> None:
    store: Activation = make_activation(session)
    training = make_training(session, store)
    make_job(session, JobKind.FEATURE_EXTRACT, JobState.RUNNING, ResourceType.TRAINING, training.id)
    error_of(client.delete(f"{URL}/{store.id}"), 409, "CONFLICT", "a feature discovery (running)")
