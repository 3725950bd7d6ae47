"""Quantised models: near the original, smaller, and loaded as they were imported."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from app.ml.errors import ModelFormatError
from app.ml.language_models import (
    LoadedModel,
    capture,
    import_language_model,
    load_language_model,
    read_model_card,
    resolve_hook_point,
)
from app.ml.language_models.loading import loaded_format
from app.ml.language_models.two_bits import quantise_to_two_bits
from tests.ml.conftest import GLASS, ignore
from tests.ml.model_families import random_model

IDS = torch.arange(5, 133).reshape(2, 64)
EMBEDDING, BLOCK_WEIGHTS, NORMS = 1024 * 128, 720_384, 9 * 128
"""Parameters of the committed model: the table, the products in its blocks, the norms."""


def cosine(loaded: LoadedModel, original: LoadedModel) -> float:
    one, other = (m.model(IDS).logits.float().flatten() for m in (loaded, original))
    return torch.nn.functional.cosine_similarity(one, other, dim=0).item()


@pytest.mark.parametrize(
    ("quantization", "at_least", "bytes_per_weight"),
    [("Q8", 0.999, 1.0), ("Q4", 0.99, 0.5 + 4 / 64)],
)
def test_quantised_models_are_near_and_weigh_what_the_card_says(
    tmp_path: Path, glass: LoadedModel, quantization: str, at_least: float, bytes_per_weight: float
) -> None:
    card = import_language_model(GLASS, tmp_path / "m", ignore, quantization=quantization)
    loaded = load_language_model(tmp_path / "m", dtype="float32")
    assert at_least < cosine(loaded, glass) < 1.0
    assert loaded.card.quantization == card.quantization == quantization
    assert card.params_count == 852_608
    predicted = 4 * (EMBEDDING + NORMS) + bytes_per_weight * BLOCK_WEIGHTS
    assert loaded.card.memory_bytes == pytest.approx(predicted, rel=0.01)
    assert loaded.card.memory_bytes < glass.card.memory_bytes / 2


def test_a_folder_that_holds_4_bits_is_imported_as_what_they_stand_for(
    tmp_path: Path, glass: LoadedModel
) -> None:
    """Many repositories hold models as bitsandbytes stores them."""
    stored = load_stored_in_4_bits(tmp_path / "stored")
    card = import_language_model(tmp_path / "stored", tmp_path / "m", ignore)
    loaded = load_language_model(tmp_path / "m", dtype="float32")
    assert (card.quantization, card.params_count) == ("FP16", 852_608)
    one, other = (m(IDS).logits.flatten() for m in (loaded.model, stored))
    assert torch.nn.functional.cosine_similarity(one, other, dim=0).item() > 0.9999
    assert 0.99 < cosine(loaded, glass) < 0.9999
    read_model_card(tmp_path / "m")
    assert "quantization_config" not in (tmp_path / "m" / "config.json").read_text()


def load_stored_in_4_bits(folder: Path) -> Any:
    options = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")
    model = AutoModelForCausalLM.from_pretrained(
        GLASS, quantization_config=options, dtype=torch.float32
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(GLASS).save_pretrained(folder)
    return model.eval()


@pytest.mark.parametrize("method", ["gptq", "awq", "compressed-tensors"])
def test_weights_that_nothing_here_reads_are_refused_with_a_way_out(
    tmp_path: Path, method: str
) -> None:
    folder = tmp_path / "quantised"
    shutil.copytree(GLASS, folder)
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {"quant_method": method, "bits": 4, "group_size": 128}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelFormatError, match=f"quantised by '{method}'.* GGUF file"):
        import_language_model(folder, tmp_path / "m", ignore)


def test_activations_of_a_quantised_model_can_be_read(tmp_path: Path, glass: LoadedModel) -> None:
    import_language_model(GLASS, tmp_path / "m", ignore, quantization="Q4")
    loaded = load_language_model(tmp_path / "m", dtype="float32")
    for kind in ("residual", "attention", "mlp", "mlp_input"):
        point = resolve_hook_point(loaded.model, 2, kind)
        found, exact = (capture(m, IDS, [point])[point].flatten() for m in (loaded, glass))
        assert 0.9 < torch.nn.functional.cosine_similarity(found, exact, dim=0).item() < 1.0


def test_fp32_keeps_32_bits_on_disk_and_in_memory(tmp_path: Path) -> None:
    card = import_language_model(GLASS, tmp_path / "m", ignore, quantization="FP32")
    assert (card.dtype, card.memory_bytes) == ("float32", 4 * card.params_count)
    assert read_model_card(tmp_path / "m").dtype == "float32"
    assert load_language_model(tmp_path / "m").dtype is torch.float32


def test_two_bits_change_more_and_weigh_less(tmp_path: Path, glass: LoadedModel) -> None:
    card = import_language_model(GLASS, tmp_path / "m", ignore, quantization="Q2")
    loaded = load_language_model(tmp_path / "m", dtype="float32")
    assert 0.95 < cosine(loaded, glass) < 0.99
    blocks = (2 / 8 + 4 / 32) * BLOCK_WEIGHTS
    predicted = 4 * (EMBEDDING + NORMS) + blocks
    assert loaded.card.memory_bytes == pytest.approx(predicted, rel=0.001)
    # The card's are those of the number format that this machine loads a model in.
    predicted = loaded_format("Q2").itemsize * (EMBEDDING + NORMS) + blocks
    assert card.memory_bytes == pytest.approx(predicted, rel=0.001)
    assert card.params_count == 852_608
    point = resolve_hook_point(loaded.model, 2, "mlp")
    assert capture(loaded, IDS, [point])[point].shape == (2, 64, 128)


def test_two_bits_read_gpt2s_transposed_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, ids = random_model("gpt2").model, IDS[:, :16] % 50
    exact = model(ids).logits.flatten()
    small = quantise_to_two_bits(model, torch.float32, torch.device("cpu"))
    found = small(ids).logits.flatten()
    assert 0.7 < torch.nn.functional.cosine_similarity(found, exact, dim=0).item() < 0.9999


def test_loading_models_does_not_import_hqq() -> None:
    code = (
        "import sys, app.ml.language_models.transformers_classes, transformers.cache_utils;"
        "sys.exit('hqq' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
