"""Every endpoint below ``/api/v1``."""

from fastapi import FastAPI

from app.api.section import API_PREFIX
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

PARTS = (
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
)


def add_operations(app: FastAPI) -> None:
    for part in PARTS:
        app.include_router(part.router, prefix=API_PREFIX)
