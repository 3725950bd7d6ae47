"""A transcoder through real workers: trained, exported, imported again, discovered, steered."""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.stack import Prepared, Stack

pytestmark = pytest.mark.slow
LAYER = 1


@pytest.fixture(scope="module")
def transcoder(stack: Stack, prepared: Prepared) -> str:
    """Reads what the MLP of block 1 reads, writes what it writes."""
    ids = {"model_id": prepared.model_id, "dataset_id": prepared.dataset_id}
    places = {"layers": [LAYER], "hook_types": ["mlp_input", "mlp"]}
    store = stack.succeed(
        stack.post("/activations/extract", {**ids, **places, "max_tokens": 12_000})
    )
    settings = {"activation": "relu", "d_sae": 96, "training_steps": 120, "batch_size": 256}
    body = {**ids, "activation_id": store, "encoder_type": "transcoder", "name": "trans coder"}
    created = stack.post("/trainings", body | {"hyperparameters": settings})
    assert stack.finish(created["job_id"])["state"] == "succeeded"
    return str(created["training_id"])


@pytest.fixture(scope="module")
def folder(stack: Stack, transcoder: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its export, unpacked; the first one waits for its proof."""
    answer = stack.client.get(f"/saes/{transcoder}/export")
    assert answer.status_code == 200, answer.text
    target = tmp_path_factory.mktemp("export") / "saelens"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(target)
    return target


@pytest.fixture(scope="module")
def imported(stack: Stack, prepared: Prepared, folder: Path) -> str:
    body = {"model_id": prepared.model_id, "path": str(folder), "evaluate": False}
    return stack.succeed(stack.post("/saes/import", body))


def features_of(stack: Stack, training_id: str) -> list[dict[str, Any]]:
    body = {"training_id": training_id, "examples_per_feature": 2, "coherence_features": 0}
    stack.succeed(stack.post("/features/extract", body))
    query = f"/features?training_id={training_id}&sort_by=max_activation&limit=200"
    found: list[dict[str, Any]] = stack.get(query)
    return found


def test_a_transcoder_is_measured_against_what_it_writes(stack: Stack, transcoder: str) -> None:
    training = stack.get(f"/trainings/{transcoder}")
    assert (training["hook_type"], training["target_hook_type"]) == ("mlp_input", "mlp")
    figures = {figure["key"]: figure["value"] for figure in training["evaluation"]["figures"]}
    assert figures["explained_variance"] > 0


def test_an_export_says_how_it_was_proved(stack: Stack, transcoder: str, folder: Path) -> None:
    report = json.loads((folder / "parity.json").read_text())["export"]
    assert report["active_sets_equal"]
    assert report["max_latent_difference"] < 1e-9
    assert (report["measured_on"], report["n_tokens"]) == ("extraction", 2048)
    config = json.loads((folder / "cfg.json").read_text())
    assert config["architecture"] == "transcoder"
    assert stack.get(f"/saes/{transcoder}")["export_parity"] == report


def test_an_import_is_the_same_dictionary_in_discovery_and_steering(
    stack: Stack, prepared: Prepared, transcoder: str, imported: str
) -> None:
    sae = stack.get(f"/saes/{imported}")
    assert (sae["source"], sae["status"], sae["n_latents"]) == ("imported", "completed", 96)
    assert (sae["layer"], sae["hook_type"], sae["target_hook_type"]) == (LAYER, "mlp_input", "mlp")
    assert sae["import_parity"]["active_sets_equal"]
    ours, theirs = features_of(stack, transcoder), features_of(stack, imported)
    shown = ("neuron_index", "max_activation", "activation_frequency", "label")
    assert [[f[key] for key in shown] for f in theirs] == [[f[key] for key in shown] for f in ours]
    texts = []
    for feature in (ours[0], theirs[0]):
        body = {
            "model_id": prepared.model_id,
            "prompt": "Alice was",
            "features": [{"id": feature["id"], "coefficient": 3.0}],
            "max_new_tokens": 8,
        }
        made = stack.post("/steering/generate", body)
        assert made["proof"]["positions_touched"] > 0
        texts.append(made["steered_output"]["text"])
    assert texts[0] == texts[1]


def test_features_come_back_on_the_same_dictionary_elsewhere(
    stack: Stack, transcoder: str, imported: str
) -> None:
    table = f"/features?sort_by=neuron_index&order=asc&limit=200&training_id={transcoder}"
    first = stack.get(table)[0]
    stack.call("PATCH", f"/features/{first['id']}", json={"name": "mine", "tags": ["kept"]})
    job = stack.finish(stack.post("/features/exports", {"training_id": transcoder})["job_id"])
    bundle = stack.client.get(f"/features/exports/{job['id']}/file").content
    assert hashlib.sha256(bundle).hexdigest() == job["result"]["sha256"]
    results = []
    for _ in range(2):
        form = {"data": {"training_id": imported}, "files": {"file": ("a.zip", bundle)}}
        job = stack.finish(stack.call("POST", "/features/upload", **form)["job_id"])
        results.append({key: job["result"][key] for key in ("n_features", "n_skipped")})
    assert results == [{"n_features": 96, "n_skipped": 0}, {"n_features": 0, "n_skipped": 96}]
    own = ("id", "training_id", "updated_at")
    told = [
        [{key: value for key, value in feature.items() if key not in own} for feature in found]
        for found in (stack.get(table), stack.get(table.replace(transcoder, imported)))
    ]
    for feature in (*told[0], *told[1]):
        (feature["top_example"] or {}).pop("id", None)
    assert told[0] == told[1]
    assert told[0][0]["name"] == "mine"


def test_an_import_that_differs_is_refused_and_leaves_no_files(
    stack: Stack, prepared: Prepared, folder: Path
) -> None:
    body = {"model_id": prepared.model_id, "path": str(folder), "layer": 3}
    accepted = stack.post("/saes/import", body)
    job = stack.finish(accepted["job_id"])
    assert (job["state"], job["error_code"]) == ("failed", "PARITY_FAILED")
    assert "explains nothing" in job["error_message"]
    sae = stack.get(f"/saes/{accepted['resource_id']}")
    assert (sae["status"], sae["checkpoint_step"]) == ("error", None)
    assert not (stack.settings.data_root / "checkpoints" / sae["id"]).exists()
    stack.succeed(stack.call("DELETE", f"/saes/{sae['id']}"))
    assert stack.client.get(f"/saes/{sae['id']}").status_code == 404
