"""Steered generation beside the unsteered one."""

from fastapi import APIRouter, Request

from app.api.deps import MetaDep, SessionDep, SettingsDep, client_left, enveloped, failures
from app.schemas.common import Envelope
from app.schemas.steering import SteeringGenerate, SteeringResult
from app.services import steering_service

router = APIRouter(prefix="/steering", tags=["steering"])


@router.post("/generate", responses=failures(404, 409, 503, 504))
def generate(
    body: SteeringGenerate,
    request: Request,
    session: SessionDep,
    settings: SettingsDep,
    meta: MetaDep,
) -> Envelope[SteeringResult]:
    """Generate a text with and without features added to the model's hidden states."""
    result = steering_service.generate(session, settings, body, client_left(request))
    return enveloped(result, meta)
