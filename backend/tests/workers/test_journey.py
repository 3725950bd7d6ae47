"""From a model and a text to a steered one, through REST, the queues and real workers."""

import io
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pyarrow
import pyarrow.parquet
import pytest
from sqlalchemy import select, update
from transformers import XLMConfig, XLMWithLMHeadModel

from app.db.models import Feature, FeatureActivation
from app.db.repositories import features
from tests.fixtures.invariants import (
    canary_in_database,
    canary_in_environments,
    canary_in_files,
)
from tests.fixtures.rig import wait_for
from tests.fixtures.stack import ENDLESS_STEPS, GLASS_EN, STEPS, Prepared, Stack

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def feature(stack: Stack, reference: str) -> dict[str, Any]:
    """The feature that fires most strongly."""
    body = {"training_id": reference, "examples_per_feature": 5, "coherence_features": 0}
    stack.succeed(stack.post("/features/extract", body))
    best: dict[str, Any] = stack.get(
        f"/features?training_id={reference}&sort_by=max_activation&limit=1"
    )[0]
    return best


def test_the_model_and_the_corpus_were_read(stack: Stack, prepared: Prepared) -> None:
    model = stack.get(f"/models/{prepared.model_id}")
    assert (model["status"], model["n_layers"], model["d_model"]) == ("ready", 4, 128)
    dataset = stack.get(f"/datasets/{prepared.dataset_id}")
    assert (dataset["status"], dataset["n_documents"]) == ("ready", 80)
    assert dataset["tokenizations"][0]["status"] == "ready"
    stats = stack.get(f"/datasets/{prepared.dataset_id}/stats")
    assert stats["n_train_documents"] + stats["n_held_out_documents"] == 80
    assert sum(bucket["count"] for bucket in stats["token_histogram"]) == 80


def test_the_activations_are_counted(stack: Stack, prepared: Prepared) -> None:
    store = stack.get(f"/activations/{prepared.activation_id}")
    assert store["status"] == "ready"
    assert 30_000 < store["n_tokens"] <= 41_000
    assert store["metadata"]["tokens_per_second"] > 0
    folder = stack.settings.data_root / "activations" / prepared.activation_id
    assert (folder / "L2_residual" / "shard_00000.npy").is_file()


def test_a_paused_training_ends_with_held_out_figures(stack: Stack, reference: str) -> None:
    training = stack.get(f"/trainings/{reference}")
    assert (training["status"], training["current_step"]) == ("completed", STEPS)
    figures = {figure["key"]: figure for figure in training["evaluation"]["figures"]}
    assert figures["explained_variance"]["value"] > 0.6
    assert figures["ce_recovered_zero"]["n_tokens"] > 0
    steps = [point["step"] for point in stack.get(f"/trainings/{reference}/metrics")]
    assert set(steps) >= {1, *range(10, STEPS + 1, 10)}
    assert steps == sorted(set(steps))
    assert training["job"]["state"] == "succeeded"


@pytest.mark.parametrize("kind", ["trainings", "activations"])
def test_memory_was_foreseen_to_a_quarter(
    kind: str, stack: Stack, prepared: Prepared, reference: str
) -> None:
    resource = {"trainings": reference, "activations": prepared.activation_id}[kind]
    job = stack.get(f"/{kind}/{resource}")["job"]
    foreseen, took = job["estimate"], job["measured"]
    assert took["memory_bytes"] == pytest.approx(foreseen["memory_bytes"], rel=0.25)
    assert took["seconds"] > 0
    assert foreseen["seconds"] > 0
    assert "this machine" in foreseen["time_source"]


def test_features_have_contexts_and_a_lens(stack: Stack, feature: dict[str, Any]) -> None:
    examples = stack.get(f"/features/{feature['id']}/activations")
    assert len(examples) == 5
    strongest = [example["max_activation"] for example in examples]
    assert strongest == sorted(strongest, reverse=True)
    assert strongest[0] == pytest.approx(feature["max_activation"], rel=1e-3)
    lens = stack.get(f"/features/{feature['id']}/logit-lens")
    assert lens["top"][0]["logit"] > 0 > lens["bottom"][0]["logit"]


def test_a_second_discovery_keeps_what_a_person_wrote(
    stack: Stack, reference: str, feature: dict[str, Any]
) -> None:
    stack.call("PATCH", f"/features/{feature['id']}", json={"name": "mine", "is_favorite": True})
    body = {"training_id": reference, "examples_per_feature": 3, "coherence_features": 0}
    stack.succeed(stack.post("/features/extract", body))
    again = stack.get(f"/features/{feature['id']}")
    assert (again["name"], again["is_favorite"], again["n_examples"]) == ("mine", True, 3)
    assert again["max_activation"] == feature["max_activation"]


