"""SAEDashboard's JSON batches, in and out; Neuronpedia's records have the same lists."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.db.models import Feature, FeatureActivation
from app.db.packed import pack
from app.db.repositories import features
from app.db.repositories.feature_search import FIRES_ON, PROMOTES
from app.services.feature_exchange.archives import BundleInvalid
from app.services.feature_exchange.parts import FeaturePart, Refusal, Word
from app.services.feature_exchange.selection import Origin
from app.services.feature_relations import SHOWN_DIGITS

TOP_GROUP = -1
NO_LENS: dict[str, list[dict[str, Any]]] = {"top": [], "bottom": []}
EMPTY_HISTOGRAM: dict[str, list[float]] = {"edges": [], "counts": []}


class BatchInvalid(BundleInvalid):
    """Something of a feature is missing or does not fit together."""


def write_dashboard_part(
    session: Session, origin: Origin, page: list[Feature], folder: Path, number: int
) -> list[Path]:
    """Write one ``batch-N.json`` with the contexts of its features."""
    entries = [
        {"feature_index": feature.neuron_index, **entry_of(feature, details),
         "activations": activations_of(session, feature, details)}
        for feature, details in with_details(session, page)
    ]  # fmt: skip
    batch = {
        "model_id": origin["model_id"], "layer": origin["layer"], "sae_set": origin["name"],
        "sae_id_suffix": origin["training_id"], "features": entries,
    }  # fmt: skip
    path = folder / f"batch-{number}.json"
    path.write_text(json.dumps(batch, allow_nan=False))
    return [path]


def part_of_batch(batch: dict[str, Any]) -> FeaturePart:
    """Read a batch's features.

    Tokens are strings there, so the contexts have no token ids and cannot be recomputed; they
    are marked as imported.

    Raises:
        BatchInvalid: There are none.
    """
    entries = batch.get("features")
    if not isinstance(entries, list) or not entries:
        raise BatchInvalid("The file holds no list of features.", details={"field": "features"})
    return part_of_entries(entries, "saedashboard")


def part_of_entries(entries: list[dict[str, Any]], source: str) -> FeaturePart:
    """Read entries that have SAEDashboard's names; what is wrong with one refuses that one."""
    part = FeaturePart(rows=[])
    for entry in entries:
        try:
            row, found = _read_entry(entry, source)
        except BatchInvalid as error:
            part.refused.append(Refusal(error.details.get("feature_index"), error.message))
            continue
        index = row["neuron_index"]
        part.rows.append(row)
        part.contexts += ((index, context) for context in found)
        part.words += ((index, word) for word in _words(entry))
    return part


def with_details(session: Session, page: list[Feature]) -> Iterator[tuple[Feature, dict[str, Any]]]:
    """Features with what lies out of the table's way."""
    details = features.metadata_of(session, [feature.id for feature in page])
    return ((feature, details[feature.id]) for feature in page)


def entry_of(feature: Feature, known: dict[str, Any]) -> dict[str, Any]:
    """What both programs call the same, contexts left out."""
    lens = known.get("logit_lens") or NO_LENS
    partners = known.get("correlated") or []
    histogram = known.get("histogram") or EMPTY_HISTOGRAM
    return {
        "frac_nonzero": feature.activation_frequency,
        "pos_str": [token["token"] for token in lens["top"]],
        "pos_values": [token["logit"] for token in lens["top"]],
        "neg_str": [token["token"] for token in lens["bottom"]],
        "neg_values": [token["logit"] for token in lens["bottom"]],
        "freq_hist_data_bar_values": histogram["edges"][:-1],
        "freq_hist_data_bar_heights": histogram["counts"],
        "correlated_features_indices": [partner["index"] for partner in partners],
        "correlated_features_pearson": [partner["pearson"] for partner in partners],
    }


def activations_of(
    session: Session, feature: Feature, known: dict[str, Any]
) -> list[dict[str, Any]]:
    """The strongest contexts, then the samples of every octave."""
    examples = features.list_examples(session, feature.id, 1000)
    samples = features.list_examples(session, feature.id, 1000, features.SAMPLE)
    return [
        *(_activation(row, TOP_GROUP, TOP_GROUP, 0.0) for row in examples),
        *(_activation(row, *_bin(row, known.get("intervals") or [])) for row in samples),
    ]


def _bin(row: FeatureActivation, intervals: list[dict[str, Any]]) -> tuple[float, float, float]:
    found = next((i for i in intervals if i["octave"] == row.octave), None)
    if found is None:
        return 2.0 ** (row.octave or 0), 2.0 ** ((row.octave or 0) + 1), 0.0
    return found["from"], found["to"], found["share"]


