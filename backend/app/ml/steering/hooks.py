"""Hooks that steer and watch, by absolute position. B batch rows, N steered positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from app.ml.errors import SteeringInvalid
from app.ml.language_models.forward import Edit
from app.ml.language_models.hook_points import HookPoint, resolve_hook_point
from app.ml.language_models.loading import LoadedModel
from app.ml.steering.edits import FeatureEdit, check_edit
from app.ml.steering.operations import ConstantDeltas, state_delta
from app.ml.steering.watching import PlacedReader, Watcher, placed_readers

MAX_RATIO = 100.0
"""A delta this many times the hidden state leaves nothing of the model's own; refused."""


@dataclass
class ForwardPass:
    """What the hooks must know of the coming forward pass; set by whoever runs it.

    ``mask_BS`` says, for the tokens of this pass, where to steer; ``first_position`` is the
    absolute position of the first of them, ``plan_B`` the plan of each batch row and ``text_B``
    the text that its evidence belongs to. Positions are thereby absolute whether or not a cache
    holds the earlier tokens.
    """

    mask_BS: torch.Tensor
    first_position: int
    plan_B: torch.Tensor
    text_B: torch.Tensor
    counts: bool = True
    captured: dict[HookPoint, torch.Tensor] = field(default_factory=dict)


class Evidence:
    """Sums over the steered values of each text: n, changed, delta, delta / state (float64)."""

    def __init__(self, n_texts: int, device: torch.device) -> None:
        self.sums_T4 = torch.zeros(n_texts, 4, dtype=torch.float64, device=device)

    def add(self, texts_N: torch.Tensor, delta_N: torch.Tensor, norm_N: torch.Tensor) -> None:
        ratio_N = delta_N / norm_N.clamp_min(1e-12)
        rows = (torch.ones_like(delta_N), (delta_N > 0).to(delta_N), delta_N, ratio_N)
        self.sums_T4.index_add_(0, texts_N, torch.stack(rows, dim=1).double())

    def share(self, source_T: Sequence[int]) -> None:
        """Give every text what was counted for the text that stood for it."""
        self.sums_T4 = self.sums_T4[torch.tensor(source_T, device=self.sums_T4.device)]


