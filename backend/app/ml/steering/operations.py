"""The delta that edits make of a hidden state. Legend: P plans, N states, E edits, D width."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from app.ml.steering.edits import FeatureEdit


class ConstantDeltas:
    """Sum of the edits that need nothing of the state but its norm, for several plans at once.

    ``fixed_PD`` is in activation units, ``relative_PD`` a share of the state's norm; float32.
    """

    def __init__(
        self, plans: Sequence[Sequence[FeatureEdit]], width: int, device: torch.device
    ) -> None:
        self.fixed_PD = torch.zeros(len(plans), width)
        self.relative_PD = torch.zeros(len(plans), width)
        for place, edits in enumerate(plans):
            for edit in edits:
                if edit.is_constant and edit.unit == "norm":
                    self.relative_PD[place] += edit.coefficient * edit.unit_direction().cpu()
                elif edit.is_constant:
                    self.fixed_PD[place] += edit.amount() * edit.direction_D.cpu()
        self.has_relative = bool(self.relative_PD.any())
        self.fixed_PD = self.fixed_PD.to(device)
        self.relative_PD = self.relative_PD.to(device)

    def of(self, plans_N: torch.Tensor, norms_N1: torch.Tensor) -> torch.Tensor:
        """Return the delta (N, D) of states with these norms, each by its own plan."""
        delta_ND = self.fixed_PD[plans_N]
        if self.has_relative:
            delta_ND = delta_ND + norms_N1 * self.relative_PD[plans_N]
        return delta_ND


def state_delta(
    edits: Sequence[FeatureEdit], state_ND: torch.Tensor, latents_NE: torch.Tensor
) -> torch.Tensor:
    """Return the delta (N, D) of edits that look at the state.

    All latents are those of the state before any edit, and the deltas are summed: the order of
    the edits means nothing, as if the dictionary's latents were set together and decoded.

    Args:
        edits: None of them constant.
        state_ND: float32.
        latents_NE: float32, the latent of each edit; NaN where it has none.
    """
    delta_ND = torch.zeros_like(state_ND)
    projected = [place for place, edit in enumerate(edits) if edit.method == "project"]
    for place, edit in enumerate(edits):
        if edit.method != "project":
            change_N = latent_change(edit, latents_NE[:, place], state_ND)
            delta_ND += change_N.unsqueeze(1) * edit.direction_D.to(state_ND.device)
    if projected:
        chosen = [edits[place] for place in projected]
        delta_ND += projection_delta(chosen, state_ND, latents_NE[:, projected])
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
