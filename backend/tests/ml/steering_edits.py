"""Directions and settings that the tests of steering share."""

import dataclasses
from collections.abc import Sequence

import torch

from app.ml.configs import SteeringConfig
from app.ml.language_models import LoadedModel
from app.ml.steering import FeatureEdit
from app.ml.steering.conditions import Condition
from app.ml.steering.decoding import BatchDecoder
from app.ml.steering.rows import RowPlan

PROMPT = "Alice was beginning to"
CONFIG = SteeringConfig(prompt=PROMPT, max_new_tokens=16, seed=3)


def direction(seed: int = 0, **values: object) -> FeatureEdit:
    vector = torch.randn(128, generator=torch.Generator().manual_seed(seed))
    base: dict[str, object] = {
        "layer": 2, "hook_type": "residual", "direction_D": vector / vector.norm(),
        "coefficient": 20.0, "unit": "activation",
    }  # fmt: skip
    return FeatureEdit(**{**base, **values})  # type: ignore[arg-type]


def changed(**values: object) -> SteeringConfig:
    return dataclasses.replace(CONFIG, **values)  # type: ignore[arg-type]


def decoded(
    model: LoadedModel,
    edits: Sequence[FeatureEdit],
    config: SteeringConfig,
    condition: Condition | None = None,
) -> tuple[torch.Tensor, BatchDecoder]:
    """The steered row's logits at every step, and the decoder."""
    plans = [RowPlan("unsteered", (), config.seed), RowPlan("steered", tuple(edits), config.seed)]
    decoder, seen = BatchDecoder(model, config, plans, condition=condition), []
    choose = decoder._choose

    def keep(index: int, logits_BV: torch.Tensor) -> None:
        seen.append(logits_BV[1].clone())
        choose(index, logits_BV)

    decoder._choose = keep  # type: ignore[method-assign]
    decoder.run()
    return torch.stack(seen), decoder
