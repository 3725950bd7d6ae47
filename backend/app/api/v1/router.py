"""Every endpoint below ``/api/v1``."""

from fastapi import APIRouter

from app.api.v1.endpoints import (
    activations,
    datasets,
    feature_exchange,
    feature_labels,
    features,
    jobs,
    models,
    saes,
    steering,
    system,
    templates,
    trainings,
    workflows,
)

router = APIRouter(prefix="/api/v1")
for part in (
    datasets,
    models,
    activations,
    trainings,
    saes,
    feature_exchange,  # these two before what takes any word for a feature's id
    feature_labels,
    features,
    steering,
    templates,
    jobs,
    workflows,
    system,
):
    router.include_router(part.router)
