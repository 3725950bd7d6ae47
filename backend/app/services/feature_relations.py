"""What one feature's page shows below its head: contexts, lens, partners, neighbours; the map."""

from base64 import b64encode
from collections import defaultdict
from itertools import repeat
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.db.models import Feature, FeatureActivation
from app.db.models.feature import split_tokens
from app.db.repositories import features
from app.db.repositories.feature_columns import read_columns
from app.db.repositories.features import SAMPLE
from app.ml.configs import METRIC_DEFINITIONS
from app.schemas.feature import (
    ContextKind,
    Correlations,
    FeatureExample,
    FeatureMap,
    Histogram,
    Interval,
    LensToken,
    LogitLens,
    MapColumns,
    Neighbours,
    RelatedFeature,
)
from app.schemas.feature_map import PackedColumns, PackedMap
from app.services.lookup import require_feature, require_training

DENSE_SHARE = 0.1
DUPLICATE_COSINE = 0.9
ALL_SAMPLES = 1000
SHOWN_DIGITS = 5


class LensNotMeasured(NotFound):
    pass


def list_examples(session: Session, feature_id: int, top_k: int, kind: str) -> list[FeatureExample]:
    """Contexts of one kind: the strongest first, near misses the closest first."""
    require_feature(session, feature_id)
    return [example_of(row) for row in features.list_examples(session, feature_id, top_k, kind)]


def list_intervals(session: Session, feature_id: int) -> list[Interval]:
    """Octaves of the activation with how many firings they hold and a few of them."""
    feature = require_feature(session, feature_id)
    samples: dict[int, list[FeatureExample]] = defaultdict(list)
    for row in features.list_examples(session, feature_id, ALL_SAMPLES, SAMPLE):
        samples[row.octave or 0].append(example_of(row))
    return [
        Interval(
            octave=int(found["octave"]), low=found["from"], high=found["to"],
            count=int(found["count"]), share=found["share"],
            examples=samples[int(found["octave"])],
        )
        for found in feature.metadata_.get("intervals", [])
    ]  # fmt: skip


def read_histogram(session: Session, feature_id: int) -> Histogram:
    feature = require_feature(session, feature_id)
    found = feature.metadata_.get("histogram") or {"edges": [], "counts": []}
    n_tokens, n_fires = feature.metadata_.get("n_tokens"), feature.n_fires
    silent = None if n_tokens is None or n_fires is None else n_tokens - n_fires
    return Histogram(edges=found["edges"], counts=found["counts"], n_zero=silent)


def read_logit_lens(session: Session, feature_id: int) -> LogitLens:
    """
    Raises:
        LensNotMeasured: The place of the dictionary has no direct way to the logits.
    """
    feature = require_feature(session, feature_id)
    lens = feature.metadata_.get("logit_lens")
    if not lens:
        raise LensNotMeasured(
            "The logit lens of this feature was not measured.", details={"feature_id": feature_id}
        )
    return LogitLens(
        feature_id=feature.id,
        definition=METRIC_DEFINITIONS["logit_lens"],
        top=[LensToken(**token) for token in lens["top"]],
        bottom=[LensToken(**token) for token in lens["bottom"]],
    )


def read_correlations(session: Session, feature_id: int, top_k: int) -> Correlations:
    """Features that fire together with this one, the highest Pearson correlation first."""
    feature = require_feature(session, feature_id)
    return Correlations(
        feature_id=feature.id,
        definition=METRIC_DEFINITIONS["correlation"],
        n_tokens=feature.metadata_.get("n_co_firing_tokens"),
        features=_related(session, feature, "correlated")[:top_k],
    )


def read_neighbours(session: Session, feature_id: int) -> Neighbours:
    """Features whose decoder or encoder direction is the closest, by cosine."""
    feature = require_feature(session, feature_id)
    return Neighbours(
        feature_id=feature.id,
        decoder=_related(session, feature, "decoder_neighbours"),
        encoder=_related(session, feature, "encoder_neighbours"),
    )


def read_map(session: Session, training_id: UUID) -> FeatureMap:
    """The whole dictionary at once, from what discovery stored; nothing is computed here."""
    require_training(session, training_id)
    rows = features.map_rows(session, training_id)
    index, ids, x, y, cluster, frequency, largest, name = (
        [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(8)]
    )
    facts = features.facts(session, training_id)
    return FeatureMap(
        training_id=training_id,
        layout=facts.get("layout"),
        n_clusters=len({number for number in cluster if number is not None}),
        features=MapColumns(
            ids=ids, neuron_index=index, x=x, y=y, cluster=cluster,
            activation_frequency=frequency, max_activation=largest, name=name,
        ),
        dead=[i for i, share in zip(ids, frequency, strict=True) if share == 0],
        dense=[i for i, share in zip(ids, frequency, strict=True) if (share or 0) > DENSE_SHARE],
        duplicates=_duplicates(session, training_id),
    )  # fmt: skip


def read_packed_map(session: Session, training_id: UUID) -> PackedMap:
    """The same as columns that a browser takes as they are."""
    require_training(session, training_id)
    found = read_columns(session, training_id)
    packed = {
        name: b64encode(getattr(found, name)).decode()
        for name in PackedColumns.model_fields
        if name != "names"
    }
    return PackedMap(
        training_id=training_id,
        layout=features.facts(session, training_id).get("layout"),
        n_features=found.count,
        n_clusters=found.n_clusters,
        columns=PackedColumns(names=found.names, **packed),
        duplicates=_duplicates(session, training_id),
    )


def example_of(row: FeatureActivation | Row[Any]) -> FeatureExample:
    return FeatureExample(
        rank=row.rank,
        kind=cast(ContextKind, row.kind),
        document=row.document,
        position=row.position,
        split="train" if row.split == "train" else "held_out",
        tokens=split_tokens(row.sample_text, row.token_lengths),
        token_ids=row.token_ids,
        activations=list(map(round, row.activations, repeat(SHOWN_DIGITS))),
        max_activation=row.max_activation,
        octave=row.octave,
        margin=row.margin,
        token_index=row.token_index,
        window_position=row.window_position,
    )


def _related(session: Session, feature: Feature, key: str) -> list[RelatedFeature]:
    listed: list[dict[str, Any]] = feature.metadata_.get(key) or []
    known = features.by_index(session, feature.training_id, [entry["index"] for entry in listed])
    return [
        RelatedFeature(
            id=other.id if (other := known.get(entry["index"])) else None,
            neuron_index=entry["index"],
            name=(other.name or other.label) if other else None,
            **{k: entry.get(k) for k in ("pearson", "jaccard", "pmi", "together", "cosine")},
        )
        for entry in listed
    ]


def _duplicates(session: Session, training_id: UUID) -> list[tuple[int, int, float]]:
    """Pairs of ids above the threshold, each once."""
    pairs: dict[tuple[int, int], float] = {}
    for index, neighbours in features.close_neighbours(session, training_id, DUPLICATE_COSINE):
        for entry in neighbours:
            if entry["cosine"] >= DUPLICATE_COSINE:
                pairs[min(index, entry["index"]), max(index, entry["index"])] = entry["cosine"]
    ids = features.ids_by_index(session, training_id, {index for pair in pairs for index in pair})
    ranked = sorted(pairs.items(), key=lambda pair: -pair[1])
    return [(ids[a], ids[b], cosine) for (a, b), cosine in ranked if a in ids and b in ids]
