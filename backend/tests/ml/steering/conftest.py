"""The planted model, once."""

import copy
from dataclasses import replace

import pytest

from app.ml.language_models import LoadedModel
from tests.ml.planted_behaviour import plant, plant_through_mlp


@pytest.fixture(scope="session")
def planted(glass: LoadedModel) -> LoadedModel:
    return plant(replace(glass, model=copy.deepcopy(glass.model)))


@pytest.fixture(scope="session")
def planted_mlp(glass: LoadedModel) -> LoadedModel:
    return plant_through_mlp(replace(glass, model=copy.deepcopy(glass.model)))
