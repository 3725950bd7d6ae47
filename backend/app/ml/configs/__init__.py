"""Torch-free settings of the core: one definition, read by forms, schemas and loops alike."""

from app.ml.configs.definitions import METRIC_DEFINITIONS
from app.ml.configs.discovery import DiscoveryConfig
from app.ml.configs.encoders import (
    ENCODER_TYPES,
    TRANSCODER_INPUT,
    TRANSCODER_TARGET,
    encoder_type_problems,
    hook_type_problems,
    input_hook_type,
    target_hook_type,
)
from app.ml.configs.extraction import HOOK_TYPES, STORE_DTYPES, ExtractionConfig
from app.ml.configs.grids import sharing_problems
from app.ml.configs.places import place_of, width_of
from app.ml.configs.quantisation import QUANTISATIONS
from app.ml.configs.scoring import ScoringConfig
from app.ml.configs.settings import Config, ConfigInvalid, FieldSpec, Problem, field_specs
from app.ml.configs.steering import (
    READING_METHODS,
    STEERING_METHODS,
    STEERING_MODES,
    STEERING_UNITS,
    UNITS_OF_METHOD,
    SteeringConfig,
)
from app.ml.configs.tokenization import TokenizationConfig
from app.ml.configs.training import (
    ACTIVATIONS,
    LR_SCHEDULES,
    OPTIMIZERS,
    TrainingHyperparameters,
)
from app.ml.configs.verdicts import VERDICT_GUIDES, Guide

__all__ = [
    "ACTIVATIONS",
    "ENCODER_TYPES",
    "HOOK_TYPES",
    "LR_SCHEDULES",
    "METRIC_DEFINITIONS",
    "OPTIMIZERS",
    "QUANTISATIONS",
    "READING_METHODS",
    "STEERING_METHODS",
    "STEERING_MODES",
    "STEERING_UNITS",
    "STORE_DTYPES",
    "TRANSCODER_INPUT",
    "TRANSCODER_TARGET",
    "UNITS_OF_METHOD",
    "VERDICT_GUIDES",
    "Config",
    "ConfigInvalid",
    "DiscoveryConfig",
    "ExtractionConfig",
    "FieldSpec",
    "Guide",
    "Problem",
    "ScoringConfig",
    "SteeringConfig",
    "TokenizationConfig",
    "TrainingHyperparameters",
    "encoder_type_problems",
    "field_specs",
    "hook_type_problems",
    "input_hook_type",
    "place_of",
    "sharing_problems",
    "target_hook_type",
    "width_of",
]
