"""What a training will take."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind
from app.db.models import Activation, LanguageModel
from app.ml.configs import ExtractionConfig, TrainingHyperparameters, target_hook_type
from app.ml.configs.budget import (
    STORE_BYTES,
    Need,
    checkpoint_bytes,
    dictionary_bytes,
    evaluation_needs,
    measuring_flop,
    reading_flop,
    statistics_needs,
    stream_needs,
    training_flop,
    training_needs,
)
from app.schemas.estimate import Estimate
from app.services.estimates.extraction import Judged, shape_of
from app.services.estimates.history import FIRST_SHARE, FIRST_SHARE_DENSE, history_of
from app.services.estimates.room import look_around
from app.services.estimates.verdict import as_recorded, judge, time_of, with_way_out

SMALLEST_PART, SMALLEST_BATCH = 256, 256
FEWEST_LATENTS = 64


def estimate_training(
    session: Session,
    settings: Settings,
    model: LanguageModel,
    store: Activation,
    tokens: tuple[int, int],
    config: TrainingHyperparameters,
    place: tuple[str, int, str],
) -> Judged:
    """Estimate memory, disk and time of a run with its held-out measurement.

    Args:
        session: Open session.
        settings: Of this machine.
        model: A ready one.
        store: What is read; it need not be there yet.
        tokens: How many it holds or will hold, and how many make a window.
        config: The recipe.
        place: Encoder type, layer and hook type.
    """
    encoder_type, layer, hook_type = place
    room, shape = look_around(settings), shape_of(model)
    width = shape.d_model
    kind = f"{config.activation} {config.source} {room.device}"
    history = history_of(session, JobKind.TRAINING_RUN, kind)
    n_tokens, window = tokens
    places = 1 if target_hook_type(encoder_type, hook_type) == hook_type else 2
    dtype = ExtractionConfig.from_dict(store.config).dtype
    number = STORE_BYTES[dtype]

    def of(config: TrainingHyperparameters) -> Estimate:
        dictionary = dictionary_bytes(config, encoder_type, width, width)
        kept = (config.keep_checkpoints if config.checkpoint_every else 0) + 2
        saved = checkpoint_bytes(config, encoder_type, width, width)
        return judge(
            room,
            history.base_bytes,
            [
                [*training_needs(config, encoder_type, width, width), *streaming(config)],
                evaluation_needs(shape, window, dictionary),
            ],
            statistics_needs(n_tokens, width, width, places),
            Need("pages of the store", int(n_tokens * width * number * places), reclaimable=True),
            [Need(f"{kept} checkpoints", kept * saved)],
            time_of(
                history,
                config.training_steps * config.batch_size,
                flop_of(config),
                room,
                FIRST_SHARE if config.activation in ("topk", "batchtopk") else FIRST_SHARE_DENSE,
                config.evaluation_windows * window * measuring_flop(shape),
            ),
        )

    def streaming(config: TrainingHyperparameters) -> list[Need]:
        if config.source != "stream":
            return []
        return stream_needs(shape, config.batch_size, window, places, dtype)

    def flop_of(config: TrainingHyperparameters) -> int:
        reads = reading_flop(shape, layer) if config.source == "stream" else 0
        return training_flop(config, width, width) + reads

    def again(change: dict[str, Any]) -> Estimate:
        values = config.to_dict() | change["hyperparameters"]
        return of(TrainingHyperparameters.from_dict(values))

    estimate = with_way_out(of(config), _ways_out(config, width), again)
    return Judged(estimate, as_recorded(estimate, flop_of(config), kind))


def _ways_out(config: TrainingHyperparameters, width: int) -> Iterator[dict[str, Any]]:
    """Fewer checkpoints, no model beside, smaller parts of a batch and batches, fewer latents."""
    changes: dict[str, Any] = {}
    if config.checkpoint_every and config.keep_checkpoints > 1:
        yield {"hyperparameters": {"keep_checkpoints": 1}}
    if config.source == "stream":
        yield {"hyperparameters": {"source": "store"}}
    parts = config.gradient_accumulation * 2
    while config.batch_size // parts >= SMALLEST_PART:
        changes = {"gradient_accumulation": parts}
        yield {"hyperparameters": changes}
        parts *= 2
    batch = config.batch_size // 2
    while batch >= SMALLEST_BATCH:
        changes = {"batch_size": batch, "gradient_accumulation": max(1, batch // SMALLEST_PART)}
        yield {"hyperparameters": changes}
        batch //= 2
    latents = config.latents(width) // 2
    while latents >= max(FEWEST_LATENTS, config.resolved_k(width)):
        yield {"hyperparameters": changes | {"d_sae": latents}}
        latents //= 2
