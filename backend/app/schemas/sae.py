"""Dictionaries, trained here or imported, as things to exchange."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from app.core.enums import EncoderType, SaeSource, TrainingStatus
from app.schemas.access_token import TOKEN_HELP, AccessToken
from app.schemas.common import ResponseModel
from app.schemas.job import JobSummary
from app.schemas.placed import PLACE_NAMES, HookType, PlacedRequest
from app.schemas.repo_id import RepoId, Subfolder


class SaePlace(PlacedRequest):
    """What a dictionary belongs to; what its own files tell need not be said."""

    model_id: UUID = Field(description="Model that it was trained on")
    name: str | None = Field(None, min_length=1, max_length=255)
    layer: int | None = Field(None, ge=0, description="By default as its files say")
    hook_type: HookType | None = Field(
        None, description=f"Place that it reads; by default as its files say. {PLACE_NAMES}"
    )
    activation_id: UUID | None = Field(
        None,
        description="Activation store to prove it on; by default the newest of the model that "
        "holds the place, else the model reads a little text",
    )
    evaluate: bool = Field(
        True, description="Measure it on held-out documents afterwards, where a store has them"
    )


class SaeImport(SaePlace):
    """Import a dictionary of SAELens, dictionary_learning, sparsify or Gemma Scope from a path."""

    path: str = Field(min_length=1, description="Its folder, or Gemma Scope's params.npz")


class SaeDownload(SaePlace):
    """Import a dictionary from the Hugging Face hub."""

    repo_id: RepoId = Field(examples=["org/gpt2-saes"])
    subfolder: Subfolder | None = Field(
        None,
        description="Folder of the one dictionary",
        examples=["blocks.8.hook_resid_pre"],
    )
    access_token: AccessToken | None = Field(None, description=TOKEN_HELP)
    revision: str | None = Field(None, max_length=128)


class ParityReport(ResponseModel):
    """How far a converted dictionary is from its source, on real activations of its model."""

    n_tokens: int
    max_latent_difference: float = Field(
        description="Largest absolute difference of a latent, both sides in float64"
    )
    max_latent: float
    active_sets_equal: bool = Field(description="Whether the same latents are above zero")
    l0: float
    fvu: float = Field(description="Of the dictionary as it is used, in float32")
    fvu_source: float = Field(description="Of the source's own definition, in float64")
    explained_variance: float
    measured_on: Literal["extraction", "text"]


class SaeRead(ResponseModel):
    id: UUID = Field(description="Also the id of its training: features and steering go by it")
    name: str
    source: SaeSource
    model_id: UUID
    model_name: str
    dataset_id: UUID | None
    layer: int | None = Field(description="Empty until an import has read it")
    hook_type: str | None
    target_hook_type: str | None
    encoder_type: EncoderType | None
    activation: str | None
    k: int | None
    n_latents: int | None
    status: TrainingStatus
    error_message: str | None
    checkpoint_step: int | None = Field(description="Latest checkpoint: what is exported")
    best_step: int | None = Field(description="Checkpoint of the highest held-out quality")
    size_bytes: int | None
    explained_variance: float | None = Field(description="Of the latest checkpoint, held-out")
    origin: dict[str, Any] | None = Field(description="Where an imported one comes from")
    import_parity: ParityReport | None = Field(description="Against the files it was read from")
    export_parity: ParityReport | None = Field(
        description="Of the exported folder against the checkpoint; measured at the first export"
    )
    n_features: int
    created_at: datetime
    job: JobSummary | None = Field(description="Its import, or its latest training run")
