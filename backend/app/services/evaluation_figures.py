"""Held-out figures as they are shown: each with its meaning, its spread and what stands behind."""

import math
from typing import Any, NamedTuple

from app.ml.configs import METRIC_DEFINITIONS, VERDICT_GUIDES

INTERVAL_LEVEL = 0.95


class _Figure(NamedTuple):
    key: str
    label: str
    unit: str
    counted_by: str = ""


_CE = "ce_"
FIGURES = (
    _Figure("explained_variance", "Explained variance", ""),
    _Figure("fvu", "Variance unexplained", ""),
    _Figure("l0", "L0", "latents/token"),
    _Figure("l0_p5", "L0, 5th percentile", "latents/token"),
    _Figure("l0_p95", "L0, 95th percentile", "latents/token"),
    _Figure("dead_share", "Dead latents", "share"),
    _Figure("dense_share", "Dense latents", "share"),
    _Figure("cosine", "Cosine", ""),
    _Figure("l2_ratio", "Norm ratio", ""),
    _Figure("relative_bias", "Reconstruction bias", ""),
    _Figure("pca_explained_variance", "Explained by PCA of rank L0", ""),
    _Figure("mean_explained_variance", "Explained by the mean alone", ""),
    _Figure("skip_explained_variance", "Explained by the skip path alone", ""),
    _Figure("ce_recovered_zero", "CE recovered (zero)", "share", _CE),
    _Figure("ce_recovered_mean", "CE recovered (mean)", "share", _CE),
    _Figure("kl_recovered_zero", "KL recovered (zero)", "share", _CE),
    _Figure("kl_recovered_mean", "KL recovered (mean)", "share", _CE),
    _Figure("kl", "KL", "nats", _CE),
    _Figure("ce_clean", "CE of the model", "nats", _CE),
    _Figure("ce_sae", "CE with the reconstruction", "nats", _CE),
    _Figure("ce_zero", "CE with zeros", "nats", _CE),
    _Figure("ce_mean", "CE with the mean", "nats", _CE),
    _Figure("ce_skip", "CE with the skip path alone", "nats", _CE),
    _Figure("kl_skip", "KL with the skip path alone", "nats", _CE),
)


def evaluation_json(raw: dict[str, Any]) -> dict[str, Any]:
    """What ``trainings.evaluation`` holds; a figure that was not measured is left out.

    Args:
        raw: The core's evaluation as JSON.
    """
    figures = [
        _figure_json(figure, raw)
        for figure in FIGURES
        if raw.get(figure.key) is not None and math.isfinite(raw[figure.key])
    ]
    return {"figures": figures, "raw": {key: _finite(value) for key, value in raw.items()}}


def _figure_json(figure: _Figure, raw: dict[str, Any]) -> dict[str, Any]:
    value = raw[figure.key]
    n_documents = raw.get(f"n_{figure.counted_by}documents")
    guide = VERDICT_GUIDES.get(figure.key)
    interval = raw.get("intervals", {}).get(figure.key)
    return {
        "key": figure.key,
        "label": figure.label,
        "value": value,
        "unit": figure.unit,
        "definition": METRIC_DEFINITIONS[figure.key],
        "n_tokens": raw[f"n_{figure.counted_by}tokens"],
        "n_documents": n_documents,
        "interval": interval and {**interval, "level": INTERVAL_LEVEL},
        "verdict": guide and guide.verdict(value),
        "guide": guide and guide.text(),
    }


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
