"""The whole way at the places inside a block, through REST, the queues and real workers.

z twice: in the committed model, whose heads are together as wide as its stream, and in one with
wider heads, where whatever takes one width for the other fails.
"""

import io
import json
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import transformers
from transformers import AutoModelForCausalLM

from app.ml.files import read_json
from tests.fixtures.stack import GLASS_EN, Prepared, Refused, Stack

pytestmark = pytest.mark.slow
LAYER = 2
WIDE = 192


class Site(NamedTuple):
    """A dictionary at a place, with its features found; the strongest feature first."""

    model_id: str
    hook_type: str
    width: int
    training_id: str
    features: list[dict[str, Any]]


@pytest.fixture(scope="module")
def wide_model(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Random weights, the committed model's tokenizer, and heads of 192 numbers beside 128."""
    folder = tmp_path_factory.mktemp("models") / "wide"
    tokenizer = transformers.AutoTokenizer.from_pretrained(GLASS_EN)
    torch.manual_seed(0)
    config = transformers.Qwen3Config(
        vocab_size=1024, hidden_size=128, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=2, head_dim=WIDE // 4, intermediate_size=256,
        max_position_embeddings=128, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id, initializer_range=0.2,
    )  # fmt: skip
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return stack.succeed(stack.post("/models/import", {"path": str(folder), "name": "wide heads"}))


@pytest.fixture(scope="module")
def stores(stack: Stack, prepared: Prepared, wide_model: str) -> dict[str, str]:
    """Of each model, both places of one block in one pass."""
    found = {}
    for model_id in (prepared.model_id, wide_model):
        body = {
            "model_id": model_id, "dataset_id": prepared.dataset_id, "layers": [LAYER],
            "hook_types": ["resid_mid", "z"], "max_tokens": 12_000,
        }  # fmt: skip
        found[model_id] = stack.succeed(stack.post("/activations/extract", body))
    return found


@pytest.fixture(scope="module", params=["resid_mid", "z", "z of wide heads"])
def site(
    request: pytest.FixtureRequest, stack: Stack, prepared: Prepared, wide_model: str,
    stores: dict[str, str],
) -> Site:  # fmt: skip
    hook_type = str(request.param).split()[0]
    is_wide = "wide" in request.param
    model_id = wide_model if is_wide else prepared.model_id
    settings = {"expansion_factor": 2, "k": 8, "training_steps": 150, "batch_size": 512}
    body = {
        "model_id": model_id, "dataset_id": prepared.dataset_id, "activation_id": stores[model_id],
        "layer": LAYER, "hook_type": hook_type, "hyperparameters": settings,
    }  # fmt: skip
    created = stack.post("/trainings", body)
    assert stack.finish(created["job_id"])["state"] == "succeeded"
    training_id = str(created["training_id"])
    discovery = {"training_id": training_id, "examples_per_feature": 4, "coherence_features": 0}
    stack.succeed(stack.post("/features/extract", discovery))
    query = f"/features?training_id={training_id}&sort_by=max_activation&limit=3"
    return Site(model_id, hook_type, WIDE if is_wide else 128, training_id, stack.get(query))


def test_the_store_has_the_width_of_each_place(stack: Stack, stores: dict[str, str]) -> None:
    for width, store in zip((128, WIDE), stores.values(), strict=True):
        hooks = stack.get(f"/activations/{store}")["metadata"]["hooks"]
        assert {h["hook_type"]: h["d_model"] for h in hooks} == {"resid_mid": 128, "z": width}


def test_the_dictionary_is_measured_in_the_model(stack: Stack, site: Site) -> None:
    training = stack.get(f"/trainings/{site.training_id}")
    assert (training["hook_type"], training["n_latents"]) == (site.hook_type, 2 * site.width)
    figures = {figure["key"]: figure["value"] for figure in training["evaluation"]["figures"]}
    assert figures["explained_variance"] > 0.3
    # A mean in its place costs the model more than the reconstruction.
    assert figures["kl_recovered_mean"] > 0.1


def test_features_lead_to_tokens_and_to_text(stack: Stack, site: Site) -> None:
    best = site.features[0]
    lens = stack.get(f"/features/{best['id']}/logit-lens")
    assert lens["top"][0]["logit"] > 0 > lens["bottom"][0]["logit"]
    examples = stack.get(f"/features/{best['id']}/activations")
    text = "".join(examples[0]["tokens"])
    probed = stack.post(
        "/features/probe", {"training_id": site.training_id, "text": text, "top_k": 200}
    )
    assert best["id"] in {found["id"] for found in probed["features"]}
    ablated = stack.get(f"/features/{best['id']}/ablation")
    assert ablated["n_positions"] > 0
    assert ablated["mean_kl"] > 0
    job = stack.finish(stack.post("/features/score", {"training_id": site.training_id})["job_id"])
    assert (job["state"], job["result"]["n_features"]) == ("succeeded", 2 * site.width)
    audit = stack.post("/features/audit", {"training_id": site.training_id, "examples": 20})
    checked = stack.finish(audit["job_id"])["result"]
    assert (checked["n_checked"], checked["wrong"]) == (20, [])


def test_steering_acts_there_with_proof(stack: Stack, site: Site) -> None:
    best = site.features[0]
    body: dict[str, Any] = {
        "model_id": site.model_id,
        "prompt": "Alice was",
        "max_new_tokens": 12,
        "features": [{"id": best["id"], "coefficient": 4.0}],
    }
    run = stack.post("/steering/generate", body)
    [feature] = run["features"]
    assert (feature["layer"], feature["hook_type"]) == (LAYER, site.hook_type)
    assert run["proof"]["first_differing_logit"] is not None
    assert run["steered_output"]["text"] != run["unsteered_output"]["text"]
    assert feature["achieved_mean"] > feature["activation_unsteered"]
    assert not run["warnings"] or all("learned at" not in w for w in run["warnings"])
    uncached = stack.post("/steering/generate", body | {"use_cache": False})
    assert uncached["steered_output"]["text"] == run["steered_output"]["text"]
    share = {"id": best["id"], "coefficient": 0.5, "unit": "norm_fraction"}
    shared = stack.post("/steering/generate", body | {"features": [share]})
    assert shared["proof"]["mean_delta_norm_ratio"] == pytest.approx(0.5, rel=1e-2)
    elsewhere = {"id": best["id"], "coefficient": 1.0, "layer": 1}
    with pytest.raises(Refused, match="set force to true"):
        stack.post("/steering/generate", body | {"features": [elsewhere]})
    forced = stack.post("/steering/generate", body | {"features": [elsewhere], "force": True})
    assert any(f"learned at layer {LAYER} ({site.hook_type})" in w for w in forced["warnings"])
    for file_format, status in (
        ("json", 200),
        ("safetensors", 200),
        ("python", 200),
        ("gguf", 400),
    ):
        path = f"/steering/runs/{run['job_id']}/export?format={file_format}"
        assert stack.client.get(path).status_code == status, file_format


def test_it_goes_out_and_comes_back_by_its_name(stack: Stack, site: Site, tmp_path: Path) -> None:
    answer = stack.client.get(f"/saes/{site.training_id}/export")
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path / "saelens")
    config = json.loads((tmp_path / "saelens" / "cfg.json").read_text())
    names = {"z": ("attn.hook_z", "hook_z"), "resid_mid": ("hook_resid_mid", "none")}
    name, shape = names[site.hook_type]
    assert config["metadata"]["hook_name"] == f"blocks.{LAYER}.{name}"
    assert (config["d_in"], config["reshape_activations"]) == (site.width, shape)
    body = {"model_id": site.model_id, "path": str(tmp_path / "saelens"), "evaluate": False}
    imported = stack.get(f"/saes/{stack.succeed(stack.post('/saes/import', body))}")
    assert (imported["layer"], imported["hook_type"]) == (LAYER, site.hook_type)
    assert imported["n_latents"] == 2 * site.width
    assert imported["import_parity"]["active_sets_equal"]


def test_a_model_says_which_places_it_has(stack: Stack, prepared: Prepared) -> None:
    shown = stack.get(f"/models/{prepared.model_id}/architecture")["hook_types"]
    assert shown == ["residual", "resid_mid", "mlp", "attention", "z", "mlp_input"]
    folder = stack.settings.data_root / "models" / prepared.model_id
    assert read_json(folder / "metadata.json")["d_z"] == 128