def test_what_is_stored_of_features_is_recomputed(
    stack: Stack, reference: str, feature: dict[str, Any]
) -> None:
    accepted = stack.post("/features/audit", {"training_id": reference, "examples": 40})
    audit = stack.finish(accepted["job_id"])["result"]
    assert (audit["n_checked"], audit["wrong"]) == (40, [])
    assert 0 < audit["largest_error"] < audit["tolerance"]
    move_contexts(stack, reference, 1_000_000)
    accepted = stack.post("/features/audit", {"training_id": reference, "examples": 5})
    audit = stack.finish(accepted["job_id"])["result"]
    move_contexts(stack, reference, -1_000_000)
    assert (audit["n_checked"], audit["n_wrong"], len(audit["wrong"])) == (5, 5, 5)


def move_contexts(stack: Stack, training_id: str, by: int) -> None:
    """Say of every context that it is from another document."""
    with stack.session() as session:
        ids = select(Feature.id).where(Feature.training_id == UUID(training_id))
        ours = FeatureActivation.feature_id.in_(ids)
        moved = {"document": FeatureActivation.document + by}
        session.execute(update(FeatureActivation).where(ours).values(moved))
        session.commit()


def test_steering_changes_the_text_and_proves_it(
    stack: Stack, prepared: Prepared, feature: dict[str, Any]
) -> None:
    body = {
        "model_id": prepared.model_id,
        "prompt": "Alice was",
        "features": [{"id": feature["id"], "coefficient": 3.0}],
        "max_new_tokens": 20,
    }
    first, second = stack.post("/steering/generate", body), stack.post("/steering/generate", body)
    assert first["steered_output"]["text"] != first["unsteered_output"]["text"]
    assert first["proof"]["positions_touched"] > 0
    figures = {figure["key"]: figure["value"] for figure in first["metrics"]}
    assert figures["kl_mean"] > 0
    assert all(figure["definition"] for figure in first["metrics"])
    assert second["steered_output"] == first["steered_output"]
    assert first["intervention_layer"] == 2


def test_loading_an_earlier_checkpoint_trains_to_the_same_end(
    stack: Stack, reference: str, feature: dict[str, Any]
) -> None:
    path = f"/trainings/{reference}"
    before = stack.get(path)["latest_metrics"]["loss"]
    checkpoints = stack.get(f"{path}/checkpoints")
    loaded = stack.post(f"{path}/checkpoints/{checkpoints[-1]['id']}/load")
    assert loaded["current_step"] == checkpoints[-1]["step"] < STEPS
    assert stack.finish(loaded["job"]["id"])["state"] == "succeeded"
    assert stack.get(path)["latest_metrics"]["loss"] == before


def test_a_training_streams_from_the_model(
    stack: Stack, prepared: Prepared, reference: str
) -> None:
    created = stack.post("/trainings", prepared.training(source="stream", training_steps=40))
    assert stack.finish(created["job_id"])["state"] == "succeeded"
    training = stack.get(f"/trainings/{created['training_id']}")
    assert (training["status"], training["hyperparameters"]["source"]) == ("completed", "stream")
    figures = {figure["key"]: figure["value"] for figure in training["evaluation"]["figures"]}
    assert figures["explained_variance"] > 0.4


def measured_step(stack: Stack, training_id: str) -> int:
    """Measure a training's features; the step of the checkpoint that was read."""
    settings = {
        "examples_per_feature": 1,
        "coherence_features": 0,
        "max_tokens": 1000,
        "layout": "none",
    }
    stack.succeed(stack.post("/features/extract", settings | {"training_id": training_id}))
    with stack.session() as session:
        return features.checkpoint_step(session, UUID(training_id)) or 0


def test_stopping_early_still_measures(stack: Stack, prepared: Prepared) -> None:
    body = prepared.training(training_steps=ENDLESS_STEPS, checkpoint_every=0)
    created = stack.post("/trainings", body)
    path = f"/trainings/{created['training_id']}"
    stack.wait_until(path, lambda t: t["current_step"] > 0)
    stack.post(f"{path}/checkpoints")
    saved = stack.wait_until(f"{path}/checkpoints", bool)
    assert saved[0]["step"] < ENDLESS_STEPS
    # Its features are measured meanwhile, and measured again from a later checkpoint.
    first = measured_step(stack, created["training_id"])
    stack.post(f"{path}/checkpoints")
    stack.wait_until(f"{path}/checkpoints", lambda found: found[0]["step"] > first)
    assert measured_step(stack, created["training_id"]) > first
    assert stack.get(path)["status"] == "training"
    stack.post(f"{path}/stop")
    stopped = stack.wait_until(path, lambda t: t["status"] == "stopped")
    assert stopped["evaluation"]["figures"]
    stack.succeed(stack.call("DELETE", path))
    assert stack.client.get(path).status_code == 404
    assert not (stack.settings.data_root / "checkpoints" / created["training_id"]).exists()


