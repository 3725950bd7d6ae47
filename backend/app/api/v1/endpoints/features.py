"""Features of a trained dictionary."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query, Request, Response

from app.api.deps import (
    IfMatch,
    LimitQuery,
    MetaDep,
    OrderQuery,
    PageQuery,
    PostingDep,
    SearchQuery,
    SessionDep,
    SettingsDep,
    SortQuery,
    client_left,
    enveloped,
    failures,
    tagged,
)
from app.api.section import Section
from app.api.v1.feature_filters import FavoriteQuery, RangeQuery, TagQuery
from app.schemas.common import MAX_ID, Envelope, JobAccepted
from app.schemas.feature import (
    Correlations,
    FeatureChange,
    FeatureExample,
    FeatureExtract,
    FeatureMap,
    FeaturePage,
    FeaturePatch,
    FeatureRead,
    FeatureScoring,
    Histogram,
    Interval,
    LiveSearch,
    LogitLens,
    Neighbours,
)
from app.schemas.feature_audit import FeatureAudit
from app.schemas.feature_map import PackedMap
from app.schemas.feature_probe import Ablation, FeatureProbe, ProbeResult
from app.services import (
    discovery_service,
    feature_audit,
    feature_probe_service,
    feature_relations,
    feature_scoring,
    feature_service,
)
from app.services.feature_live_search import LiveHit, find_live_hits

router = Section(prefix="/features", tags=["features"])
FeatureId = Annotated[int, Path(ge=1, le=MAX_ID)]
TopKQuery = Annotated[int, Query(ge=1, le=200, description="Contexts")]
PartnersQuery = Annotated[int, Query(ge=1, le=200, description="Features, at most")]
ContextsQuery = Annotated[int, Query(ge=1, le=50, description="Strongest contexts read")]
KindQuery = Annotated[
    Literal["top", "sample", "near_miss"],
    Query(description="Strongest, sampled from all strengths, or almost fired"),
]
LiveQuery = Annotated[
    bool,
    Query(
        description="With a search of one training: features that fire when the model reads the "
        "search as a text are hits too. Waits for the answer, at most 20 seconds"
    ),
]
CursorQuery = Annotated[
    str | None, Query(max_length=1000, description="``next_cursor`` of the page before")
]


@router.post("/extract", status_code=202, responses=failures(404, 409, 422))
def extract_features(
    body: FeatureExtract, session: SessionDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Measure all features of a training's latest checkpoint."""
    return posting.queued(body, lambda: discovery_service.extract_features(session, body))


