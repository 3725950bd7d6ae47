"""Dictionaries: what is accepted and refused, how trained and imported ones are shown."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind, JobState, ResourceType, SaeSource, TrainingStatus
from app.db.models import Job, LanguageModel, Training
from app.services.hub import tokens
from app.services.job_lifecycle import transition
from app.services.sae_records import ImportRecord, record_check, record_import
from tests.api.asserts import data_of, error_of, page_of
from tests.factories import make_activation, make_checkpoint, make_model, make_training
from tests.ml.interchange.dictionaries import make

URL = "/api/v1/saes"
PARITY = {
    "n_tokens": 2048, "max_latent_difference": 0.0, "max_latent": 9.0, "active_sets_equal": True,
    "l0": 6.0, "fvu": 0.25, "fvu_source": 0.25, "explained_variance": 0.75,
    "measured_on": "extraction",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of the right names; nothing reads them before the job."""
    made = tmp_path / "foreign"
    made.mkdir()
    for name in ("cfg.json", "sae_weights.safetensors"):
        (made / name).write_text("{}")
    return made


def import_of(client: TestClient, model: LanguageModel, folder: Path, **values: Any) -> Any:
    body = {"model_id": str(model.id), "path": str(folder), **values}
    return client.post(f"{URL}/import", json=body)


def imported(session: Session, client: TestClient, folder: Path) -> Training:
    """An import whose job has run to its end, without a worker."""
    store = make_activation(session)
    model = session.get_one(LanguageModel, store.model_id)
    accepted = data_of(import_of(client, model, folder, name="foreign"), 202)
    training = session.get_one(Training, accepted["resource_id"])
    job = session.get_one(Job, accepted["job_id"])
    origin = {"format": "saelens", "kind": "jumprelu", "notes": [], "parity": PARITY}
    found = ImportRecord(
        2, "residual", "sparse", {"activation": "jumprelu", "d_sae": 40}, store.id, 99, origin, True
    )
    record_import(session, training.id, job.id, found)
    for state in (JobState.STARTING, JobState.RUNNING, JobState.SUCCEEDED):
        transition(session, job, state)
    return training


def test_an_import_is_queued_once_and_shown_while_it_waits(
    client: TestClient, session: Session, folder: Path
) -> None:
    model = make_model(session)
    body = {"model_id": str(model.id), "path": str(folder), "layer": 1}
    key = {"Idempotency-Key": f"import-{uuid4()}"}
    first = client.post(f"{URL}/import", json=body, headers=key)
    accepted = data_of(first, 202)
    assert first.headers["location"] == f"/api/v1/jobs/{accepted['job_id']}"
    again = client.post(f"{URL}/import", json=body, headers=key)
    assert data_of(again, 202)["job_id"] == accepted["job_id"]
    answer = client.get(f"{URL}/{accepted['resource_id']}")
    sae = data_of(answer)
    assert answer.headers["etag"]
    assert (sae["source"], sae["status"], sae["name"]) == ("imported", "initializing", folder.name)
    assert (sae["layer"], sae["n_latents"], sae["checkpoint_step"]) == (None, None, None)
    assert sae["job"]["state"] == "queued"
    training = data_of(client.get(f"/api/v1/trainings/{sae['id']}"))
    assert (training["dataset_id"], training["dataset_name"], training["n_latents"]) == (
        None,
    ) * 2 + (0,)
    error_of(client.get(f"{URL}/{sae['id']}/export"), 409, "NOT_READY", "no weights yet")
    error_of(client.delete(f"{URL}/{sae['id']}"), 409, "CONFLICT", "in use by its import")


@pytest.mark.parametrize(
    ("named", "place"),
    [
        ({"hook_type": "resid_pre", "layer": 2}, (1, "residual")),
        ({"hookType": "resid_post", "layer": 1}, (1, "residual")),
        ({"hook_type": "attn_out"}, (None, "attention")),
        ({"hook_type": "z", "layer": 3}, (3, "z")),
        ({"hook_type": "resid_mid", "layer": 3}, (3, "resid_mid")),
    ],
)
def test_a_place_may_be_named_as_elsewhere(
    client: TestClient, session: Session, folder: Path, named: dict[str, Any], place: Any
) -> None:
    accepted = data_of(import_of(client, make_model(session), folder, **named), 202)
    payload = session.get_one(Job, accepted["job_id"]).payload
    assert (payload["layer"], payload["hook_type"]) == place


