"""Activation stores: what a model computed on a dataset at chosen hook points."""

from uuid import UUID

from fastapi import Response

from app.api.deps import (
    LimitQuery,
    MetaDep,
    OrderQuery,
    PageQuery,
    PostingDep,
    SessionDep,
    SortQuery,
    enveloped,
    failures,
    paged,
    queued,
)
from app.api.section import Section
from app.core.enums import ActivationStatus
from app.schemas.activation import ActivationExtract, ActivationRead
from app.schemas.common import Envelope, JobAccepted, Page
from app.schemas.estimate import Estimate
from app.services import activation_service

router = Section(prefix="/activations", tags=["activations"])


@router.get("", responses=failures())
def list_activations(
    session: SessionDep,
    meta: MetaDep,
    page: PageQuery = 1,
    limit: LimitQuery = 50,
    status: ActivationStatus | None = None,
    model_id: UUID | None = None,
    dataset_id: UUID | None = None,
    sort_by: SortQuery = "created_at",
    order: OrderQuery = "desc",
) -> Page[ActivationRead]:
    """List activation stores."""
    rows = activation_service.list_activations(
        session,
        page=page,
        limit=limit,
        status=status,
        model_id=model_id,
        dataset_id=dataset_id,
        sort_by=sort_by,
        order=order,
    )
    return paged(rows, meta)


@router.post("/extract", status_code=202, responses=failures(404, 409, 422, 507))
def extract_activations(
    body: ActivationExtract, session: SessionDep, posting: PostingDep
) -> Envelope[JobAccepted]:
    """Run a model over a dataset and keep the activations of chosen layers."""
    return posting.queued(body, lambda: activation_service.extract_activations(session, body))


@router.post("/estimate", responses=failures(404, 409, 422))
def estimate_activations(
    body: ActivationExtract, session: SessionDep, meta: MetaDep
) -> Envelope[Estimate]:
    """Say what an extraction would take: memory, disk, time, and what is short."""
    return enveloped(activation_service.estimate_activations(session, body), meta)


@router.get("/{activation_id}", responses=failures(404))
def get_activation(
    activation_id: UUID, session: SessionDep, meta: MetaDep
) -> Envelope[ActivationRead]:
    """Read one activation store."""
    return enveloped(activation_service.read_activation(session, activation_id), meta)


@router.delete("/{activation_id}", status_code=202, responses=failures(404, 409))
def delete_activation(
    activation_id: UUID, session: SessionDep, meta: MetaDep, response: Response
) -> Envelope[JobAccepted]:
    """Delete an activation store in the background."""
    return queued(activation_service.delete_activation(session, activation_id), meta, response)
