"""Models that do not fit: spread over memory and disk, with the same activations."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from app.ml.activation_extraction import ActivationStore, TokenStore, extract_activations
from app.ml.configs import ExtractionConfig
from app.ml.language_models import LoadedModel, load_language_model
from app.ml.language_models.placement import Room
from tests.ml.conftest import GLASS, ignore, never

CONFIG = ExtractionConfig(layers=(1, 2), max_tokens=1000, hook_types=("residual", "mlp_input"))


@pytest.fixture(scope="module")
def spread() -> LoadedModel:
    """Three blocks of 0.7 MB and the table of 0.5 MB find no place in 2 MB."""
    return load_language_model(GLASS, device="cpu", dtype="float32", room=Room(None, 2_000_000))


def test_only_a_part_lies_in_memory_and_the_card_counts_that_part(
    spread: LoadedModel, glass: LoadedModel
) -> None:
    where = {p.device.type for p in spread.model.parameters()}
    assert where == {"cpu", "meta"}
    assert 0 < spread.card.memory_bytes <= 2_000_000 < glass.card.memory_bytes
    assert spread.card.params_count == glass.card.params_count


def test_an_extraction_from_a_spread_model_is_the_plain_one(
    tmp_path: Path, spread: LoadedModel, glass: LoadedModel, tokens: TokenStore
) -> None:
    for name, loaded in (("spread", spread), ("plain", glass)):
        extract_activations(loaded, tokens, tmp_path / name, CONFIG, ignore, never)
    one, other = (ActivationStore.open(tmp_path / name) for name in ("spread", "plain"))
    assert np.array_equal(one.indices, other.indices)
    for layer in CONFIG.layers:
        for kind in CONFIG.hook_types:
            rows = [s.rows(layer, kind).slice(0, s.n_rows) for s in (one, other)]
            assert torch.equal(*rows)


def test_a_spread_model_answers_with_the_plain_ones_logits(
    spread: LoadedModel, glass: LoadedModel
) -> None:
    ids = torch.arange(5, 37).reshape(1, 32)
    assert torch.equal(spread.model(ids).logits, glass.model(ids).logits)


def test_room_is_what_is_free_and_decides_by_the_device_of_the_passes() -> None:
    measured = Room.on(torch.device("cpu"))
    assert measured.gpu is None
    assert measured.memory > 100_000_000
    with_gpu = dataclasses.replace(measured, gpu=10)
    assert not with_gpu.holds(11)
    assert measured.holds(11)
    assert with_gpu.limits(torch.device("cuda:1")) == {1: 10, "cpu": measured.memory}