def test_what_cannot_be_imported_is_refused_at_once(
    client: TestClient, session: Session, settings: Settings, folder: Path
) -> None:
    model = make_model(session)
    error_of(import_of(client, model, folder, layer=9), 400, "HOOK_POINT_NOT_FOUND", "0 to 3")
    error_of(import_of(client, model, folder, hook_type="logits"), 400, "VALIDATION_ERROR")
    before = import_of(client, model, folder, hook_type="resid_pre", layer=0)
    error_of(before, 400, "VALIDATION_ERROR", "embeddings")
    nowhere = import_of(client, model, folder, hookType="resid_pre")
    error_of(nowhere, 400, "VALIDATION_ERROR", "needs a layer")
    error_of(import_of(client, model, folder / "cfg.json"), 400, "SAE_FORMAT_INVALID", "by itself")
    error_of(import_of(client, model, folder.parent), 400, "SAE_FORMAT_INVALID", folder.name)
    error_of(import_of(client, model, settings.home), 400, "VALIDATION_ERROR", "own files")
    store = make_activation(session)
    named = {"activation_id": str(store.id)}
    error_of(import_of(client, model, folder, **named), 400, "VALIDATION_ERROR", "another model")
    body = {"model_id": str(uuid4()), "path": str(folder)}
    error_of(client.post(f"{URL}/import", json=body), 404, "NOT_FOUND")
    for subfolder in ("../other", "/etc", "a/../../b"):
        body = {"model_id": str(model.id), "repo_id": "org/saes", "subfolder": subfolder}
        error_of(client.post(f"{URL}/download", json=body), 400, "VALIDATION_ERROR")


def test_a_downloads_token_is_in_no_row(
    client: TestClient, session: Session, settings: Settings
) -> None:
    body = {
        "model_id": str(make_model(session).id), "repo_id": "org/saes",
        "subfolder": "layer_2/width_16k", "access_token": "hf_s3cret",
    }  # fmt: skip
    accepted = data_of(client.post(f"{URL}/download", json=body), 202)
    job = session.get_one(Job, accepted["job_id"])
    assert "hf_s3cret" not in json.dumps(job.payload)
    assert tokens.read(settings, job.id) == "hf_s3cret"
    tokens.forget(settings, job.id)
    assert data_of(client.get(f"{URL}/{job.resource_id}"))["name"] == "org/saes/layer_2/width_16k"


def test_trained_and_imported_ones_stand_in_one_list(
    client: TestClient, session: Session, folder: Path
) -> None:
    training = imported(session, client, folder)
    store = make_activation(session, session.get_one(LanguageModel, training.model_id))
    trained = make_training(session, store, name="mine")
    make_training(session, store, name="nothing saved yet")
    for step, quality in ((50, 0.9), (100, 0.8)):
        metadata = {"quality": quality, "quality_split": "heldout", "reason": "interval"}
        make_checkpoint(session, trained, step, metadata_=metadata)
    rows, _ = page_of(client.get(f"{URL}?model_id={training.model_id}&sort_by=name"))
    assert [row["name"] for row in rows] == ["mine", "foreign"]
    mine, foreign = rows
    assert (mine["checkpoint_step"], mine["best_step"], mine["explained_variance"]) == (
        100,
        50,
        0.8,
    )
    assert (mine["k"], mine["n_latents"], mine["import_parity"]) == (8, 1024, None)
    assert (foreign["status"], foreign["layer"], foreign["n_latents"]) == ("completed", 2, 40)
    assert (foreign["activation"], foreign["k"], foreign["checkpoint_step"]) == (
        "jumprelu",
        None,
        0,
    )
    assert foreign["origin"]["path"] == str(folder)
    assert foreign["import_parity"] == PARITY
    for source, names in (("trained", ["mine"]), ("imported", ["foreign"])):
        rows, _ = page_of(client.get(f"{URL}?model_id={training.model_id}&source={source}"))
        assert [row["name"] for row in rows] == names


