"""Templates: saved settings of trainings and of extractions, and the file that carries them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, Field

from app.core.enums import EncoderType
from app.ml.configs import HOOK_TYPES
from app.schemas.common import RequestModel, ResponseModel, Timestamp
from app.schemas.steering import MAX_FEATURES, SteeringCondition, SteeringMode
from app.schemas.steering_run import PresetFeature, PresetSettings
from app.schemas.training import Hyperparameters

BUNDLE_FORMAT = "mistudio-templates"
BUNDLE_VERSION = 1
MAX_BUNDLED = 1_000

Name = Annotated[str, Field(min_length=1, max_length=255, examples=["sparse_8x_10000steps"])]
Description = Annotated[str | None, Field(max_length=10_000)]


def _each_once(chosen: list[Any] | None) -> list[Any] | None:
    if chosen is not None and len(set(chosen)) < len(chosen):
        raise ValueError("names the same one twice")
    return chosen


Layers = Annotated[
    list[Annotated[int, Field(ge=0, le=1023)]] | None,
    Field(
        max_length=1024,
        description="Blocks to read, counted from 0, each once; null leaves them open",
        json_schema_extra={"uniqueItems": True},
    ),
    AfterValidator(_each_once),
]
HookTypes = Annotated[
    list[Literal[HOOK_TYPES]] | None,  # type: ignore[valid-type]
    Field(
        max_length=len(HOOK_TYPES),
        description="Each once; null leaves them open",
        json_schema_extra={"uniqueItems": True},
    ),
    AfterValidator(_each_once),
]
MaxSamples = Annotated[
    int | None, Field(ge=1, le=2**31 - 1, description="Windows read at most; null means all")
]
TopKExamples = Annotated[
    int | None,
    Field(ge=1, le=200, description="Contexts kept per feature by a discovery; null: its default"),
]
OnDuplicate = Literal["skip", "replace", "rename"]


class TrainingTemplateWrite(RequestModel):
    """Settings of a training under a name. Without a model it fits every model."""

    name: Name
    description: Description = None
    model_id: UUID | None = None
    dataset_id: UUID | None = None
    encoder_type: EncoderType = EncoderType.SPARSE
    hyperparameters: Hyperparameters = Field(default_factory=Hyperparameters)  # type: ignore[valid-type]
    is_favorite: bool = False


class TrainingTemplatePatch(RequestModel):
    """Only what is named changes; ``hyperparameters`` are replaced as a whole."""

    name: Name | None = None
    description: Description = None
    model_id: UUID | None = None
    dataset_id: UUID | None = None
    encoder_type: EncoderType | None = None
    hyperparameters: Hyperparameters | None = None  # type: ignore[valid-type]
    is_favorite: bool | None = None


class TrainingTemplateRead(ResponseModel):
    id: UUID
    name: str
    description: str | None
    model_id: UUID | None
    dataset_id: UUID | None
    encoder_type: EncoderType
    hyperparameters: dict[str, Any]
    is_favorite: bool
    created_at: datetime
    updated_at: datetime


class ExtractionTemplateWrite(RequestModel):
    """Which activations to read and how many examples to keep, under a name."""

    name: Name
    description: Description = None
    layers: Layers = None
    hook_types: HookTypes = None
    max_samples: MaxSamples = None
    top_k_examples: TopKExamples = None
    is_favorite: bool = False


class ExtractionTemplatePatch(RequestModel):
    """Only what is named changes."""

    name: Name | None = None
    description: Description = None
    layers: Layers = None
    hook_types: HookTypes = None
    max_samples: MaxSamples = None
    top_k_examples: TopKExamples = None
    is_favorite: bool | None = None


class ExtractionTemplateRead(ResponseModel):
    id: UUID
    name: str
    description: str | None
    layers: list[int] | None
    hook_types: list[str] | None
    max_samples: int | None
    top_k_examples: int | None
    is_favorite: bool
    created_at: datetime
    updated_at: datetime


class BundledTrainingTemplate(TrainingTemplateWrite):
    """Its hyperparameters are checked when it is imported, by the settings known there."""

    hyperparameters: dict[str, Any] = Field(default_factory=dict)


class BundledPreset(RequestModel):
    """A steering preset; it fits only where its training is."""

    training_id: UUID
    name: Name
    description: Description = None
    features: list[PresetFeature] = Field(min_length=1, max_length=MAX_FEATURES)
    intervention_layer: int = Field(ge=0, le=1023)
    temperature: float = Field(1.0, ge=0, le=5)
    condition: SteeringCondition | None = None
    mode: SteeringMode = "delta"
    settings: PresetSettings = Field(default_factory=PresetSettings)
    is_favorite: bool = False


class TemplateBundle(RequestModel):
    """The export file: all templates and steering presets of one installation."""

    format: Literal["mistudio-templates"]
    version: Literal[1]
    exported_at: Timestamp
    training_templates: list[BundledTrainingTemplate] = Field([], max_length=MAX_BUNDLED)
    extraction_templates: list[ExtractionTemplateWrite] = Field([], max_length=MAX_BUNDLED)
    steering_presets: list[BundledPreset] = Field([], max_length=MAX_BUNDLED)


class ImportOutcome(ResponseModel):
    """What became of one entry of the file."""

    kind: Literal["training_template", "extraction_template", "steering_preset"]
    name: str
    outcome: Literal["created", "replaced", "skipped"]
    note: str | None = Field(description="Why it was skipped or changed")


class TemplatesImported(ResponseModel):
    created: int
    replaced: int
    skipped: int
    outcomes: list[ImportOutcome]
