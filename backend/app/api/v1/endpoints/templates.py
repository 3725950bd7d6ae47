"""Templates: saved settings of trainings and of extractions, and the file that carries them."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

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
from app.api.section import Section
from app.schemas.common import Envelope, Page
from app.schemas.template import (
    ExtractionTemplatePatch,
    ExtractionTemplateRead,
    ExtractionTemplateWrite,
    OnDuplicate,
    TemplateBundle,
    TemplatesImported,
    TrainingTemplatePatch,
    TrainingTemplateRead,
    TrainingTemplateWrite,
)
from app.services import template_exchange, template_rows, template_service
from app.services.template_rows import EXTRACTION, TRAINING

router = Section(prefix="/templates", tags=["templates"])
ModelFilter = Annotated[
    UUID | None, Query(description="Templates of this model, and those that fit every model")
]
DuplicateQuery = Annotated[
    OnDuplicate, Query(description="What happens to an entry whose name is taken")
]


@router.get("/export", responses=failures())
def export_templates(session: SessionDep, response: Response) -> TemplateBundle:
    """Download all templates and steering presets as one dated file, without an envelope."""
    bundle = template_exchange.export_bundle(session)
    name = f"mistudio-templates-{bundle.exported_at:%Y-%m-%d}.json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return bundle


@router.post("/import", responses=failures(409, 422))
def import_templates(
    bundle: TemplateBundle,
    session: SessionDep,
    posting: PostingDep,
    on_duplicate: DuplicateQuery = "skip",
) -> Envelope[TemplatesImported]:
    """Take over an exported file: all of it or, when an entry is invalid, nothing."""
    return posting.answered(
        bundle,
        TemplatesImported,
        lambda: template_exchange.import_bundle(session, bundle, on_duplicate),
    )


@router.get("/training", responses=failures())
def list_training_templates(
    session: SessionDep,
    meta: MetaDep,
    page: PageQuery = 1,
    limit: LimitQuery = 50,
    model_id: ModelFilter = None,
    is_favorite: bool | None = None,
    search: SearchQuery = None,
    sort_by: SortQuery = "is_favorite",
    order: OrderQuery = "desc",
) -> Page[TrainingTemplateRead]:
    """List training templates, favourites first."""
    rows = template_rows.list_page(
        session,
        TRAINING,
        page=page,
        limit=limit,
        model_id=model_id,
        is_favorite=is_favorite,
        search=search,
        sort_by=sort_by,
        order=order,
    )
    return paged(rows, meta)


@router.post("/training", status_code=201, responses=failures(404, 409, 422))
def create_training_template(
    body: TrainingTemplateWrite, session: SessionDep, posting: PostingDep
) -> Envelope[TrainingTemplateRead]:
    """Save the settings of a training under a name."""
    return posting.created(
        body,
        TrainingTemplateRead,
        lambda: template_service.create_training_template(session, body),
        lambda made: f"/templates/training/{made.id}",
        is_versioned=True,
    )


@router.get("/training/{template_id}", responses=failures(404))
def get_training_template(
    template_id: UUID, session: SessionDep, meta: MetaDep, response: Response
) -> Envelope[TrainingTemplateRead]:
    """Read one training template."""
    return tagged(template_rows.read(session, TRAINING, template_id), meta, response)


@router.put("/training/{template_id}", responses=failures(404, 409, 412))
def replace_training_template(
    template_id: UUID,
    body: TrainingTemplateWrite,
    session: SessionDep,
    meta: MetaDep,
    response: Response,
    if_match: IfMatch = None,
) -> Envelope[TrainingTemplateRead]:
    """Replace a training template; what the body leaves out takes its default."""
    replaced = template_service.replace_training_template(session, template_id, body, if_match)
    return tagged(replaced, meta, response)


@router.patch("/training/{template_id}", responses=failures(404, 409, 412))
def patch_training_template(
    template_id: UUID,
    body: TrainingTemplatePatch,
    session: SessionDep,
    meta: MetaDep,
    response: Response,
    if_match: IfMatch = None,
) -> Envelope[TrainingTemplateRead]:
    """Change some fields of a training template, e.g. mark it as a favourite."""
    patched = template_service.patch_training_template(session, template_id, body, if_match)
    return tagged(patched, meta, response)


@router.delete("/training/{template_id}", responses=failures(404, 412))
def delete_training_template(
    template_id: UUID, session: SessionDep, meta: MetaDep, if_match: IfMatch = None
) -> Envelope[TrainingTemplateRead]:
    """Delete a training template; trainings made with it stay. Answers what was deleted."""
    return enveloped(template_rows.delete(session, TRAINING, template_id, if_match), meta)


@router.get("/extraction", responses=failures())
def list_extraction_templates(
    session: SessionDep,
    meta: MetaDep,
    page: PageQuery = 1,
    limit: LimitQuery = 50,
    is_favorite: bool | None = None,
    search: SearchQuery = None,
    sort_by: SortQuery = "is_favorite",
    order: OrderQuery = "desc",
) -> Page[ExtractionTemplateRead]:
    """List extraction templates, favourites first."""
    rows = template_rows.list_page(
        session,
        EXTRACTION,
        page=page,
        limit=limit,
        is_favorite=is_favorite,
        search=search,
        sort_by=sort_by,
        order=order,
    )
    return paged(rows, meta)


@router.post("/extraction", status_code=201, responses=failures(409, 422))
def create_extraction_template(
    body: ExtractionTemplateWrite, session: SessionDep, posting: PostingDep
) -> Envelope[ExtractionTemplateRead]:
    """Save the settings of an extraction under a name."""
    return posting.created(
        body,
        ExtractionTemplateRead,
        lambda: template_service.create_extraction_template(session, body),
        lambda made: f"/templates/extraction/{made.id}",
        is_versioned=True,
    )


@router.get("/extraction/{template_id}", responses=failures(404))
def get_extraction_template(
    template_id: UUID, session: SessionDep, meta: MetaDep, response: Response
) -> Envelope[ExtractionTemplateRead]:
    """Read one extraction template."""
    return tagged(template_rows.read(session, EXTRACTION, template_id), meta, response)


@router.put("/extraction/{template_id}", responses=failures(404, 409, 412))
def replace_extraction_template(
    template_id: UUID,
    body: ExtractionTemplateWrite,
    session: SessionDep,
    meta: MetaDep,
    response: Response,
    if_match: IfMatch = None,
) -> Envelope[ExtractionTemplateRead]:
    """Replace an extraction template; what the body leaves out takes its default."""
    replaced = template_service.replace_extraction_template(session, template_id, body, if_match)
    return tagged(replaced, meta, response)


@router.patch("/extraction/{template_id}", responses=failures(404, 409, 412))
def patch_extraction_template(
    template_id: UUID,
    body: ExtractionTemplatePatch,
    session: SessionDep,
    meta: MetaDep,
    response: Response,
    if_match: IfMatch = None,
) -> Envelope[ExtractionTemplateRead]:
    """Change some fields of an extraction template, e.g. mark it as a favourite."""
    patched = template_service.patch_extraction_template(session, template_id, body, if_match)
    return tagged(patched, meta, response)


@router.delete("/extraction/{template_id}", responses=failures(404, 412))
def delete_extraction_template(
    template_id: UUID, session: SessionDep, meta: MetaDep, if_match: IfMatch = None
) -> Envelope[ExtractionTemplateRead]:
    """Delete an extraction template. Answers what was deleted."""
    return enveloped(template_rows.delete(session, EXTRACTION, template_id, if_match), meta)
