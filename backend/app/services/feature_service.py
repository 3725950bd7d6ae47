"""Features: the table, one feature, its contexts and its logit lens."""

from typing import Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.db.models import Feature, FeatureActivation
from app.db.repositories import features
from app.ml.configs import METRIC_DEFINITIONS
from app.schemas.feature import (
    FeatureExample,
    FeaturePatch,
    FeatureRead,
    FeatureRow,
    LensToken,
    LogitLens,
)
from app.services.lookup import require_feature, require_training
from app.services.paging import RowPage, SortOrder
from app.services.versions import require_match


class LensNotMeasured(NotFound):
    pass


def list_features(
    session: Session,
    *,
    training_id: UUID | None,
    page: int,
    limit: int,
    search: str | None = None,
    is_favorite: bool | None = None,
    sort_by: str = "activation_frequency",
    order: SortOrder = "desc",
) -> RowPage[FeatureRow]:
    if training_id is not None:
        require_training(session, training_id)
    rows = features.list_page(
        session,
        training_id=training_id,
        page=page,
        limit=limit,
        search=search,
        is_favorite=is_favorite,
        sort_by=sort_by,
        order=order,
    )
    top = features.top_examples(session, [row.id for row in rows.items])
    items = [FeatureRow(**_row(row, top.get(row.id))) for row in rows.items]
    return RowPage(items, rows.page, rows.limit, rows.total)


def read_feature(session: Session, feature_id: int) -> FeatureRead:
    return _read(session, require_feature(session, feature_id))


def patch_feature(
    session: Session, feature_id: int, patch: FeaturePatch, if_match: str | None = None
) -> FeatureRead:
    """Name, describe or mark a feature; an emptied name gives way to the measured label.

    Raises:
        PreconditionFailed: ``if_match`` names another state of it.
    """
    feature = require_feature(session, feature_id, lock=True)
    if if_match is not None:
        require_match(_read(session, feature), if_match)
    values = patch.model_dump(exclude_unset=True)
    for field in ("name", "description"):
        if field in values:
            setattr(feature, field, (values[field] or "").strip() or None)
    if values.get("is_favorite") is not None:
        feature.is_favorite = values["is_favorite"]
    session.flush()
    return _read(session, feature)


def list_examples(session: Session, feature_id: int, top_k: int) -> list[FeatureExample]:
    """The strongest contexts, strongest first."""
    require_feature(session, feature_id)
    return [_example(row) for row in features.list_examples(session, feature_id, top_k)]


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


def _read(session: Session, feature: Feature) -> FeatureRead:
    top = features.top_examples(session, [feature.id]).get(feature.id)
    shown = {key: value for key, value in feature.metadata_.items() if key != "logit_lens"}
    return FeatureRead(
        **_row(feature, top),
        metadata=shown,
        n_tokens=feature.metadata_.get("n_tokens"),
        n_examples=features.count_examples(session, feature.id),
        created_at=feature.created_at,
    )


def _row(feature: Feature, top: FeatureActivation | None) -> dict[str, Any]:
    label = feature.metadata_.get("label") or None
    return {
        "id": feature.id,
        "training_id": feature.training_id,
        "neuron_index": feature.neuron_index,
        "layer": feature.layer,
        "name": feature.name or label,
        "label": label,
        "description": feature.description,
        "activation_frequency": feature.activation_frequency,
        "interpretability_score": feature.interpretability_score,
        "max_activation": feature.max_activation,
        "mean_activation": feature.mean_activation,
        "n_fires": feature.n_fires,
        "is_favorite": feature.is_favorite,
        "top_example": _example(top) if top is not None else None,
    }


def _example(row: FeatureActivation) -> FeatureExample:
    split: Literal["train", "held_out"] = "train" if row.split == "train" else "held_out"
    return FeatureExample(
        rank=row.rank,
        document=row.document,
        position=row.position,
        split=split,
        tokens=row.tokens,
        token_ids=row.token_ids,
        activations=row.activations,
        max_activation=row.max_activation,
    )
