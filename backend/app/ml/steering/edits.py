"""Directions that are added to activations, by absolute position, in one branch only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from app.ml.configs import STEERING_UNITS
from app.ml.errors import SteeringInvalid
from app.ml.language_models.forward import Edit
from app.ml.language_models.hook_points import HookPoint, resolve_hook_point
from app.ml.language_models.loading import LoadedModel
from app.ml.records import FeatureEdit
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder, load_sae


def feature_edit(
    sae: Path | SparseAutoencoder,
    index: int,
    layer: int,
    hook_type: str,
    coefficient: float,
    unit: str = "max",
    max_activation: float | None = None,
) -> FeatureEdit:
    """Build the edit of one latent of a dictionary.

    Raises:
        SteeringInvalid: the dictionary has no such latent.
        CheckpointInvalid: the checkpoint cannot be read.
    """
    dictionary = load_sae(sae) if isinstance(sae, Path) else sae
    if not 0 <= index < dictionary.d_sae:
        last = dictionary.d_sae - 1
        raise SteeringInvalid(f"Feature {index} does not exist; there are features 0 to {last}.")
    return FeatureEdit(
        layer=layer,
        hook_type=hook_type,
        direction_D=dictionary.W_dec_FD[index].detach().cpu().numpy(),
        coefficient=coefficient,
        unit=unit,
        max_activation=max_activation,
        feature=index,
        encoder_D=dictionary.W_enc_DF[:, index].detach().cpu().numpy(),
        encoder_bias=dictionary.b_enc_F[index].item(),
        center_D=dictionary.b_dec_D.detach().cpu().numpy(),
    )


@dataclass
class SteeredPlace:
    """All edits at one hook point.

    ``fixed_D`` is the sum of the edits in activation units; ``relative_D`` the sum of those
    given as a share of the state's own norm. Both float32.
    """

    point: HookPoint
    fixed_D: torch.Tensor
    relative_D: torch.Tensor


@dataclass
class Proof:
    """Counted while steering: what the hooks really did."""

    positions: int = 0
    ratio_sum: float = 0.0
    norm_sum: float = 0.0
    values: int = 0


@dataclass
class SteeringHook:
    """Adds the directions to chosen rows at chosen absolute positions.

    ``mask_BS`` tells, for the tokens of the coming forward pass, where to steer, and
    ``first_position`` the absolute position of the first of them; whoever runs the pass sets
    both. Positions are thereby absolute whether or not a cache holds the earlier tokens, and are
    counted once. The dictionary's error stays: only a delta is added.
    """

    place: SteeredPlace
    proof: Proof
    counts_positions: bool
    mask_BS: torch.Tensor | None = None
    first_position: int = 0
    counted_until: int = 0

    def edit(self) -> Edit:
        def add(value_BSD: torch.Tensor) -> torch.Tensor | None:
            mask_BS = self.mask_BS
            if mask_BS is None or not bool(mask_BS.any()):
                return None
            state = value_BSD[mask_BS].float()
            norms = state.norm(dim=-1, keepdim=True)
            delta = self.place.fixed_D + norms * self.place.relative_D
            self._count(delta.expand_as(state), norms, mask_BS)
            changed = value_BSD.clone()
            changed[mask_BS] = (state + delta).to(value_BSD.dtype)
            return changed

        return add

    def _count(self, delta: torch.Tensor, norms: torch.Tensor, mask_BS: torch.Tensor) -> None:
        positions = mask_BS.nonzero()[:, 1] + self.first_position
        fresh = positions >= self.counted_until
        self.counted_until = self.first_position + mask_BS.shape[1]
        sizes, norms = delta.norm(dim=-1)[fresh], norms.squeeze(-1)[fresh]
        self.proof.values += len(sizes)
        self.proof.norm_sum += sizes.sum().item()
        self.proof.ratio_sum += (sizes / norms.clamp_min(1e-12)).sum().item()
        if self.counts_positions:
            self.proof.positions += len(sizes)


def resolve_places(loaded: LoadedModel, edits: Sequence[FeatureEdit]) -> list[SteeredPlace]:
    """Check the edits and sum them per hook point.

    Raises:
        SteeringInvalid: no edits, an unusable direction, unit or coefficient, or the same
            feature twice at one place.
        HookPointNotFound: a layer or hook type does not exist.
    """
    if not edits:
        raise SteeringInvalid("Choose at least one feature to steer with.")
    places: dict[str, SteeredPlace] = {}
    seen: set[tuple[str, int]] = set()
    for edit in edits:
        point = resolve_hook_point(loaded.model, edit.layer, edit.hook_type)
        if edit.feature is not None and (point.name, edit.feature) in seen:
            raise SteeringInvalid(f"Feature {edit.feature} is listed twice at {point.name}.")
        if edit.feature is not None:
            seen.add((point.name, edit.feature))
        unit_D = _unit_direction(edit, loaded)
        zero_D = torch.zeros_like(unit_D)
        place = places.setdefault(point.name, SteeredPlace(point, zero_D, zero_D))
        if edit.unit == "norm":
            place.relative_D = place.relative_D + edit.coefficient * unit_D
        else:
            place.fixed_D = place.fixed_D + activation_delta(edit) * unit_D
    return list(places.values())


def activation_delta(edit: FeatureEdit) -> float:
    """Return the length of an edit in activation units; NaN for a share of the norm."""
    if edit.unit == "norm":
        return math.nan
    if edit.unit == "activation":
        return edit.coefficient
    if edit.max_activation is None or not edit.max_activation > 0:
        raise SteeringInvalid(
            'The unit "max" needs the feature\'s largest activation, which is above zero only for '
            "features that fire."
        )
    return edit.coefficient * edit.max_activation


def _unit_direction(edit: FeatureEdit, loaded: LoadedModel) -> torch.Tensor:
    if edit.unit not in STEERING_UNITS:
        raise SteeringInvalid(f"Unit {edit.unit!r} is not one of {', '.join(STEERING_UNITS)}.")
    if not math.isfinite(edit.coefficient):
        raise SteeringInvalid("The coefficient must be a finite number.")
    direction = torch.as_tensor(edit.direction_D, dtype=torch.float32, device=loaded.device)
    width = loaded.card.d_model
    if direction.shape != (width,):
        shape = tuple(direction.shape)
        raise SteeringInvalid(f"The direction has shape {shape}; this model needs ({width},).")
    norm = direction.norm()
    if not bool(torch.isfinite(norm)) or norm <= 0:
        raise SteeringInvalid("The direction is zero or not finite.")
    unit_D: torch.Tensor = direction / norm
    return unit_D
