"""What is done to one direction during generation, and whether it can be done."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch

from app.ml.configs import READING_METHODS, STEERING_METHODS, STEERING_UNITS, UNITS_OF_METHOD
from app.ml.errors import SteeringInvalid
from app.ml.files import read_json
from app.ml.language_models.hook_points import resolve_hook_point, width_at
from app.ml.language_models.loading import LoadedModel
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder, load_sae
from app.ml.steering.latents import Latent


@dataclass(frozen=True, eq=False)
class FeatureEdit:
    """One direction and what to do with it; compared by identity.

    ``direction_D`` float32: a dictionary's decoder row as it is, so that a coefficient of 1 in the
    unit "activation" is one unit of the latent. ``method`` and ``unit`` as in
    ``configs.STEERING_METHODS`` and ``STEERING_UNITS``; ``max_activation`` is needed for "max".
    ``only_active`` leaves positions alone where the latent is zero. ``latent`` says how it is
    read, ``learned_at`` the block and the place that its dictionary writes.
    """

    layer: int
    hook_type: str
    direction_D: torch.Tensor
    coefficient: float
    unit: str = "max"
    method: str = "add"
    max_activation: float | None = None
    only_active: bool = False
    feature: int | None = None
    latent: Latent | None = None
    learned_at: tuple[int, str] | None = None

    @property
    def reads_latent(self) -> bool:
        return self.method in READING_METHODS or self.only_active

    @property
    def is_constant(self) -> bool:
        """Whether the delta needs nothing of the state but its norm."""
        return self.method == "add" and not self.only_active

    def unit_direction(self) -> torch.Tensor:
        """Return the direction with norm 1, float32 (D,)."""
        direction: torch.Tensor = self.direction_D / self.direction_D.norm()
        return direction

    def amount(self) -> float:
        """Return the coefficient in units of the latent; NaN for a share of the norm."""
        if self.unit == "activation":
            return self.coefficient
        if self.unit == "max" and self.max_activation is not None:
            return self.coefficient * self.max_activation
        return math.nan


def feature_edit(
    sae: Path | SparseAutoencoder,
    index: int,
    layer: int,
    hook_type: str,
    coefficient: float,
    unit: str = "max",
    max_activation: float | None = None,
    *,
    method: str = "add",
    only_active: bool = False,
    target_hook_type: str | None = None,
    at_layer: int | None = None,
    at_hook_type: str | None = None,
) -> FeatureEdit:
    """Build the edit of one latent of a dictionary.

    Args:
        sae: Checkpoint folder, or the dictionary itself.
        index: Which latent.
        layer: Block that the dictionary reads.
        hook_type: Place in it that the dictionary reads.
        coefficient: Strength, target or factor, as ``method`` takes it.
        unit: Of the coefficient.
        max_activation: Largest measured activation.
        method: What to do.
        only_active: Only where the latent is above zero.
        target_hook_type: Place that the dictionary writes to, where it differs (transcoders read
            ``mlp_input`` and act at ``mlp``); by default the checkpoint's metadata knows.
        at_layer: Act at another block than the dictionary's own; such a latent cannot be read.
        at_hook_type: Act at another place in the block; nor can it be read then.

    Raises:
        SteeringInvalid: the dictionary has no such latent, or must be read where it cannot be.
        CheckpointInvalid: the checkpoint cannot be read.
    """
    dictionary = load_sae(sae) if isinstance(sae, Path) else sae
    if not 0 <= index < dictionary.d_sae:
        last = dictionary.d_sae - 1
        raise SteeringInvalid(f"Feature {index} does not exist; there are features 0 to {last}.")
    if target_hook_type is None and isinstance(sae, Path):
        target_hook_type = written_hook_type(sae)
    own = (layer, target_hook_type or hook_type)
    place = (own[0] if at_layer is None else at_layer, at_hook_type or own[1])
    edit = FeatureEdit(
        layer=place[0],
        hook_type=place[1],
        direction_D=dictionary.W_dec_FD[index].detach().clone(),
        coefficient=coefficient,
        unit=unit,
        method=method,
        max_activation=max_activation,
        only_active=only_active,
        feature=index,
        latent=Latent(dictionary, index, layer, hook_type),
        learned_at=own,
    )
    if place != own and edit.reads_latent:
        raise SteeringInvalid(
            f"{method} reads the feature, which exists only at layer {layer}, {own[1]}; steer "
            'there, or use "add" or "project" elsewhere.'
        )
    return edit


def written_hook_type(checkpoint: Path) -> str | None:
    """Return where a checkpoint's dictionary acts, if its metadata says so."""
    folder = checkpoint.parent if checkpoint.suffix == ".safetensors" else checkpoint
    hook_type = read_json(folder / "metadata.json").get("target_hook_type")
    return str(hook_type) if hook_type else None


def check_edit(edit: FeatureEdit, loaded: LoadedModel) -> None:
    """Refuse what would mean nothing.

    Raises:
        SteeringInvalid: with one sentence on what to change.
        HookPointNotFound: the place does not exist.
    """
    if edit.method not in STEERING_METHODS:
        names = ", ".join(STEERING_METHODS)
        raise SteeringInvalid(f"Method {edit.method!r} does not exist; choose one of {names}.")
    if edit.unit not in STEERING_UNITS:
        raise SteeringInvalid(f"Unit {edit.unit!r} is not one of {', '.join(STEERING_UNITS)}.")
    units = UNITS_OF_METHOD.get(edit.method)
    if units is not None and edit.unit not in units:
        names = ", ".join(units)
        raise SteeringInvalid(f'"{edit.method}" has no unit "{edit.unit}"; choose {names}.')
    if not math.isfinite(edit.coefficient):
        raise SteeringInvalid("The coefficient must be a finite number.")
    if units is not None and edit.unit == "max" and not (edit.max_activation or 0) > 0:
        raise SteeringInvalid(
            'The unit "max" needs the feature\'s largest activation, which is above zero only for '
            'features that fire; use the unit "activation".'
        )
    if edit.unit == "kl" and edit.coefficient == 0 and units is not None:
        raise SteeringInvalid("A KL target must not be 0; its sign says which way to steer.")
    if edit.reads_latent and edit.latent is None:
        raise SteeringInvalid(f'"{edit.method}" needs a feature of a dictionary, not a direction.')
    point = resolve_hook_point(loaded.model, edit.layer, edit.hook_type)
    width = width_at(loaded.model, point, loaded.card.d_model)
    _check_direction(edit.direction_D, width, edit.hook_type)


def _check_direction(direction_D: torch.Tensor, width: int, hook_type: str) -> None:
    if tuple(direction_D.shape) != (width,):
        shape = tuple(direction_D.shape)
        raise SteeringInvalid(
            f"The direction has shape {shape}; {hook_type} of this model needs ({width},)."
        )
    norm = direction_D.norm()
    if not bool(torch.isfinite(norm)) or norm <= 0:
        raise SteeringInvalid("The direction is zero or not finite.")
