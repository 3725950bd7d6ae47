"""The outcome of a steered generation as it is answered: every figure with its meaning."""

import math
from typing import Any, NamedTuple

from app.ml.configs import METRIC_DEFINITIONS


class _Figure(NamedTuple):
    key: str
    label: str
    unit: str
    definition: str


FIGURES = (
    _Figure("kl_mean", "KL, mean", "nats", "kl_mean"),
    _Figure("kl_p95", "KL, 95th percentile", "nats", "kl_p95"),
    _Figure("perplexity_steered", "Perplexity, steered", "", "perplexity"),
    _Figure("perplexity_unsteered", "Perplexity, unsteered", "", "perplexity"),
    _Figure("similarity", "Similarity", "cosine", "similarity"),
    _Figure("word_overlap", "Word overlap", "share", "word_overlap"),
    _Figure("distinct_2_steered", "Distinct pairs, steered", "share", "distinct_2"),
    _Figure("distinct_2_unsteered", "Distinct pairs, unsteered", "share", "distinct_2"),
)


def steering_json(payload: dict[str, Any], outcome: dict[str, Any]) -> dict[str, Any]:
    """The body of the answer without the job's id.

    Args:
        payload: What ``steering_payload.make_payload`` asked for.
        outcome: The core's result as JSON.
    """
    metrics, proof, edits = outcome["metrics"], outcome["proof"], payload["edits"]
    n_tokens = payload["config"]["max_new_tokens"]
    return {
        "model_id": payload["model_id"],
        "prompt": payload["config"]["prompt"],
        "intervention_layer": edits[0]["layer"],
        "features": [
            {
                **{key: edit[key] for key in ("id", "neuron_index", "name", "coefficient", "unit")},
                "strength_in_activation_units": strength,
            }
            for edit, strength in zip(edits, proof["deltas_in_activation_units"], strict=True)
        ],
        "unsteered_output": _text("unsteered", outcome, n_tokens),
        "steered_output": _text("steered", outcome, n_tokens),
        "metrics": [
            {
                "key": figure.key,
                "label": figure.label,
                "value": _finite(metrics[figure.key]),
                "unit": figure.unit,
                "definition": METRIC_DEFINITIONS[figure.definition],
            }
            for figure in FIGURES
        ],
        "proof": {
            "positions_touched": proof["positions_touched"],
            "mean_delta_norm_ratio": proof["mean_delta_norm_ratio"],
            "first_divergence": metrics["first_divergence"],
        },
        "seconds": outcome["seconds"],
    }


def _text(branch: str, outcome: dict[str, Any], max_new_tokens: int) -> dict[str, Any]:
    tokens = outcome[f"{branch}_tokens"]
    shown = ("token_id", "text", "logprob", "base_logprob", "kl")
    return {
        "text": outcome[f"{branch}_text"],
        "tokens": [{key: token[key] for key in shown} for token in tokens],
        "perplexity": _finite(outcome["metrics"][f"perplexity_{branch}"]),
        "ended": "length" if len(tokens) >= max_new_tokens else "eos",
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
