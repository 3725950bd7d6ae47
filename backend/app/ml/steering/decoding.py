"""Many texts from one prompt in one batch, each steered by its own plan.

Every steered text has a shadow: the unsteered model reading the same tokens in a row of its own.
On a machine where a step costs the reading of the weights a row more is nearly free, and it gives
base log-probabilities, KL and activations token by token.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch
from torch.nn.functional import kl_div

from app.ml.configs import SteeringConfig
from app.ml.devices import coded_memory_errors
from app.ml.errors import NoEffect, SteeringInvalid
from app.ml.language_models.hook_points import resolve_hook_point
from app.ml.language_models.loading import LoadedModel
from app.ml.records import ShouldStop
from app.ml.steering.conditions import Condition
from app.ml.steering.edits import FeatureEdit
from app.ml.steering.evidence import StateNorms
from app.ml.steering.latents import Latent
from app.ml.steering.passes import BatchReader
from app.ml.steering.prompts import PositionRule, check_length, encode_prompt, end_token_ids
from app.ml.steering.records import (
    ConditionMet,
    FirstDifference,
    GeneratedText,
    GeneratedToken,
    SteeringProof,
    TokenEvent,
)
from app.ml.steering.rows import RowPlan, TextRow
from app.ml.steering.sampling import Sampler
from app.ml.steering.text_pieces import TextPieces

LOGIT_TOLERANCE = 1e-4
"""Logits closer than this count as equal: cached and uncached passes differ by rounding."""

OnTokens = Callable[[list[TokenEvent]], None]


class BatchDecoder:
    """Continues one prompt by all plans at once; ``run`` fills ``texts``.

    Args:
        loaded: The model.
        config: Prompt, sampling, positions.
        plans: One text each; those with the same edits share the reading of the prompt.
        watched: Latents to read along all texts.
        on_tokens: Told of the tokens of every step as they are chosen.
        should_stop: Asked before each step; true ends all texts there and keeps them.
        condition: Steer only where it holds.

    Raises:
        SteeringInvalid: unusable edits, or a prompt longer than the model reads.
        HookPointNotFound: a layer or hook type does not exist.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        config: SteeringConfig,
        plans: Sequence[RowPlan],
        watched: Sequence[Latent] = (),
        on_tokens: OnTokens | None = None,
        should_stop: ShouldStop | None = None,
        condition: Condition | None = None,
    ) -> None:
        self.loaded, self.config = loaded, config
        self.on_tokens, self.should_stop = on_tokens, should_stop
        self.prompt_ids = encode_prompt(loaded, config)
        check_length(loaded, self.prompt_ids, config)
        self._rule = PositionRule(loaded, config)
        self.prompt_mask = self._rule.prompt_mask(self.prompt_ids)
        self._end_ids = end_token_ids(loaded)
        self.texts = [self._text(plan) for plan in plans]
        self.reader = BatchReader(loaded, config, self.prompt_ids, self.texts, watched, condition)
        self._base = [self.reader.base_row(t) for t in range(len(plans))]
        self.stopped = False
        self.seconds = self.first_token_seconds = 0.0

    def _text(self, plan: RowPlan) -> TextRow:
        mask = self.prompt_mask if plan.edits else [False] * len(self.prompt_ids)
        pieces = TextPieces(self.loaded.tokenizer, self.prompt_ids)
        return TextRow(plan, Sampler(self.config, plan.seed), pieces, list(mask))

    def run(self) -> None:
        """Generate until every text ended, the limit is reached or somebody asks to stop."""
        began = time.monotonic()
        with (
            torch.inference_mode(),
            coded_memory_errors("generating text"),
            self.reader.hooked(),
        ):
            for index in range(self.config.max_new_tokens):
                if self.should_stop is not None and self.should_stop():
                    self.stopped = True
                    break
                self._choose(index, self._read(index))
                if index == 0:
                    self.first_token_seconds = time.monotonic() - began
                if all(text.ended for text in self.texts):
                    break
            self._read_last()
            self.reader.evidence.sums()  # refuses what is too large
        self.seconds = time.monotonic() - began

    def _read(self, index: int) -> torch.Tensor:
        if index == 0:
            return self.reader.read_prompt()
        logits_BV = self.reader.read_newest()
        self._note_readings()
        return logits_BV

    def _read_last(self) -> None:
        """Read the last tokens too, for their activations; nothing else depends on them."""
        if self.texts[0].ids:
            self.reader.read_newest(counts=False)
            self._note_readings()

    def _note_readings(self) -> None:
        read, states_BD = self.reader.watched_BE.tolist(), self.reader.state_BD
        for t, text in enumerate(self.texts):
            if len(text.activations) < len(text.ids):
                base = self._base[t]
                text.note_reading(read[base], read[t], states_BD[base])

    def _choose(self, index: int, logits_BV: torch.Tensor) -> None:
        """Draw the next token of every text that has not ended, and tell of them."""
        self._refuse_unsound(logits_BV)
        going = [(t, text) for t, text in enumerate(self.texts) if text.ended is None]
        log_BV = torch.log_softmax(logits_BV, dim=-1)
        kls = self._divergences(going, log_BV)
        own_TV = self._rows(logits_BV, [t for t, _ in going]).cpu()
        chosen = [
            text.sampler.choose(own_V, self._seen(text))
            for (_, text), own_V in zip(going, own_TV, strict=True)
        ]
        rows = [row for t, _ in going for row in (t, self._base[t])]
        tokens = [token for token in chosen for _ in range(2)]
        logprobs = log_BV[rows, tokens].tolist()
        for n, (t, text) in enumerate(going):
            if text.first_difference is None and self._base[t] != t:
                _note_difference(text, index, logits_BV[t], logits_BV[self._base[t]])
            self._extend(text, chosen[n], (logprobs[2 * n], logprobs[2 * n + 1]), kls.get(t, 0.0))
        if self.on_tokens is not None:
            self.on_tokens([self._event(t, text, index) for t, text in going])

    def _refuse_unsound(self, logits_BV: torch.Tensor) -> None:
        self.reader.evidence.check_now_and_then()
        if not bool(torch.isfinite(logits_BV).all()):
            self.reader.evidence.sums()  # says so if a delta is to blame
            raise SteeringInvalid(
                "The model's answer is not finite at this strength; use a smaller coefficient."
            )

    def _divergences(
        self, going: list[tuple[int, TextRow]], log_BV: torch.Tensor
    ) -> dict[int, float]:
        """Return KL(steered || unsteered) of the texts that have a shadow, in nats."""
        steered = [t for t, _ in going if self._base[t] != t]
        if not steered:
            return {}
        own_TV = self._rows(log_BV, steered)
        base_TV = self._rows(log_BV, [self._base[t] for t in steered])
        kl_T = kl_div(base_TV, own_TV, reduction="none", log_target=True).sum(dim=1)
        return dict(zip(steered, kl_T.clamp_min(0).tolist(), strict=True))

    @staticmethod
    def _rows(values_BV: torch.Tensor, rows: list[int]) -> torch.Tensor:
        """Return some rows; a view where they stand together."""
        if rows[-1] - rows[0] == len(rows) - 1:
            return values_BV[rows[0] : rows[-1] + 1]
        return values_BV[rows]

    def _seen(self, text: TextRow) -> list[int]:
        """Return the tokens that the repetition penalty is about."""
        return [*self.prompt_ids, *text.ids] if self.config.repetition_penalty != 1 else []

    def _extend(self, text: TextRow, chosen: int, logprobs: tuple[float, float], kl: float) -> None:
        text.ids.append(chosen)
        piece = text.pieces.add(chosen)
        text.tokens.append(GeneratedToken(chosen, piece, *logprobs, kl))
        self._end(text, chosen)

    def _end(self, text: TextRow, chosen: int) -> None:
        """See whether the text ended; such an end is not steered, for nothing comes after it."""
        if chosen in self._end_ids:
            text.ended = "eos"
        elif any(word in text.pieces.text for word in self.config.stop):
            text.ended = "stop"
        elif len(text.ids) >= self.config.max_new_tokens:
            text.ended = "length"
        position = len(self.prompt_ids) + len(text.ids) - 1
        steers = text.is_steered and self._rule.steers_generated(position, chosen)
        text.mask.append(steers and text.ended in (None, "length"))

    def _event(self, t: int, text: TextRow, index: int) -> TokenEvent:
        token, watched_BE = text.tokens[-1], self.reader.watched_BE
        return TokenEvent(
            row=t,
            branch=text.plan.name,
            index=index,
            token_id=token.token_id,
            text=token.text,
            logprob=token.logprob,
            base_logprob=token.base_logprob,
            kl=token.kl,
            read_activations=watched_BE[self._base[t]].tolist(),
            read_achieved=watched_BE[t].tolist(),
        )

    def generated(self, t: int) -> GeneratedText:
        """Return one text, with its evidence if it was steered.

        Raises:
            NoEffect: it was to be steered and not one position was.
        """
        proof = self._proof(t) if self.texts[t].is_steered else None
        return self.texts[t].generated(self.loaded.tokenizer, self.config.stop, proof)

    def evidence_of(self, t: int) -> list[float]:
        """Return n steered values, n changed, sum of deltas and of deltas per state norm."""
        sums: list[float] = self.reader.evidence.sums()[t].tolist()
        return sums

    def norms_of(self, t: int, edit: FeatureEdit) -> StateNorms | None:
        """Return the norms of the states that an edit of text ``t`` was made to."""
        point = resolve_hook_point(self.loaded.model, edit.layer, edit.hook_type)
        return self.reader.evidence.norms_at(point.name, t)

    def prompt_steered(self, t: int) -> list[bool]:
        """Return which tokens of the prompt were steered: allowed, and meeting the condition."""
        mask, gate = self.texts[t].mask[: len(self.prompt_ids)], self.reader.gate
        if gate is None:
            return mask
        opened = gate.opened_positions(t)
        return [allowed and place in opened for place, allowed in enumerate(mask)]

    def condition_met(self, t: int) -> ConditionMet | None:
        gate = self.reader.gate
        if gate is None:
            return None
        values = [value for _, value in gate.readings(t)]
        n_met = len(gate.opened_positions(t))
        return ConditionMet(len(values), n_met, max(values, default=None))

    def _proof(self, t: int) -> SteeringProof:
        text, plan = self.texts[t], self.reader.plan_of[t]
        values, changed, delta, ratio = self.evidence_of(t)
        n_places = sum(hook.acts[plan] for hook in self.reader.hooks)
        if values == 0 and text.plan.steers and not self.stopped:
            raise self._no_effect(t)
        return SteeringProof(
            positions_touched=round(values / n_places),
            prompt_positions_touched=sum(self.prompt_steered(t)),
            positions_changed=round(changed / n_places),
            mean_delta_norm_ratio=ratio / max(values, 1),
            mean_delta_norm=delta / max(values, 1),
            first_differing_logit=text.first_difference,
        )

    def _no_effect(self, t: int) -> NoEffect:
        gate, met = self.reader.gate, self.condition_met(t)
        if gate is not None and met is not None and met.largest is not None:
            return gate.condition.why_never_met(met.largest, met.n_read)
        return NoEffect(
            "No position was steered: generate more tokens, steer the prompt too, or allow "
            "special tokens and positions that the text has."
        )


def _note_difference(text: TextRow, index: int, own_V: torch.Tensor, base_V: torch.Tensor) -> None:
    if text.first_difference is None:
        largest = (own_V - base_V).abs().max().item()
        if largest > LOGIT_TOLERANCE:
            text.first_difference = FirstDifference(index, largest)
