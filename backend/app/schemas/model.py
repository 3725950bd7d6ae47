"""Language models and their architecture."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from app.core.enums import ModelStatus, Quantization
from app.schemas.access_token import TOKEN_HELP, AccessToken
from app.schemas.common import RequestModel, ResponseModel
from app.schemas.job import JobSummary
from app.schemas.repo_id import RepoId

MAX_TOKEN_ID = 2**31 - 1
QuantizationChoice = Literal["FP16", "FP32", "Q8", "Q4", "Q2"]
QUANTIZATION_HELP = (
    "FP16 keeps the weights in 16 bits, FP32 in 32. Q8, Q4 and Q2 quantise the blocks' products to "
    "8, 4 or 2 bits whenever the model is loaded, for extraction, evaluation, discovery and "
    "steering alike: less memory, slower on a CPU, other activations than the original's (in 2 "
    "bits a small model hardly works any more)."
)


class ModelDownload(RequestModel):
    """Download a language model from the Hugging Face hub (safetensors only, no remote code)."""

    repo_id: RepoId = Field(examples=["HuggingFaceTB/SmolLM2-135M"])
    quantization: QuantizationChoice = Field("FP16", description=QUANTIZATION_HELP)
    access_token: AccessToken | None = Field(None, description=TOKEN_HELP)
    revision: str | None = Field(None, max_length=128)


class ModelImport(RequestModel):
    """Import a Hugging Face folder or a GGUF file from this machine."""

    path: str = Field(min_length=1, description="Folder with config.json, or a .gguf file")
    name: str | None = Field(None, min_length=1, max_length=255)
    quantization: QuantizationChoice = Field("FP16", description=QUANTIZATION_HELP)


class ModelRead(ResponseModel):
    id: UUID
    name: str
    repo_id: str | None
    architecture: str | None
    params_count: int | None
    quantization: Quantization | None
    memory_req_bytes: int | None
    status: ModelStatus
    progress: float | None
    error_message: str | None
    n_layers: int | None
    d_model: int | None
    size_bytes: int | None = Field(description="Bytes on disk")
    metadata: dict[str, Any] | None = Field(validation_alias="metadata_")
    created_at: datetime
    updated_at: datetime
    job: JobSummary | None


class ArchitectureLayer(ResponseModel):
    name: str
    kind: str
    detail: str = Field(description="Shape in words, e.g. 9 heads x 64, MLP 576 -> 1536 -> 576")
    params: int


class ModelArchitecture(ResponseModel):
    model_id: UUID
    name: str
    architecture: str
    family: str
    params_count: int
    n_layers: int
    d_model: int
    n_heads: int
    n_kv_heads: int
    d_mlp: int
    vocab_size: int
    max_positions: int
    tied_embeddings: bool
    hook_types: list[str] = Field(description="Hook points that this model offers in every layer")
    has_chat_template: bool = Field(
        description="Whether its files say how a conversation is written; only then can a prompt "
        "be a user's message, with a system prompt before it"
    )
    layers: list[ArchitectureLayer]


class TokenizeText(RequestModel):
    """What a model's tokenizer makes of a text, and what tokens given by their ids are."""

    text: str = Field("", max_length=20_000, description="Cut into tokens as it stands")
    token_ids: list[Annotated[int, Field(ge=0, le=MAX_TOKEN_ID)]] = Field(
        [], max_length=1000, description="Tokens to be named"
    )


class NamedToken(ResponseModel):
    id: int
    text: str | None = Field(description="Null where the model has no such token")


class TokenizedText(ResponseModel):
    tokens: list[NamedToken] = Field(description="Of the text, in order")
    named: list[NamedToken] = Field(description="Of the ids, in order")