def test_an_imported_one_is_measured_and_not_trained_on(
    client: TestClient, session: Session, folder: Path
) -> None:
    training = imported(session, client, folder)
    path = f"/api/v1/trainings/{training.id}"
    [checkpoint] = data_of(client.get(f"{path}/checkpoints"))
    load = client.post(f"{path}/checkpoints/{checkpoint['id']}/load")
    error_of(load, 409, "CONFLICT", "cannot be trained on")
    delete = client.delete(f"{path}/checkpoints/{checkpoint['id']}")
    error_of(delete, 409, "CONFLICT", "delete the dictionary")
    error_of(client.post(f"{path}/resume"), 409, "ILLEGAL_TRANSITION", "was imported")
    jobs, _ = page_of(client.get(f"/api/v1/jobs?resource_id={training.id}"))
    waiting = next(job for job in jobs if job["kind"] == "training_evaluate")
    assert waiting["state"] == "queued"
    assert session.get_one(Job, waiting["id"]).waits_for is None  # the import has given its result


def with_files(session: Session, settings: Settings, kind: str) -> Training:
    made = make(kind)
    training = make_training(session, name=f"my {kind}/1")
    row = make_checkpoint(session, training, 100)
    made.save(settings.data_root / row.file_path)
    return training


def test_an_export_is_a_saelens_folder_with_its_proof(
    client: TestClient, session: Session, settings: Settings
) -> None:
    training = with_files(session, settings, "topk")
    record_check(session, training.id, 100, PARITY)
    answer = client.get(f"{URL}/{training.id}/export?step=100")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert 'filename="my-topk-1-step100.zip"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert set(archive.namelist()) == {"cfg.json", "sae_weights.safetensors", "parity.json"}
        report = json.loads(archive.read("parity.json"))
        config = json.loads(archive.read("cfg.json"))
    assert report == {
        "checkpoint_step": 100, "export": PARITY, "import": None, "origin": None,
    }  # fmt: skip
    assert (
        config["metadata"]["model_name"] == session.get_one(LanguageModel, training.model_id).name
    )
    assert data_of(client.get(f"{URL}/{training.id}"))["export_parity"] == PARITY


def test_an_export_that_cannot_be_is_refused_before_any_job(
    client: TestClient, session: Session, settings: Settings
) -> None:
    training = with_files(session, settings, "skip")
    url = f"{URL}/{training.id}/export"
    metadata = settings.data_root / f"checkpoints/{training.id}/step_100/metadata.json"
    metadata.write_text(json.dumps(json.loads(metadata.read_text()) | {"activation": "topk"}))
    error_of(client.get(url), 409, "EXPORT_UNSUPPORTED", "no topk dictionary with a skip path")
    metadata.unlink()
    error_of(client.get(url), 409, "CHECKPOINT_INVALID", "missing or damaged")
    error_of(client.get(f"{url}?step=7"), 404, "NOT_FOUND", "no checkpoint of step 7")
    error_of(client.get(f"{URL}/{uuid4()}/export"), 404, "NOT_FOUND")
    assert session.query(Job).filter(Job.kind == JobKind.SAE_CHECK).count() == 0


def test_deleting_one_deletes_its_training(client: TestClient, session: Session) -> None:
    training = make_training(session, status=TrainingStatus.COMPLETED)
    error_of(client.delete(f"{URL}/{training.id}"), 404, "NOT_FOUND", "not saved a checkpoint")
    make_checkpoint(session, training, 100)
    accepted = data_of(client.delete(f"{URL}/{training.id}"), 202)
    job = session.get_one(Job, accepted["job_id"])
    assert (job.kind, job.resource_type) == (JobKind.TRAINING_DELETE, ResourceType.TRAINING)
    assert training.source is SaeSource.TRAINED
