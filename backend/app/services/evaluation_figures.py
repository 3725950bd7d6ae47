"""Held-out figures as they are shown: each with its meaning and the tokens behind it."""

import math
from typing import Any, NamedTuple

from app.ml.configs import METRIC_DEFINITIONS


class _Figure(NamedTuple):
    key: str
    label: str
    unit: str
    tokens: str = "n_tokens"


FIGURES = (
    _Figure("explained_variance", "Explained variance", ""),
    _Figure("fvu", "Variance unexplained", ""),
    _Figure("l0", "L0", "latents/token"),
    _Figure("dead_share", "Dead latents", "share"),
    _Figure("dense_share", "Dense latents", "share"),
    _Figure("cosine", "Cosine", ""),
    _Figure("l2_ratio", "Norm ratio", ""),
    _Figure("ce_recovered_zero", "CE recovered (zero)", "share", "n_ce_tokens"),
    _Figure("ce_recovered_mean", "CE recovered (mean)", "share", "n_ce_tokens"),
    _Figure("kl", "KL", "nats", "n_ce_tokens"),
    _Figure("ce_clean", "CE of the model", "nats", "n_ce_tokens"),
)


def evaluation_json(raw: dict[str, Any]) -> dict[str, Any]:
    """What ``trainings.evaluation`` holds; a figure that was not measured is left out.

    Args:
        raw: The core's evaluation as JSON.
    """
    figures = [
        {
            "key": figure.key,
            "label": figure.label,
            "value": raw[figure.key],
            "unit": figure.unit,
            "definition": METRIC_DEFINITIONS[figure.key],
            "n_tokens": raw[figure.tokens],
        }
        for figure in FIGURES
        if raw.get(figure.key) is not None and math.isfinite(raw[figure.key])
    ]
    return {"figures": figures, "raw": {key: _finite(value) for key, value in raw.items()}}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