class SteeringHook:
    """Adds the deltas of all plans at one hook point, in the masked places only."""

    def __init__(
        self,
        point: HookPoint,
        plans: Sequence[Sequence[FeatureEdit]],
        loaded: LoadedModel,
        evidence: Evidence,
    ) -> None:
        self.point, self.evidence = point, evidence
        self.acts_P = torch.tensor([bool(plan) for plan in plans], device=loaded.device)
        self.constant = ConstantDeltas(plans, loaded.card.d_model, loaded.device)
        self.special = {
            place: edits
            for place, plan in enumerate(plans)
            if (edits := [edit for edit in plan if not edit.is_constant])
        }
        self.readers = {
            place: _edit_readers(loaded, edits) for place, edits in self.special.items()
        }
        self.current: ForwardPass | None = None
        self.counted_until = 0

    def read_points(self) -> set[HookPoint]:
        """Return other places whose state this hook needs in the same pass."""
        points = {reader.point for readers in self.readers.values() for reader in readers}
        return points - {self.point}

    def steer(self, value_BSD: torch.Tensor) -> torch.Tensor | None:
        now = self.current
        if now is None:
            return None
        mask_BS = now.mask_BS & self.acts_P[now.plan_B].unsqueeze(1)
        if not bool(mask_BS.any()):
            return None
        rows_N, columns_N = mask_BS.nonzero(as_tuple=True)
        state_ND = value_BSD[rows_N, columns_N].float()
        norm_N1 = state_ND.norm(dim=1, keepdim=True)
        plans_N = now.plan_B[rows_N]
        delta_ND = self.constant.of(plans_N, norm_N1)
        for plan, edits in self.special.items():
            chosen_N = plans_N == plan
            if bool(chosen_N.any()):
                states = state_ND[chosen_N]
                latents = self._latents(plan, states, now, rows_N[chosen_N], columns_N[chosen_N])
                delta_ND[chosen_N] += state_delta(edits, states, latents)
        self._count(now, rows_N, columns_N, delta_ND.norm(dim=1), norm_N1.squeeze(1))
        if not bool(delta_ND.any()):
            return None  # so that a strength of 0 leaves every bit as it was
        changed_BSD = value_BSD.clone()
        changed_BSD[rows_N, columns_N] = (state_ND + delta_ND).to(value_BSD.dtype)
        return changed_BSD

    def _latents(
        self,
        plan: int,
        state_ND: torch.Tensor,
        now: ForwardPass,
        rows_N: torch.Tensor,
        columns_N: torch.Tensor,
    ) -> torch.Tensor:
        """Return the latent of each special edit, read where its dictionary reads."""
        latents_NE = torch.full(
            (len(state_ND), len(self.special[plan])), torch.nan, device=state_ND.device
        )
        for reader in self.readers[plan]:
            read_ND = state_ND
            if reader.point != self.point:
                read_ND = now.captured[reader.point][rows_N, columns_N].float()
            latents_NE[:, reader.places] = reader.reader.read(read_ND)
        return latents_NE

    def _count(
        self,
        now: ForwardPass,
        rows_N: torch.Tensor,
        columns_N: torch.Tensor,
        delta_N: torch.Tensor,
        norm_N: torch.Tensor,
    ) -> None:
        ratio = (delta_N / norm_N.clamp_min(1e-12)).max().item()
        if not ratio <= MAX_RATIO:
            size = f"{ratio:.0f} times as large as" if ratio == ratio else "not finite against"
            raise SteeringInvalid(
                f"The change is {size} the hidden state at {self.point.name}; nothing of the "
                "model's own would be left. Use a smaller coefficient (about 0.5 times the state "
                "is already strong)."
            )
        if not now.counts:
            return
        fresh_N = columns_N + now.first_position >= self.counted_until
        self.counted_until = now.first_position + now.mask_BS.shape[1]
        self.evidence.add(now.text_B[rows_N[fresh_N]], delta_N[fresh_N], norm_N[fresh_N])


def _edit_readers(loaded: LoadedModel, edits: Sequence[FeatureEdit]) -> list[PlacedReader]:
    latents = [(n, edit.latent) for n, edit in enumerate(edits) if edit.latent is not None]
    return placed_readers(loaded, latents)


def steering_hooks(
    loaded: LoadedModel, plans: Sequence[Sequence[FeatureEdit]], evidence: Evidence
) -> list[SteeringHook]:
    """Check all plans and make one hook per place.

    Raises:
        SteeringInvalid: an unusable edit, or the same feature twice at one place in a plan.
        HookPointNotFound: a layer or hook type does not exist.
    """
    at_point: dict[HookPoint, list[list[FeatureEdit]]] = {}
    for number, plan in enumerate(plans):
        seen: set[tuple[str, int]] = set()
        for edit in plan:
            check_edit(edit, loaded)
            point = resolve_hook_point(loaded.model, edit.layer, edit.hook_type)
            if edit.feature is not None and (point.name, edit.feature) in seen:
                raise SteeringInvalid(f"Feature {edit.feature} is listed twice at {point.name}.")
            if edit.feature is not None:
                seen.add((point.name, edit.feature))
            at_point.setdefault(point, [[] for _ in plans])[number].append(edit)
    return [SteeringHook(point, place, loaded, evidence) for point, place in at_point.items()]


def hook_list(hooks: Sequence[SteeringHook], watcher: Watcher) -> list[tuple[HookPoint, Edit]]:
    """Return all hooks in the order they act at one place: captures, steering, watching."""

    def capture_at(hook: SteeringHook, point: HookPoint) -> Edit:
        def keep(value_BSD: torch.Tensor) -> None:
            if hook.current is not None:
                hook.current.captured[point] = value_BSD

        return keep

    captures = [(point, capture_at(hook, point)) for hook in hooks for point in hook.read_points()]
    return [*captures, *((hook.point, hook.steer) for hook in hooks), *watcher.edits()]
