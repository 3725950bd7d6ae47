"""Two texts from one prompt in one batch: row 0 as the model is, row 1 steered."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from app.ml.configs import SteeringConfig
from app.ml.devices import coded_memory_errors
from app.ml.errors import NoEffect
from app.ml.language_models.forward import hooked
from app.ml.language_models.loading import LoadedModel
from app.ml.records import FeatureEdit, ShouldStop, SteeringProof, SteeringResult, TokenEvent
from app.ml.steering.comparison import compare_branches
from app.ml.steering.edits import Proof, SteeringHook, activation_delta, resolve_places
from app.ml.steering.prompts import check_length, encode_prompt, end_token_ids
from app.ml.steering.sampling import Sampler

BRANCHES: tuple[Literal["unsteered", "steered"], ...] = ("unsteered", "steered")


@dataclass
class Branch:
    """One text as it grows; ``logits`` float32 (V,) per generated token, of its own model."""

    sampler: Sampler
    ids: list[int] = field(default_factory=list)
    logits: list[torch.Tensor] = field(default_factory=list)
    ended: bool = False

    def filled(self, length: int) -> list[int]:
        """Return the tokens, one that ended padded so that the batch stays a rectangle.

        Rows do not see each other, and what the model says after an end is not read.
        """
        return self.ids + self.ids[-1:] * (length - len(self.ids))


def generate_comparison(
    loaded: LoadedModel,
    edits: Sequence[FeatureEdit],
    config: SteeringConfig,
    on_token: Callable[[TokenEvent], None] | None = None,
    should_stop: ShouldStop | None = None,
) -> SteeringResult:
    """Continue a prompt twice, unsteered and steered, and measure the difference.

    Steered are, by absolute position, the prompt's and the generated tokens as configured, never
    special tokens or the first position unless ``exclude_special`` is off. A generated token is
    steered while it is read, so it influences the ones after it. Hooks are gone afterwards,
    whatever happens.

    Args:
        loaded: The model.
        edits: Directions to add; several at one place are summed.
        config: Prompt, sampling, positions.
        on_token: Told of every token as it is chosen.
        should_stop: Asked before each token; true ends both texts there and keeps them.

    Raises:
        SteeringInvalid: unusable edits, or a prompt longer than the model reads.
        NoEffect: not one position would be steered.
        HookPointNotFound: a layer or hook type does not exist.
    """
    began = time.monotonic()
    places = resolve_places(loaded, edits)
    prompt_ids = encode_prompt(loaded, config)
    check_length(loaded, prompt_ids, config)
    proof = Proof()
    hooks = [SteeringHook(p, proof, counts_positions=i == 0) for i, p in enumerate(places)]
    run = _Generation(loaded, config, hooks, prompt_ids, on_token, should_stop)
    with (
        torch.inference_mode(),
        coded_memory_errors("generating text"),
        hooked(loaded.model, [(h.place.point, h.edit()) for h in hooks]),
    ):
        run.generate()
    if proof.positions == 0:
        raise NoEffect("No position was steered; generate more tokens or include the prompt.")
    seconds = time.monotonic() - began
    with torch.inference_mode(), coded_memory_errors("comparing the texts"):
        compared = compare_branches(loaded, edits, prompt_ids, *run.branches)
    n_generated = sum(len(branch.ids) for branch in run.branches)
    return SteeringResult(
        unsteered_text=loaded.tokenizer.decode(run.branches[0].ids, skip_special_tokens=True),
        steered_text=loaded.tokenizer.decode(run.branches[1].ids, skip_special_tokens=True),
        unsteered_tokens=compared.unsteered_tokens,
        steered_tokens=compared.steered_tokens,
        prompt_tokens=[loaded.tokenizer.decode([i]) for i in prompt_ids],
        prompt_steered=run.prompt_mask.tolist(),
        metrics=compared.metrics,
        proof=SteeringProof(
            positions_touched=proof.positions,
            prompt_positions_touched=int(run.prompt_mask.sum()),
            mean_delta_norm_ratio=proof.ratio_sum / proof.values,
            mean_delta_norm=proof.norm_sum / proof.values,
            deltas_in_activation_units=[activation_delta(e) for e in edits if e.unit != "norm"],
        ),
        seconds=seconds,
        tokens_per_second=n_generated / max(seconds, 1e-9),
        stopped=run.stopped,
    )


class _Generation:
    def __init__(
        self,
        loaded: LoadedModel,
        config: SteeringConfig,
        hooks: list[SteeringHook],
        prompt_ids: list[int],
        on_token: Callable[[TokenEvent], None] | None,
        should_stop: ShouldStop | None,
    ) -> None:
        self.loaded, self.config, self.hooks = loaded, config, hooks
        self.prompt_ids = prompt_ids
        self.on_token, self.should_stop = on_token, should_stop
        self.branches = (Branch(Sampler(config)), Branch(Sampler(config)))
        self.special = set(loaded.special_ids)
        self.end_ids = end_token_ids(loaded)
        self.prompt_mask = torch.tensor(
            [config.steer_prompt and self._may_steer(p, i) for p, i in enumerate(prompt_ids)]
        )
        self.stopped = False

    def generate(self) -> None:
        """Fill both branches, up to the limit or until both ended."""
        cache: Any = None
        for index in range(self.config.max_new_tokens):
            if self.should_stop is not None and self.should_stop():
                self.stopped = True
                return
            logits_BV, cache = self._forward(index, cache)
            for row, branch in enumerate(self.branches):
                if not branch.ended:
                    self._extend(branch, BRANCHES[row], index, logits_BV[row])
            if all(branch.ended for branch in self.branches):
                return

    def _forward(self, index: int, cache: Any) -> tuple[torch.Tensor, Any]:
        """Return the next-token logits of both rows, float32 (2, V), and the new cache."""
        device = self.loaded.device
        rows = [[*self.prompt_ids, *branch.filled(index)] for branch in self.branches]
        ids_BS = torch.tensor(rows, device=device)
        mask_BS = torch.zeros_like(ids_BS, dtype=torch.bool)
        steered = self._steered_row()
        mask_BS[1, : len(steered)] = torch.tensor(steered, device=device)
        first_new = ids_BS.shape[1] - 1 if cache is not None else 0
        for hook in self.hooks:
            hook.mask_BS, hook.first_position = mask_BS[:, first_new:], first_new
        output = self.loaded.model(
            input_ids=ids_BS[:, first_new:],
            past_key_values=cache,
            use_cache=self.config.use_cache,
            logits_to_keep=1,
        )
        return output.logits[:, -1].float(), output.past_key_values

    def _steered_row(self) -> list[bool]:
        """Say where to steer; an end is not, for nothing comes after it."""
        steered = self.branches[1]
        start = len(self.prompt_ids)
        ids = steered.ids[:-1] if steered.ended else steered.ids
        generated = [
            self.config.steer_generated and self._may_steer(start + p, i) for p, i in enumerate(ids)
        ]
        return [*self.prompt_mask.tolist(), *generated]

    def _may_steer(self, position: int, token_id: int) -> bool:
        return not self.config.exclude_special or (position > 0 and token_id not in self.special)

    def _extend(
        self,
        branch: Branch,
        name: Literal["unsteered", "steered"],
        index: int,
        logits_V: torch.Tensor,
    ) -> None:
        token = branch.sampler.choose(logits_V, [*self.prompt_ids, *branch.ids])
        branch.ids.append(token)
        branch.logits.append(logits_V)
        branch.ended = token in self.end_ids
        if self.on_token is not None:
            self.on_token(TokenEvent(name, index, token, self.loaded.tokenizer.decode([token])))