@pytest.mark.fault(22)
def test_downloads_from_a_hub_leave_the_token_nowhere(stack: Stack) -> None:
    files = {path.name: path.read_bytes() for path in GLASS_EN.iterdir() if path.suffix != ".py"}
    stack.hub.add("models", "org/glass", files, token="hf_s3cret")
    buffer = io.BytesIO()
    table = pyarrow.table({"text": [f"A tale about number {n}." for n in range(50)]})
    pyarrow.parquet.write_table(table, buffer)
    stack.hub.add("datasets", "org/tales", {"data/train-00000.parquet": buffer.getvalue()})
    model = stack.post("/models/download", {"repoId": "org/glass", "accessToken": "hf_s3cret"})
    dataset = stack.post("/datasets/download", {"repo_id": "org/tales", "max_documents": 20})
    assert stack.get(f"/models/{stack.succeed(model)}")["params_count"] == 852_608
    assert stack.get(f"/datasets/{stack.succeed(dataset)}")["n_documents"] == 20
    secrets = stack.settings.run_dir / "secrets"
    wait_for(lambda: not list(secrets.iterdir()), "the token's end")  # a moment after the job's
    assert canary_in_files(stack.settings.home, "hf_s3cret") == []
    with stack.session() as session:
        assert canary_in_database(session, "hf_s3cret") == []
    assert canary_in_environments(stack.settings.home, "hf_s3cret") == []


def test_an_unknown_repository_ends_in_an_error_that_helps(stack: Stack) -> None:
    accepted = stack.post("/models/download", {"repo_id": "org/nowhere"})
    job = stack.finish(accepted["job_id"])
    assert (job["state"], job["error_code"]) == ("failed", "REPO_NOT_FOUND")
    model = stack.get(f"/models/{accepted['resource_id']}")
    assert model["status"] == "error"
    assert "Check the spelling" in model["error_message"]


def test_a_broken_model_ends_in_an_error_that_helps(stack: Stack, tmp_path: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((GLASS_EN / name).read_bytes())
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    (tmp_path / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{broken}")
    accepted = stack.post("/models/import", {"path": str(tmp_path), "name": "broken"})
    job = stack.finish(accepted["job_id"])
    assert (job["state"], job["error_code"]) == ("failed", "MODEL_FORMAT_INVALID")
    assert len(job["error_message"]) > 20


def test_a_model_without_blocks_is_refused_and_leaves_nothing(stack: Stack, tmp_path: Path) -> None:
    """XLM keeps a list of every kind of part instead of a list of blocks."""
    config = XLMConfig(vocab_size=512, emb_dim=32, n_layers=3, n_heads=4, causal=True)
    XLMWithLMHeadModel(config).save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((GLASS_EN / name).read_bytes())
    accepted = stack.post("/models/import", {"path": str(tmp_path), "name": "blockless"})
    job = stack.finish(accepted["job_id"])
    assert (job["state"], job["error_code"]) == ("failed", "HOOK_POINT_NOT_FOUND")
    assert "no recognisable list of transformer blocks of 3 entries" in job["error_message"]
    assert "transformer.ffns (3)" in job["error_message"]
    assert not (stack.settings.data_root / "models" / accepted["resource_id"]).exists()


def test_an_upload_is_imported_and_its_file_removed(stack: Stack) -> None:
    content = "\n".join(json.dumps({"text": f"Line {n}."}) for n in range(5)).encode()
    response: httpx.Response = stack.client.post(
        "/datasets/upload", files={"file": ("lines.jsonl", content)}
    )
    dataset_id = stack.succeed(response.json()["data"])
    samples = stack.get(f"/datasets/{dataset_id}/samples")
    assert [sample["text"] for sample in samples] == [f"Line {n}." for n in range(5)]
    assert not list((stack.settings.data_root / "cache").glob("upload-*"))
    stack.succeed(stack.call("DELETE", f"/datasets/{dataset_id}"))
    assert not (stack.settings.data_root / "datasets" / dataset_id).exists()
