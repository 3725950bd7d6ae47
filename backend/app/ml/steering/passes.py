"""Forward passes of a batch of texts and their shadows, with or without a cache.

Legend: T texts, B batch rows (all texts, then a shadow for each steered one), S tokens of a pass,
V vocabulary, E watched latents, G distinct ways of reading the prompt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from app.ml.configs import SteeringConfig
from app.ml.language_models.forward import hooked
from app.ml.language_models.loading import LoadedModel
from app.ml.steering.conditions import Condition, Gate, check_condition
from app.ml.steering.edits import FeatureEdit
from app.ml.steering.evidence import Evidence
from app.ml.steering.hooks import Plan, hook_list, steering_hooks
from app.ml.steering.latents import Latent
from app.ml.steering.places import ForwardPass
from app.ml.steering.reconstruction import Replacement
from app.ml.steering.rows import TextRow
from app.ml.steering.watching import Watcher, last_states


class BatchReader:
    """Reads all rows token by token.

    After each pass ``watched_BE`` holds the watched latents at the last position, float32 on the
    CPU, and ``state_BD`` what the unembedding read there.

    Raises:
        SteeringInvalid: unusable edits.
        HookPointNotFound: a layer or hook type does not exist.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        config: SteeringConfig,
        prompt_ids: list[int],
        texts: Sequence[TextRow],
        watched: Sequence[Latent],
        condition: Condition | None = None,
    ) -> None:
        self.loaded, self.config = loaded, config
        self.prompt_ids, self.texts = prompt_ids, texts
        self.shadow_of = [t for t, text in enumerate(texts) if text.is_steered]
        self.text_of = [*range(len(texts)), *self.shadow_of]
        plans, self.plan_of = _distinct_plans(texts)
        self.evidence = Evidence(len(texts), loaded.device)
        self.gate: Gate | None = None
        if condition is not None:
            check_condition(condition, [edit.layer for plan in plans for edit in plan])
            acts = [bool(plan) for plan in plans]
            self.gate = Gate(condition, loaded, acts, len(texts))
        self.hooks = steering_hooks(loaded, plans, self.evidence, self.gate)
        self._texts = tuple(self.text_of)
        self._watcher = Watcher(loaded, watched)
        self._cache: Any = None
        self.watched_BE = torch.empty(0)
        self.state_BD = torch.empty(0)

    def base_row(self, t: int) -> int:
        """Return the batch row in which the unsteered model reads text ``t``."""
        return len(self.texts) + self.shadow_of.index(t) if self.texts[t].is_steered else t

    @contextmanager
    def hooked(self) -> Iterator[None]:
        """Have all hooks set during the block, whatever happens in it."""
        hooks = hook_list(self.hooks, self._watcher, self.gate)
        with hooked(self.loaded.model, hooks), last_states(self.loaded, self._keep_state):
            yield

    def _keep_state(self, state_BD: torch.Tensor) -> None:
        self.state_BD = state_BD

    def read_prompt(self) -> torch.Tensor:
        """Return the next-token logits after the prompt, float32 (B, V).

        Texts that steer it alike share one row, which is then copied for each of them.
        """
        if not self.config.use_cache:
            return self.read_newest()
        leaders, group_of = self._prompt_groups()
        n_prompt = len(self.prompt_ids)
        ids_GS = torch.tensor([self.prompt_ids] * len(leaders), device=self.loaded.device)
        masks = [[False] * n_prompt if t is None else self.texts[t].mask for t in leaders]
        texts = tuple(0 if t is None else t for t in leaders)
        for start in range(0, n_prompt, self.config.prefill_chunk):
            piece = slice(start, start + self.config.prefill_chunk)
            mask = tuple(tuple(row[piece]) for row in masks)
            logits_GV = self._forward(ids_GS[:, piece], mask, start, texts)
        self._share(leaders, group_of)
        return logits_GV[group_of]

    def _prompt_groups(self) -> tuple[list[int | None], list[int]]:
        """Return a text that leads each way of reading the prompt (None: unsteered), and each
        batch row's group."""
        leaders: dict[int, tuple[int, int | None]] = {}
        group_of = []
        for row, t in enumerate(self.text_of):
            is_steered = row < len(self.texts) and any(self.texts[t].mask)
            leader = (len(leaders), t if is_steered else None)
            group_of.append(leaders.setdefault(self.plan_of[t] if is_steered else -1, leader)[0])
        return [t for _, t in leaders.values()], group_of

    def _share(self, leaders: list[int | None], group_of: list[int]) -> None:
        leader_of = [leaders[group_of[t]] for t in range(len(self.texts))]
        source = [t if leader is None else leader for t, leader in enumerate(leader_of)]
        self.evidence.share(source)
        if self.gate is not None:
            self.gate.share(source)
        self.watched_BE = self.watched_BE[group_of]
        if group_of != list(range(len(leaders))):
            self._cache.batch_select_indices(torch.tensor(group_of, device=self.loaded.device))

    def read_newest(self, *, counts: bool = True) -> torch.Tensor:
        """Read the newest token of every row; next-token logits, float32 (B, V).

        Args:
            counts: Whether what is steered in this pass counts as evidence.
        """
        length = len(self.prompt_ids) + max(len(text.ids) for text in self.texts)
        if not self.config.use_cache:
            self._cache = None
        first = 0 if self._cache is None else length - 1
        ids_BS = torch.tensor(
            [self._newest(t, first, length) for t in self.text_of], device=self.loaded.device
        )
        unsteered = (False,) * (length - first)
        steered = [
            (*text.mask[first:], *unsteered[: length - max(first, len(text.mask))])
            for text in self.texts
        ]
        mask = (*steered, *(unsteered for _ in self.shadow_of))
        return self._forward(ids_BS, mask, first, self._texts, counts=counts)

    def _newest(self, t: int, first: int, length: int) -> list[int]:
        """Return a text's tokens from an absolute position on."""
        n_prompt = len(self.prompt_ids)
        ids = self.texts[t].padded(length - n_prompt)
        return ids[first - n_prompt :] if first >= n_prompt else [*self.prompt_ids, *ids][first:]

    def _forward(
        self,
        ids_BS: torch.Tensor,
        mask: tuple[tuple[bool, ...], ...],
        first: int,
        texts: tuple[int, ...],
        *,
        counts: bool = True,
    ) -> torch.Tensor:
        now = ForwardPass(mask, first, tuple(self.plan_of[t] for t in texts), texts, counts)
        for hook in self.hooks:
            hook.current = now
        if self.gate is not None:
            self.gate.current = now
        output = self.loaded.model(
            input_ids=ids_BS,
            past_key_values=self._cache,
            use_cache=self.config.use_cache,
            logits_to_keep=1,
        )
        self._cache = output.past_key_values
        self.watched_BE = self._watcher.values(len(ids_BS))
        logits_BV: torch.Tensor = output.logits[:, -1].float()
        return logits_BV


def _distinct_plans(texts: Sequence[TextRow]) -> tuple[list[Plan], list[int]]:
    """Return the distinct sets of edits and which of them each text has."""
    places: dict[tuple[FeatureEdit | Replacement, ...], int] = {}
    plan_of = [places.setdefault(text.plan.edits, len(places)) for text in texts]
    return list(places), plan_of
