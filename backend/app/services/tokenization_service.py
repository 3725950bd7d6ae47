"""Tokenisations of a dataset, and the preview of one text's tokens."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind, ResourceType, TokenizationStatus
from app.core.errors import NotFound, NotReady
from app.core.paths import model_dir, safe_join, tokenization_dir
from app.db.models import Tokenization
from app.db.repositories import datasets
from app.ml.configs import TokenizationConfig
from app.schemas.common import JobAccepted
from app.schemas.dataset import (
    TokenizationRead,
    TokenizePreview,
    TokenizePreviewRequest,
    TokenizeRequest,
    TokenPiece,
)
from app.schemas.model import NamedToken, TokenizedText, TokenizeText
from app.services import job_service
from app.services.job_summaries import accepted, shown_progress, summaries
from app.services.lookup import require_dataset, require_ready_dataset, require_ready_model
from app.services.ml_settings import build_config, refuse_field


class TokenizationNotFound(NotFound):
    pass


class TokenizationNotReady(NotReady):
    pass


def tokenize_dataset(session: Session, dataset_id: UUID, request: TokenizeRequest) -> JobAccepted:
    """Queue a tokenisation.

    Raises:
        NotReady: Dataset or model is not ready.
        ValidationFailed: The windows are longer than the model reads.
    """
    dataset = require_ready_dataset(session, dataset_id)
    model = require_ready_model(session, request.model_id)
    config = build_config(TokenizationConfig, request.model_dump(exclude={"model_id"}))
    longest = int(model.metadata_["max_positions"])
    if config.max_length > longest:
        refuse_field(
            "max_length", f"must not exceed the {longest} positions of the model", config.max_length
        )
    row = create_tokenization(session, dataset.id, model.id, config)
    job = job_service.create_job(
        session, JobKind.DATASET_TOKENIZE, ResourceType.TOKENIZATION, row.id, {}
    )
    return accepted(job)


def create_tokenization(
    session: Session, dataset_id: UUID, model_id: UUID, config: TokenizationConfig
) -> Tokenization:
    """A row without tokens yet; the job that fills it is the caller's affair."""
    row = Tokenization(
        dataset_id=dataset_id,
        model_id=model_id,
        status=TokenizationStatus.QUEUED,
        config=config.to_dict(),
    )
    session.add(row)
    session.flush()
    row.file_path = str(tokenization_dir(dataset_id, row.id))
    session.flush()
    return row


def choose_tokenization(
    session: Session,
    dataset_id: UUID,
    model_id: UUID,
    max_positions: int,
    tokenization_id: UUID | None = None,
) -> Tokenization:
    """The tokenisation that an extraction reads: the named one, the latest, or a new one to fill.

    Raises:
        TokenizationNotFound: The named one is not of this dataset and model.
        TokenizationNotReady: The named one has no tokens yet.
    """
    found = find_tokenization(session, dataset_id, model_id, tokenization_id)
    if found is not None:
        return found
    default = TokenizationConfig()
    config = TokenizationConfig(max_length=min(default.max_length, max_positions))
    return create_tokenization(session, dataset_id, model_id, config)


def find_tokenization(
    session: Session, dataset_id: UUID, model_id: UUID, tokenization_id: UUID | None
) -> Tokenization | None:
    """The named tokenisation, else the latest, if there is one; errors as above."""
    if tokenization_id is None:
        return datasets.latest_tokenization(session, dataset_id, model_id)
    row = datasets.get_tokenization(session, tokenization_id)
    if row is None or (row.dataset_id, row.model_id) != (dataset_id, model_id):
        raise TokenizationNotFound(
            "This tokenisation does not exist for the chosen dataset and model.",
            details={"field": "tokenization_id", "value": str(tokenization_id)},
        )
    if row.status is not TokenizationStatus.READY:
        raise TokenizationNotReady(
            f"The tokenisation is {row.status}. Wait until it is ready, or leave it out.",
            details={"tokenization_id": str(tokenization_id), "status": row.status},
        )
    return row


def list_tokenizations(session: Session, dataset_id: UUID) -> list[TokenizationRead]:
    require_dataset(session, dataset_id)
    return read_for_datasets(session, [dataset_id]).get(dataset_id, [])


def read_for_datasets(
    session: Session, dataset_ids: Sequence[UUID]
) -> dict[UUID, list[TokenizationRead]]:
    found = datasets.tokenizations_of(session, dataset_ids)
    ids = [row.id for rows in found.values() for row in rows]
    jobs = summaries(session, ResourceType.TOKENIZATION, ids)
    return {
        dataset_id: [
            TokenizationRead(
                id=row.id,
                dataset_id=row.dataset_id,
                model_id=row.model_id,
                status=row.status,
                progress=shown_progress(
                    row.status is TokenizationStatus.READY, jobs.get(row.id), row.progress
                ),
                n_tokens=row.n_tokens,
                n_documents=row.n_documents,
                error_message=row.error_message,
                metadata=row.config | row.metadata_,
                created_at=row.created_at,
                job=jobs.get(row.id),
            )
            for row in rows
        ]
        for dataset_id, rows in found.items()
    }


def preview(
    session: Session, settings: Settings, dataset_id: UUID, request: TokenizePreviewRequest
) -> TokenizePreview:
    """Cut a text with a model's tokenizer, in this process: it needs no model weights."""
    require_dataset(session, dataset_id)
    model = require_ready_model(session, request.model_id)
    pieces = [TokenPiece(id=i, text=text) for i, text in _cut(settings, model.id, request.text)]
    return TokenizePreview(tokens=pieces, n_tokens=len(pieces), n_characters=len(request.text))


def tokenize_text(
    session: Session, settings: Settings, model_id: UUID, request: TokenizeText
) -> TokenizedText:
    """Cut a text into a model's tokens, and name tokens by their ids; needs no weights either."""
    model = require_ready_model(session, model_id)
    tokenizer = _tokenizer_of(settings, model.id)
    known = tokenizer.get_vocab_size(with_added_tokens=True)
    return TokenizedText(
        tokens=[NamedToken(id=i, text=t) for i, t in _cut(settings, model.id, request.text)],
        named=[
            NamedToken(
                id=i,
                text=tokenizer.decode([i], skip_special_tokens=False) if i < known else None,
            )
            for i in request.token_ids
        ],
    )


def _cut(settings: Settings, model_id: UUID, text: str) -> list[tuple[int, str]]:
    """Ids of a text's tokens with their pieces of it."""
    encoding = _tokenizer_of(settings, model_id).encode(text, add_special_tokens=False)
    return [
        (token_id, text[start:end] or token)
        for token_id, token, (start, end) in zip(
            encoding.ids, encoding.tokens, encoding.offsets, strict=True
        )
    ]


def _tokenizer_of(settings: Settings, model_id: UUID) -> Any:
    path = safe_join(settings.data_root, model_dir(model_id)) / "tokenizer.json"
    if not path.is_file():
        raise NotReady(
            "The model's tokenizer is missing on disk; import the model again.",
            details={"model_id": str(model_id)},
        )
    return _tokenizer(path)


@lru_cache(maxsize=4)
def _tokenizer(path: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(path))
