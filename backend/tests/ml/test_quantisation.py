"""Quantised models: near the original, smaller, and loaded as they were imported."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

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