@router.post("/score", status_code=202, responses=failures(404, 409, 422))
def score_features(
    body: FeatureScoring, session: SessionDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Measure which features steer (output score) and which read (input score)."""
    return posting.queued(body, lambda: feature_scoring.score_features(session, body))


@router.post("/audit", status_code=202, responses=failures(404, 409, 422))
def audit_features(
    body: FeatureAudit, session: SessionDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Recompute random contexts from model and dictionary and compare them with what is stored."""
    return posting.queued(body, lambda: feature_audit.queue_audit(session, body))


@router.get("", responses=failures(404))
def list_features(
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    meta: MetaDep,
    training_id: UUID | None = None,
    page: PageQuery = 1,
    limit: LimitQuery = 50,
    search: SearchQuery = None,
    live: LiveQuery = False,
    is_favorite: FavoriteQuery = None,
    ranges: RangeQuery = [],  # noqa: B006 - FastAPI copies it
    tags: TagQuery = [],  # noqa: B006
    sort_by: SortQuery = "activation_frequency",
    order: OrderQuery = "desc",
    cursor: CursorQuery = None,
) -> FeaturePage:
    """List features with their strongest context; a search says why each of them matches."""
    wanted = feature_service.make_filter(
        training_id=training_id,
        search=search,
        is_favorite=is_favorite,
        tags=tags,
        ranges=ranges,
    )

    def read_live(training_id: UUID, text: str) -> tuple[list[LiveHit], LiveSearch]:
        return find_live_hits(session, settings, training_id, text, client_left(request))

    return feature_service.list_features(
        session, wanted, meta, page=page, limit=limit, cursor=cursor, sort_by=sort_by, order=order,
        read_live=read_live if live else None,
    )  # fmt: skip


@router.post("/probe", responses=failures(404, 409, 503, 504))
def probe_features(
    body: FeatureProbe,
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    meta: MetaDep,
) -> Envelope[ProbeResult]:
    """Try your own text, or lines with an expected class: which features fire where."""
    left = client_left(request)
    return enveloped(feature_probe_service.probe(session, settings, body, left), meta)


@router.get("/map", responses=failures(404))
def get_map(training_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[FeatureMap]:
    """Read all features of a training as a map, with dead, dense and duplicate ones."""
    return enveloped(feature_relations.read_map(session, training_id), meta)


@router.get("/map/packed", responses=failures(404))
def get_packed_map(training_id: UUID, session: SessionDep, meta: MetaDep) -> Envelope[PackedMap]:
    """Read the map as packed columns, for pages that draw all features at once."""
    return enveloped(feature_relations.read_packed_map(session, training_id), meta)


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
    """Name, describe, tag or mark a feature."""
    patched = feature_service.patch_feature(session, feature_id, body, if_match)
    return tagged(patched, meta, response)


@router.post("/{feature_id}/undo", responses=failures(404, 409))
def undo_change(
    feature_id: FeatureId, session: SessionDep, meta: MetaDep, response: Response
) -> Envelope[FeatureRead]:
    """Take back the latest change that a person made."""
    return tagged(feature_service.undo_change(session, feature_id), meta, response)


@router.get("/{feature_id}/history", responses=failures(404))
def list_changes(
    feature_id: FeatureId, session: SessionDep, meta: MetaDep
) -> Envelope[list[FeatureChange]]:
    """Read what people changed, the latest first."""
    return enveloped(feature_service.list_changes(session, feature_id), meta)


@router.get("/{feature_id}/activations", responses=failures(404))
def list_examples(
    feature_id: FeatureId,
    session: SessionDep,
    meta: MetaDep,
    top_k: TopKQuery = 20,
    kind: KindQuery = "top",
) -> Envelope[list[FeatureExample]]:
    """Read contexts of a feature."""
    return enveloped(feature_relations.list_examples(session, feature_id, top_k, kind), meta)


@router.get("/{feature_id}/intervals", responses=failures(404))
def list_intervals(
    feature_id: FeatureId, session: SessionDep, meta: MetaDep
) -> Envelope[list[Interval]]:
    """Read the octaves of the activation, each with its share of the firings and examples."""
    return enveloped(feature_relations.list_intervals(session, feature_id), meta)


@router.get("/{feature_id}/histogram", responses=failures(404))
def get_histogram(feature_id: FeatureId, session: SessionDep, meta: MetaDep) -> Envelope[Histogram]:
    """Read how often the feature fires how strongly."""
    return enveloped(feature_relations.read_histogram(session, feature_id), meta)


@router.get("/{feature_id}/logit-lens", responses=failures(404))
def get_logit_lens(
    feature_id: FeatureId, session: SessionDep, meta: MetaDep
) -> Envelope[LogitLens]:
    """Read which tokens a feature promotes and suppresses directly."""
    return enveloped(feature_relations.read_logit_lens(session, feature_id), meta)


@router.get("/{feature_id}/correlations", responses=failures(404))
def get_correlations(
    feature_id: FeatureId, session: SessionDep, meta: MetaDep, top_k: PartnersQuery = 200
) -> Envelope[Correlations]:
    """Read which features fire together with this one."""
    return enveloped(feature_relations.read_correlations(session, feature_id, top_k), meta)


@router.get("/{feature_id}/neighbours", responses=failures(404))
def get_neighbours(
    feature_id: FeatureId, session: SessionDep, meta: MetaDep
) -> Envelope[Neighbours]:
    """Read which features point the same way."""
    return enveloped(feature_relations.read_neighbours(session, feature_id), meta)


@router.get("/{feature_id}/ablation", responses=failures(404, 409, 503, 504))
def get_ablation(
    feature_id: FeatureId,
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    meta: MetaDep,
    contexts: ContextsQuery = 10,
) -> Envelope[Ablation]:
    """Take the feature out on its strongest contexts: what the model loses there."""
    left = client_left(request)
    found = feature_probe_service.ablate(session, settings, feature_id, contexts, left)
    return enveloped(found, meta)
