"""Features in other programs' files: CSV and JSON of the table, SAEDashboard's JSON both ways."""

import csv
import json
import math
from collections.abc import Iterable, Iterator
from typing import IO, Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import ValidationFailed
from app.db.models import Feature, FeatureActivation
from app.db.packed import pack
from app.db.repositories import feature_loading, feature_pages, features
from app.db.repositories.context_rows import ContextRow
from app.db.repositories.feature_pages import FeatureFilter
from app.db.repositories.feature_search import FIRES_ON, PROMOTES
from app.db.repositories.word_rows import WordRow
from app.services.feature_relations import SHOWN_DIGITS
from app.services.feature_service import PLAIN
from app.services.lookup import require_training

ExportFormat = Literal["csv", "json", "saedashboard"]
TOP_GROUP = -1
PAGE = 500
NO_LENS: dict[str, list[dict[str, Any]]] = {"top": [], "bottom": []}
EMPTY_HISTOGRAM: dict[str, list[float]] = {"edges": [], "counts": []}


class BatchInvalid(ValidationFailed):
    pass


def write_export(
    session: Session, wanted: FeatureFilter, training_id: UUID, form: ExportFormat, file: IO[str]
) -> None:
    """Write all features that a filter lets pass, in the order of their index.

    Args:
        session: Open session.
        wanted: Filter, of the same training.
        training_id: The training.
        form: "saedashboard" is one batch with contexts, the others are the table.
        file: Text file to write to.
    """
    training = require_training(session, training_id)
    rows = _every(session, wanted)
    if form == "csv":
        writer = csv.writer(file)
        writer.writerow((*PLAIN, "name"))
        writer.writerows(_cells(feature) for feature in rows)
        return
    if form == "json":
        _write_list(file, ({**_plain(feature)} for feature in rows), "[", "]")
        return
    head = {
        "model_id": str(training.model_id), "layer": training.layer, "sae_set": training.name or "",
        "sae_id_suffix": str(training_id),
    }  # fmt: skip
    opening = json.dumps(head)[:-1] + ', "features": ['
    _write_list(file, (_to_dashboard(session, feature) for feature in rows), opening, "]}")


def read_batch(session: Session, training_id: UUID, batch: dict[str, Any]) -> int:
    """Load a SAEDashboard batch as the features of a training; those in it are replaced.

    Tokens are strings there, so the contexts have no token ids and cannot be recomputed; they
    are marked as imported. What is wrong with one feature refuses the whole batch.

    Returns:
        Number of features read.

    Raises:
        TrainingNotFound: There is no such training.
        BatchInvalid: Something is missing or does not fit together.
    """
    require_training(session, training_id)
    entries = batch.get("features")
    if not isinstance(entries, list) or not entries:
        raise BatchInvalid("The file holds no list of features.", details={"field": "features"})
    rows = [_from_dashboard(entry) for entry in entries]
    ids = feature_loading.put_features(session, training_id, (row for row, _ in rows))
    kept = [row["neuron_index"] for row, _ in rows]
    feature_loading.delete_examples_of(session, [ids[index] for index in kept])
    feature_loading.put_words(session, training_id, _words(ids, entries))
    feature_loading.put_examples(
        session,
        (
            ContextRow(feature_id=ids[row["neuron_index"]], **example)
            for row, found in rows
            for example in found
        ),
    )
    return len(rows)


def _every(session: Session, wanted: FeatureFilter) -> Iterator[Feature]:
    cursor: str | None = None
    while True:
        page = feature_pages.list_page(
            session, wanted, sort_by="neuron_index", order="asc", limit=PAGE, cursor=cursor
        )
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


def _plain(feature: Feature) -> dict[str, Any]:
    values = {name: getattr(feature, name) for name in PLAIN}
    return {**values, "training_id": str(feature.training_id), "name": feature.name}


def _cells(feature: Feature) -> list[Any]:
    cells = _plain(feature)
    return ["; ".join(value) if isinstance(value, list) else value for value in cells.values()]


def _write_list(file: IO[str], items: Iterable[dict[str, Any]], opening: str, closing: str) -> None:
    file.write(opening)
    for number, item in enumerate(items):
        file.write((",\n" if number else "\n") + json.dumps(item, allow_nan=False))
    file.write("\n" + closing)


def _to_dashboard(session: Session, feature: Feature) -> dict[str, Any]:
    known = feature.metadata_
    lens = known.get("logit_lens") or NO_LENS
    partners = known.get("correlated") or []
    histogram = known.get("histogram") or EMPTY_HISTOGRAM
    examples = features.list_examples(session, feature.id, 1000)
    samples = features.list_examples(session, feature.id, 1000, features.SAMPLE)
    return {
        "feature_index": feature.neuron_index,
        "frac_nonzero": feature.activation_frequency,
        "pos_str": [token["token"] for token in lens["top"]],
        "pos_values": [token["logit"] for token in lens["top"]],
        "neg_str": [token["token"] for token in lens["bottom"]],
        "neg_values": [token["logit"] for token in lens["bottom"]],
        "freq_hist_data_bar_values": histogram["edges"][:-1],
        "freq_hist_data_bar_heights": histogram["counts"],
        "correlated_features_indices": [partner["index"] for partner in partners],
        "correlated_features_pearson": [partner["pearson"] for partner in partners],
        "activations": [
            *(_activation(row, TOP_GROUP, TOP_GROUP, 0.0) for row in examples),
            *(_activation(row, *_bin(row, known.get("intervals") or [])) for row in samples),
        ],
    }


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


def _from_dashboard(entry: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    try:
        index = int(entry["feature_index"])
        found = [_to_example(item) for item in entry.get("activations") or []]
        edges = [float(value) for value in entry.get("freq_hist_data_bar_values") or []]
        counts = [float(value) for value in entry.get("freq_hist_data_bar_heights") or []]
        metadata = {
            "imported": "saedashboard",
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


def _words(ids: dict[int, int], entries: list[dict[str, Any]]) -> Iterator[WordRow]:
    """Promoted words, and the words at the marked places of the strongest contexts."""
    for entry in entries:
        feature_id = ids[int(entry["feature_index"])]
        top = [a for a in entry.get("activations") or [] if float(a["bin_min"]) == TOP_GROUP]
        marked = list(dict.fromkeys(str(a["tokens"][a["qualifying_token_index"]]) for a in top))
        listed = [(FIRES_ON, word, 0.0) for word in marked[:10]]
        pairs = zip(entry.get("pos_str") or [], entry.get("pos_values") or [], strict=True)
        listed += [(PROMOTES, str(word), float(value)) for word, value in pairs]
        for rank, (kind, token, weight) in enumerate(listed):
            yield WordRow(feature_id, kind, rank, token, weight)
