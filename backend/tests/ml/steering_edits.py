"""Directions and settings that the tests of steering share."""

import dataclasses

import torch

from app.ml.configs import SteeringConfig
from app.ml.steering import FeatureEdit

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
