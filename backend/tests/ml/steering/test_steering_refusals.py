"""Steering that would mean nothing is refused with a sentence on what to change."""

import math
from pathlib import Path

import pytest
import torch

from app.ml.errors import HookPointNotFound, NoEffect, SteeringInvalid
from app.ml.language_models import LoadedModel
from app.ml.steering import FeatureEdit, feature_edit, generate_comparison
from app.ml.steering.evidence import Evidence
from tests.ml.steering_edits import CONFIG, changed, direction


def test_zero_touched_positions_are_an_error(glass: LoadedModel) -> None:
    with pytest.raises(NoEffect, match="No position"):
        generate_comparison(glass, [direction()], changed(steer_prompt=False, max_new_tokens=1))
    with pytest.raises(NoEffect, match="No position"):
        generate_comparison(glass, [direction()], changed(positions=(120,)))


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ([], "at least one feature"),
        ([direction(direction_D=torch.zeros(128))], "zero or not finite"),
        ([direction(direction_D=torch.full((128,), math.nan))], "zero or not finite"),
        ([direction(direction_D=torch.ones(64))], "needs \\(128,\\)"),
        ([direction(coefficient=math.inf)], "finite number"),
        ([direction(coefficient=math.nan)], "finite number"),
        ([direction(coefficient=1e6)], "times as large as the hidden state"),
        ([direction(unit="volts")], "not one of"),
        ([direction(unit="max")], "largest activation"),
        ([direction(method="twist")], "choose one of"),
        ([direction(method="clamp")], "needs a feature of a dictionary"),
        ([direction(method="clamp", unit="norm")], 'has no unit "norm"'),
        ([direction(unit="kl", coefficient=0.0)], "must not be 0"),
        ([direction(feature=4), direction(1, feature=4)], "listed twice"),
    ],
)
def test_unusable_edits_are_refused(
    glass: LoadedModel, edits: list[FeatureEdit], words: str
) -> None:
    with pytest.raises(SteeringInvalid, match=words):
        generate_comparison(glass, edits, CONFIG)


def test_a_change_too_large_is_found_behind_passes_that_steered_nothing_new() -> None:
    """Without a cache earlier positions are read again, and some passes add none to them."""
    evidence, none = Evidence(1, torch.device("cpu")), torch.zeros(0)
    evidence.add("L1_residual", none.long(), none, none)
    evidence.add("L2_residual", torch.tensor([0]), torch.tensor([1e3]), torch.tensor([1.0]))
    with pytest.raises(SteeringInvalid, match="1000 times as large as the hidden state at L2"):
        evidence.sums()


def test_other_refusals(glass: LoadedModel, sae_path: Path) -> None:
    with pytest.raises(HookPointNotFound):
        generate_comparison(glass, [direction(layer=9)], CONFIG)
    with pytest.raises(SteeringInvalid, match="generate at most 1"):
        generate_comparison(glass, [direction()], changed(max_new_tokens=200))
    with pytest.raises(SteeringInvalid, match="no chat template"):
        generate_comparison(glass, [direction()], changed(use_chat_template=True))
    with pytest.raises(SteeringInvalid, match="features 0 to 511"):
        feature_edit(sae_path, 512, 2, "residual", 1.0)
    with pytest.raises(SteeringInvalid, match="only at layer 2"):
        feature_edit(sae_path, 5, 2, "residual", 1.0, method="clamp", at_layer=1)
