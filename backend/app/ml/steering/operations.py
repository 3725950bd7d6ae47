"""The delta that edits make of a hidden state. Legend: P plans, N states, E edits, D width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from app.ml.steering.edits import FeatureEdit


class ConstantDeltas:
    """Sum of the edits that need nothing of the state but its norm, for several plans at once.

    ``fixed_PD`` is in activation units, ``relative_PD`` a share of the state's norm; float32.
    """

    def __init__(
        self, plans: Sequence[Sequence[FeatureEdit]], width: int, device: torch.device
    ) -> None:
        fixed_PD = torch.zeros(len(plans), width)
        relative_PD = torch.zeros(len(plans), width)
        for place, edits in enumerate(plans):
            for edit in edits:
                if edit.is_constant and edit.unit == "norm":
                    relative_PD[place] += edit.coefficient * edit.unit_direction().cpu()
                elif edit.is_constant:
                    fixed_PD[place] += edit.amount() * edit.direction_D.cpu()
        self.is_zero = (~(fixed_PD.any(dim=1) | relative_PD.any(dim=1))).tolist()
        self.has_fixed, self.has_relative = bool(fixed_PD.any()), bool(relative_PD.any())
        self.fixed_PD, self.relative_PD = fixed_PD.to(device), relative_PD.to(device)

    def prepare(self, plans_N: torch.Tensor, plans: Sequence[int]) -> PreparedDeltas:
        """Return the deltas of states whose plans are these, as a tensor and to the host."""
        fixed_ND = self.fixed_PD[plans_N]
        relative_ND = self.relative_PD[plans_N] if self.has_relative else None
        zeros = [self.is_zero[plan] for plan in plans]
        return PreparedDeltas(
            fixed_ND,
            relative_ND,
            torch.linalg.vector_norm(fixed_ND, dim=1),
            None if relative_ND is None else torch.linalg.vector_norm(relative_ND, dim=1),
            has_fixed=self.has_fixed,
            is_zero=all(zeros),
            has_zero=any(zeros),
        )


@dataclass(frozen=True, eq=False)
class PreparedDeltas:
    """Constant deltas of given places, with what of their norms is known beforehand."""

    fixed_ND: torch.Tensor
    relative_ND: torch.Tensor | None
    fixed_N: torch.Tensor
    relative_N: torch.Tensor | None
    has_fixed: bool
    is_zero: bool
    has_zero: bool

    def of(self, norms_N1: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the deltas (N, D) of states with these norms, and the deltas' norms (N,)."""
        if self.relative_ND is None or self.relative_N is None:
            return self.fixed_ND, self.fixed_N
        relative_ND = norms_N1 * self.relative_ND
        if not self.has_fixed:
            return relative_ND, norms_N1.squeeze(1) * self.relative_N
        delta_ND = self.fixed_ND + relative_ND
        return delta_ND, torch.linalg.vector_norm(delta_ND, dim=1)


def state_delta(
    edits: Sequence[FeatureEdit],
    state_ND: torch.Tensor,
    latents_NE: torch.Tensor,
    base_ND: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the delta (N, D) of edits that look at the state.

    All latents are those of the state before any edit, and the deltas are summed: the order of
    the edits means nothing, as if the dictionary's latents were set together and decoded.

    Args:
        edits: None of them constant.
        state_ND: float32.
        latents_NE: float32, the latent of each edit; NaN where it has none.
        base_ND: What the deltas are added to, where that is a reconstruction of the state:
            projections are of it.
    """
    delta_ND = torch.zeros_like(state_ND)
    projected = [place for place, edit in enumerate(edits) if edit.method == "project"]
    for place, edit in enumerate(edits):
        if edit.method != "project":
            change_N = latent_change(edit, latents_NE[:, place], state_ND)
            delta_ND += change_N.unsqueeze(1) * edit.direction_D.to(state_ND.device)
    if projected:
        chosen = [edits[place] for place in projected]
        base_ND = state_ND if base_ND is None else base_ND
        delta_ND += projection_delta(chosen, base_ND, latents_NE[:, projected])
    return delta_ND


def latent_change(
    edit: FeatureEdit, latent_N: torch.Tensor, state_ND: torch.Tensor
) -> torch.Tensor:
    """Return by how much an edit changes its latent, in activation units (N,)."""
    if edit.method == "clamp":
        change_N = edit.amount() - latent_N
    elif edit.method == "floor":
        change_N = (edit.amount() - latent_N).clamp_min(0)
    elif edit.method == "scale":
        change_N = (edit.coefficient - 1) * latent_N
    elif edit.method == "ablate":
        change_N = -latent_N
    elif edit.unit == "norm":
        change_N = edit.coefficient * state_ND.norm(dim=1) / edit.direction_D.norm()
    else:
        change_N = torch.full_like(latent_N, edit.amount())
    return torch.where(latent_N > 0, change_N, 0.0) if edit.only_active else change_N


def projection_delta(
    edits: Sequence[FeatureEdit], state_ND: torch.Tensor, latents_NE: torch.Tensor
) -> torch.Tensor:
    """Scale the state's coordinates along several directions, which need not be orthogonal.

    The coordinates are those of the least-squares fit by all directions together, so that a factor
    of 0 for all removes exactly their span.
    """
    units_ED = torch.stack([edit.unit_direction() for edit in edits]).to(state_ND.device)
    factors_E = torch.tensor([edit.coefficient - 1 for edit in edits], device=state_ND.device)
    coordinates_NE = state_ND @ torch.linalg.pinv(units_ED)
    only_active_E = torch.tensor([edit.only_active for edit in edits], device=state_ND.device)
    skipped_NE = only_active_E & ~(latents_NE > 0)
    changes_NE: torch.Tensor = (coordinates_NE * factors_E).masked_fill(skipped_NE, 0.0)
    return changes_NE @ units_ED
