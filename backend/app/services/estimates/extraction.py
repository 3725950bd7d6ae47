"""What an extraction of activations will take."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind
from app.db.models import Activation, Dataset, LanguageModel, Tokenization
from app.db.repositories import datasets
from app.ml.configs import ExtractionConfig, TokenizationConfig
from app.ml.configs.budget import (
    ModelShape,
    Need,
    extraction_needs,
    reading_flop,
    store_bytes,
)
from app.schemas.estimate import Estimate
from app.services.estimates.history import history_of
from app.services.estimates.room import Room, look_around
from app.services.estimates.verdict import as_recorded, judge, time_of, with_way_out

CHARACTERS_PER_TOKEN = 4
USUAL_WINDOW = 128
STREAMING = (
    "A training whose source is stream still learns from the whole text: it reads the model, and "
    "only measures on these activations."
)


class Judged(NamedTuple):
    """An estimate, and what a job records of it."""

    estimate: Estimate
    recorded: dict[str, Any]


def estimate_extraction(
    session: Session,
    settings: Settings,
    model: LanguageModel,
    tokens: tuple[int, int],
    config: ExtractionConfig,
) -> Judged:
    """Estimate memory, disk and time.

    Args:
        session: Open session.
        settings: Of this machine.
        model: A ready one.
        tokens: How many there are, and how many make a window.
        config: What is extracted.
    """
    room, shape = look_around(settings), shape_of(model)
    kind = f"{model.id} {room.device}"
    history = history_of(session, JobKind.ACTIVATION_EXTRACT, kind)
    flop = reading_flop(shape, max(config.layers))

    def of(config: ExtractionConfig) -> Estimate:
        n_tokens = expected_tokens(config, *tokens)
        width = _width(config, shape)
        size = store_bytes(n_tokens, width, config.dtype)
        return judge(
            room,
            history.base_bytes,
            [extraction_needs(shape, config.batch_size, tokens[1], width)],
            [],
            None,
            [Need("activations", size)],
            time_of(history, n_tokens, flop, room),
        )

    def again(change: dict[str, Any]) -> Estimate:
        return of(ExtractionConfig.from_dict(config.to_dict() | change))

    estimate = of(config)
    ways_out = _ways_out(config, room, shape, expected_tokens(config, *tokens))
    estimate = _with_streaming(with_way_out(estimate, ways_out, again))
    return Judged(estimate, as_recorded(estimate, flop, kind))


def _with_streaming(estimate: Estimate) -> Estimate:
    """Say how a training still reads the tokens that find no room on disk."""
    if estimate.proposal is None or "max_tokens" not in estimate.proposal:
        return estimate
    return estimate.model_copy(update={"message": f"{estimate.message} {STREAMING}"})


def shape_of(model: LanguageModel) -> ModelShape:
    card = model.metadata_
    return ModelShape(
        n_layers=int(card["n_layers"]),
        d_model=int(card["d_model"]),
        d_mlp=int(card["d_mlp"]),
        vocab_size=int(card["vocab_size"]),
        memory_bytes=int(model.memory_req_bytes or 0),
        d_z=card.get("d_z"),
    )


def _width(config: ExtractionConfig, shape: ModelShape) -> int:
    """Numbers of a token at all places together."""
    return len(config.layers) * sum(shape.width(hook_type) for hook_type in config.hook_types)


def count_tokens(
    dataset: Dataset, model: LanguageModel, tokenization: Tokenization | None
) -> tuple[int, int]:
    """Tokens of a dataset and of a window: counted, else by four characters a token."""
    longest = int(model.metadata_["max_positions"]) or USUAL_WINDOW
    window = min(USUAL_WINDOW, longest)
    if tokenization is not None:
        window = min(TokenizationConfig.from_dict(tokenization.config).max_length, longest)
        if tokenization.n_tokens:
            return tokenization.n_tokens, window
    statistics = dataset.metadata_.get("statistics") or {}
    return int(statistics.get("n_characters", 0)) // CHARACTERS_PER_TOKEN, window


def tokens_of_store(
    session: Session, dataset: Dataset, model: LanguageModel, store: Activation
) -> tuple[int, int]:
    """Tokens that a store holds, or will hold, and tokens of a window."""
    row = (
        datasets.get_tokenization(session, store.tokenization_id) if store.tokenization_id else None
    )
    n_tokens, window = count_tokens(dataset, model, row)
    if store.n_tokens:
        return store.n_tokens, window
    return expected_tokens(ExtractionConfig.from_dict(store.config), n_tokens, window), window


def expected_tokens(config: ExtractionConfig, n_tokens: int, window: int) -> int:
    """Tokens that the limits leave."""
    found = n_tokens
    if config.max_tokens is not None:
        found = min(found, config.max_tokens)
    if config.max_samples is not None:
        found = min(found, config.max_samples * window)
    return found


def _ways_out(
    config: ExtractionConfig, room: Room, shape: ModelShape, n_tokens: int
) -> Iterator[dict[str, Any]]:
    """Smaller batches, then 16 bits, then 8, then fewer tokens."""
    batch = config.batch_size // 2
    while batch:
        yield {"batch_size": batch}
        batch //= 2
    if config.dtype == "float32":
        yield {"dtype": "bfloat16"}
    smallest = {} if config.dtype == "int8" else {"dtype": "int8"}
    if smallest:
        yield smallest
    fitting = room.disk.most // store_bytes(1, _width(config, shape), "int8")
    if 1000 <= fitting < n_tokens:
        yield {**smallest, "max_tokens": fitting // 1000 * 1000}