def _activation(row: FeatureActivation, low: float, high: float, share: float) -> dict[str, Any]:
    return {
        "bin_min": low, "bin_max": high, "bin_contains": share, "tokens": row.tokens,
        "values": [round(value, SHOWN_DIGITS) for value in row.activations],
        "qualifying_token_index": row.position,
    }  # fmt: skip


def _read_entry(entry: dict[str, Any], source: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    try:
        index = int(entry["feature_index"])
        found = [_to_example(item) for item in entry.get("activations") or []]
        edges = [float(value) for value in entry.get("freq_hist_data_bar_values") or []]
        counts = [float(value) for value in entry.get("freq_hist_data_bar_heights") or []]
        metadata = {
            "imported": {"format": source},
            "logit_lens": {"top": _lens(entry, "pos"), "bottom": _lens(entry, "neg")},
            "histogram": {"edges": [*edges, edges[-1]] if edges else [], "counts": counts},
            "correlated": [
                {"index": int(i), "pearson": float(value)}
                for i, value in zip(
                    entry.get("correlated_features_indices") or [],
                    entry.get("correlated_features_pearson") or [],
                    strict=True,
                )
            ],
        }
        frequency = _number(entry.get("frac_nonzero"))
    except (KeyError, TypeError, ValueError) as error:
        raise BatchInvalid(
            f"Feature {entry.get('feature_index')!r} of the file cannot be read: {error}.",
            details={"feature_index": str(entry.get("feature_index"))},
        ) from error
    ranks: dict[str, int] = {}
    for example in found:
        example["rank"] = ranks.get(example["kind"], 0)
        ranks[example["kind"]] = example["rank"] + 1
    largest = max((example["max_activation"] for example in found), default=None)
    row = {
        "neuron_index": index, "activation_frequency": frequency, "max_activation": largest,
        "metadata": metadata,
    }  # fmt: skip
    return row, found


def _to_example(item: dict[str, Any]) -> dict[str, Any]:
    tokens = [str(token) for token in item["tokens"]]
    values = [_number(value) for value in item["values"]]
    if len(tokens) != len(values):
        raise ValueError(f"{len(tokens)} tokens stand beside {len(values)} values")
    position = int(item.get("qualifying_token_index", values.index(max(values))))
    if not 0 <= position < len(tokens):
        raise ValueError(f"token {position} of {len(tokens)} is marked")
    low = float(item["bin_min"])
    is_top = low == TOP_GROUP
    return {
        "kind": "top" if is_top else "sample", "split": "train", "document": -1,
        "octave": None if is_top or low <= 0 else math.floor(math.log2(low)),
        "position": position, "sample_text": "".join(tokens), "token_ids": b"",
        "token_lengths": pack("H", [len(token) for token in tokens]),
        "activations": pack("f", values), "max_activation": max(values),
    }  # fmt: skip


def _lens(entry: dict[str, Any], sign: str) -> list[dict[str, Any]]:
    pairs = zip(entry.get(f"{sign}_str") or [], entry.get(f"{sign}_values") or [], strict=True)
    return [{"token": str(t), "token_id": -1, "logit": _number(value)} for t, value in pairs]


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value} is no finite number")
    return number


def _words(entry: dict[str, Any]) -> Iterator[Word]:
    """Promoted words, and the words at the marked places of the strongest contexts."""
    top = [a for a in entry.get("activations") or [] if float(a["bin_min"]) == TOP_GROUP]
    marked = list(dict.fromkeys(str(a["tokens"][a["qualifying_token_index"]]) for a in top))
    for rank, word in enumerate(marked[:10]):
        yield FIRES_ON, rank, word, 0.0
    pairs = zip(entry.get("pos_str") or [], entry.get("pos_values") or [], strict=True)
    for rank, (word, value) in enumerate(pairs):
        yield PROMOTES, rank, str(word), float(value)


class DashboardFolder:
    """Unpacked ``batch-N.json`` files, each a part.

    Raises:
        BundleInvalid: There are none.
    """

    fingerprint: str | None = None

    def __init__(self, folder: Path) -> None:
        self._batches = sorted(folder.rglob("batch-*.json"))
        if not self._batches:
            raise BundleInvalid(
                "The archive holds no bundle, no Neuronpedia folder and no batch-N.json."
            )
        self.part_sizes = [len(_load(path).get("features") or []) for path in self._batches]

    def read(self, part: int) -> FeaturePart:
        """Read one batch."""
        return part_of_batch(_load(self._batches[part]))


def _load(path: Path) -> dict[str, Any]:
    try:
        batch = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BundleInvalid(f"{path.name} is no JSON: {error}.") from error
    return batch if isinstance(batch, dict) else {}
