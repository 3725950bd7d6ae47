"""Features of a trained dictionary."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from app.api.deps import (
    IfMatch,
    LimitQuery,
    MetaDep,
    OrderQuery,
    PageQuery,
    PostingDep,
    SearchQuery,
    SessionDep,
    SortQuery,
    enveloped,
    failures,
    paged,
    tagged,
)
from app.schemas.common import Envelope, JobAccepted, Page
from app.schemas.feature import (
    FeatureExample,
    FeatureExtract,
    FeaturePatch,
    FeatureRead,
    FeatureRow,
    LogitLens,
)
from app.services import discovery_service, feature_service

router = APIRouter(prefix="/features", tags=["features"])
FeatureId = Annotated[int, Path(ge=1, le=2**63 - 1)]
TopKQuery = Annotated[int, Query(ge=1, le=200, description="Strongest contexts")]


@router.post("/extract", status_code=202, responses=failures(404, 409, 422))
def extract_features(
    body: FeatureExtract, session: SessionDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Measure all features of a training's latest checkpoint."""
    return posting.queued(body, lambda: discovery_service.extract_features(session, body))


@router.get("", responses=failures(404))
def list_features(
    session: SessionDep,
    meta: MetaDep,
    training_id: UUID | None = None,
    page: PageQuery = 1,
    limit: LimitQuery = 50,
    search: SearchQuery = None,
    is_favorite: bool | None = None,
    sort_by: SortQuery = "activation_frequency",
    order: OrderQuery = "desc",
) -> Page[FeatureRow]:
    """List features with their strongest context."""
    rows = feature_service.list_features(
        session,
        training_id=training_id,
        page=page,
        limit=limit,
        search=search,
        is_favorite=is_favorite,
        sort_by=sort_by,
        order=order,
    )
    return paged(rows, meta)


@router.get("/{feature_id}", responses=failures(404))
def get_feature(
    feature_id: FeatureId, session: SessionDep, meta: MetaDep, response: Response
) -> Envelope[FeatureRead]:
    """Read one feature with its statistics."""
    return tagged(feature_service.read_feature(session, feature_id), meta, response)


@router.patch("/{feature_id}", responses=failures(404, 412))
def patch_feature(
    feature_id: FeatureId,
    body: FeaturePatch,
    session: SessionDep,
    meta: MetaDep,
    response: Response,
    if_match: IfMatch = None,
) -> Envelope[FeatureRead]:
    """Name, describe or mark a feature."""
    patched = feature_service.patch_feature(session, feature_id, body, if_match)
    return tagged(patched, meta, response)


@router.get("/{feature_id}/activations", responses=failures(404))
def list_examples(
    feature_id: FeatureId, session: SessionDep, meta: MetaDep, top_k: TopKQuery = 20
) -> Envelope[list[FeatureExample]]:
    """Read the strongest contexts of a feature."""
    return enveloped(feature_service.list_examples(session, feature_id, top_k), meta)


@router.get("/{feature_id}/logit-lens", responses=failures(404))
def get_logit_lens(
    feature_id: FeatureId, session: SessionDep, meta: MetaDep
) -> Envelope[LogitLens]:
    """Read which tokens a feature promotes and suppresses directly."""
    return enveloped(feature_service.read_logit_lens(session, feature_id), meta)
