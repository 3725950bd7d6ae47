"""One text of a batch as it grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from app.ml.steering.edits import FeatureEdit
from app.ml.steering.reconstruction import Replacement
from app.ml.steering.records import (
    Ended,
    FirstDifference,
    GeneratedText,
    GeneratedToken,
    SteeringProof,
)
from app.ml.steering.sampling import Sampler
from app.ml.steering.text_pieces import TextPieces


@dataclass(frozen=True, eq=False)
class RowPlan:
    """What is done to one text; without edits it is an unsteered one."""

    name: str
    edits: tuple[FeatureEdit | Replacement, ...]
    seed: int

    @property
    def steers(self) -> bool:
        """Whether a feature is edited; a reconstruction alone only replaces."""
        return any(isinstance(edit, FeatureEdit) for edit in self.edits)


@dataclass
class TextRow:
    """A text: ``mask`` says which absolute positions, prompt included, are steered.

    ``reading_state_D`` sums the unsteered model's last hidden state over the generated tokens.
    """

    plan: RowPlan
    sampler: Sampler
    pieces: TextPieces
    mask: list[bool]
    ids: list[int] = field(default_factory=list)
    tokens: list[GeneratedToken] = field(default_factory=list)
    activations: list[list[float]] = field(default_factory=list)
    achieved: list[list[float]] = field(default_factory=list)
    reading_state_D: torch.Tensor | None = None
    first_difference: FirstDifference | None = None
    ended: Ended | None = None

    @property
    def is_steered(self) -> bool:
        return bool(self.plan.edits)

    def padded(self, length: int) -> list[int]:
        """Return the tokens; an ended text repeats its last so that the batch stays a rectangle.

        Rows do not see each other, and what a model says after an end is not read.
        """
        return self.ids + self.ids[-1:] * (length - len(self.ids))

    def note_reading(
        self, activations: list[float], achieved: list[float], state_D: torch.Tensor
    ) -> None:
        """Keep what was read at the newest token."""
        self.activations.append(activations)
        self.achieved.append(achieved)
        summed = self.reading_state_D
        self.reading_state_D = state_D.clone() if summed is None else summed + state_D

    def text(self, tokenizer: Any, stop: Sequence[str]) -> str:
        """Return the text without special tokens, cut before the first stop text in it."""
        text = str(tokenizer.decode(self.ids, skip_special_tokens=True))
        cuts = [place for word in stop if (place := text.find(word)) >= 0]
        return text[: min(cuts)] if cuts else text

    def generated(
        self, tokenizer: Any, stop: Sequence[str], proof: SteeringProof | None
    ) -> GeneratedText:
        read = zip(self.tokens, self.activations, self.achieved, strict=True)
        tokens = [replace(token, activations=a, achieved=b) for token, a, b in read]
        return GeneratedText(self.text(tokenizer, stop), tokens, self.ended or "stopped", proof)
