"""What a training will take."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind
from app.db.models import Activation, LanguageModel
from app.ml.configs import ExtractionConfig, TrainingHyperparameters, target_hook_type
from app.ml.configs.budget import (
    STORE_BYTES,
    ModelShape,
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


class PlannedDictionary(NamedTuple):
    """What is trained, and where it reads."""

    config: TrainingHyperparameters
    encoder_type: str
    layer: int
    hook_type: str

    @property
    def target(self) -> str:
        """Hook type that is written."""
        return target_hook_type(self.encoder_type, self.hook_type)

    @property
    def places(self) -> set[tuple[int, str]]:
        """Layers and hook types that are read or written."""
        return {(self.layer, self.hook_type), (self.layer, self.target)}

    def widths(self, shape: ModelShape) -> tuple[int, int]:
        """Of what is read and what is written."""
        return shape.width(self.hook_type), shape.width(self.target)

    def shape(self, device: str) -> str:
        return f"{self.config.activation} {self.config.source} {device}"


def estimate_training(
    session: Session,
    settings: Settings,
    model: LanguageModel,
    store: Activation,
    tokens: tuple[int, int],
    planned: PlannedDictionary,
) -> Judged:
    """Estimate memory, disk and time of a run with its held-out measurement.

    Args:
        session: Open session.
        settings: Of this machine.
        model: A ready one.
        store: What is read; it need not be there yet.
        tokens: How many it holds or will hold, and how many make a window.
        planned: What is trained.
    """
    estimator = _Estimator(session, settings, model, store, tokens, JobKind.TRAINING_RUN)

    def again(change: dict[str, Any]) -> Estimate:
        values = planned.config.to_dict() | change["hyperparameters"]
        config = TrainingHyperparameters.from_dict(values)
        return estimator.of([planned._replace(config=config)])

    ways_out = _ways_out(planned.config, estimator.shape.width(planned.hook_type))
    return estimator.judged([planned], ways_out, again)


def estimate_grid(
    session: Session,
    settings: Settings,
    model: LanguageModel,
    store: Activation,
    tokens: tuple[int, int],
    planned: Sequence[PlannedDictionary],
) -> Judged:
    """Estimate a run that trains several dictionaries in one pass; as ``estimate_training``."""
    estimator = _Estimator(session, settings, model, store, tokens, JobKind.TRAINING_GRID)
    fewer = ({"n_variants": n} for n in range(len(planned) - 1, 0, -1))
    return estimator.judged(
        planned, fewer, lambda change: estimator.of(planned[: change["n_variants"]])
    )


class _Estimator:
    """What trainings on one store take; the arguments are those of ``estimate_training``."""

    def __init__(
        self,
        session: Session,
        settings: Settings,
        model: LanguageModel,
        store: Activation,
        tokens: tuple[int, int],
        kind: JobKind,
    ) -> None:
        self.session, self.kind = session, kind
        self.room, self.shape = look_around(settings), shape_of(model)
        self.n_tokens, self.window = tokens
        self.dtype = ExtractionConfig.from_dict(store.config).dtype

    def judged(
        self,
        planned: Sequence[PlannedDictionary],
        ways_out: Iterable[dict[str, Any]],
        again: Callable[[dict[str, Any]], Estimate],
    ) -> Judged:
        """Estimate, with the first change that fits where this does not."""
        estimate = with_way_out(self.of(planned), ways_out, again)
        shape = planned[0].shape(self.room.device)
        return Judged(estimate, as_recorded(estimate, self._flop(planned), shape))

    def of(self, planned: Sequence[PlannedDictionary]) -> Estimate:
        """Estimate dictionaries that are trained in one run; they share batch and source."""
        first = planned[0].config
        history = history_of(self.session, self.kind, planned[0].shape(self.room.device))
        width = self._width(set().union(*(one.places for one in planned)))
        measured = max(
            dictionary_bytes(p.config, p.encoder_type, *p.widths(self.shape)) for p in planned
        )
        is_sparse = all(p.config.activation in ("topk", "batchtopk") for p in planned)
        evaluated = sum(p.config.evaluation_windows for p in planned) * self.window
        pages = int(self.n_tokens * width * STORE_BYTES[self.dtype])
        return judge(
            self.room,
            history.base_bytes,
            [
                [*self._training(planned), *self._streaming(first, width)],
                evaluation_needs(self.shape, self.window, measured),
            ],
            statistics_needs(self.n_tokens, max(self._width(one.places) for one in planned)),
            Need("pages of the store", pages, reclaimable=True),
            self._checkpoints(planned),
            time_of(
                history,
                max(p.config.training_steps for p in planned) * first.batch_size,
                self._flop(planned),
                self.room,
                FIRST_SHARE if is_sparse else FIRST_SHARE_DENSE,
                evaluated * measuring_flop(self.shape),
            ),
        )

    def _width(self, places: set[tuple[int, str]]) -> int:
        """Numbers of a token at these places together."""
        return sum(self.shape.width(hook_type) for _, hook_type in places)

    def _training(self, planned: Sequence[PlannedDictionary]) -> list[Need]:
        """Weights and optimisers of all; of the steps, which take turns, the largest."""
        pairs = [training_needs(p.config, p.encoder_type, *p.widths(self.shape)) for p in planned]
        held, step = zip(*pairs, strict=True)
        return [
            Need(held[0].name, sum(need.size_bytes for need in held)),
            max(step, key=lambda need: need.size_bytes),
        ]

    def _checkpoints(self, planned: Sequence[PlannedDictionary]) -> list[Need]:
        count = size = 0
        for one in planned:
            kept = (one.config.keep_checkpoints if one.config.checkpoint_every else 0) + 2
            count += kept
            size += kept * checkpoint_bytes(one.config, one.encoder_type, *one.widths(self.shape))
        return [Need(f"{count} checkpoints", size)]

    def _streaming(self, config: TrainingHyperparameters, width: int) -> list[Need]:
        if config.source != "stream":
            return []
        return stream_needs(self.shape, config.batch_size, self.window, width, self.dtype)

    def _flop(self, planned: Sequence[PlannedDictionary]) -> int:
        steps = sum(training_flop(one.config, *one.widths(self.shape)) for one in planned)
        if planned[0].config.source != "stream":
            return steps
        return steps + reading_flop(self.shape, max(one.layer for one in planned))


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
