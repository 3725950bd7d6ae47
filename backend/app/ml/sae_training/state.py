"""Everything that the next step depends on, and the run that it belongs to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from app.ml.configs import TrainingHyperparameters
from app.ml.sae_training.normalisation import Normalisation
from app.ml.sae_training.weights import Weights

FREE_SETTINGS = (
    "log_every", "checkpoint_every", "keep_checkpoints", "training_steps", "evaluation_windows",
)  # fmt: skip
"""Settings that may differ between a checkpoint and the run that continues it."""
OPTIMISER_KEYS = ("exp_avg", "exp_avg_sq", "step", "momentum_buffer")


@dataclass
class TrainingState:
    """What a checkpoint holds; batches follow from seed and ``step``.

    Attributes:
        read: Normalisation of what is read.
        written: Normalisation of what is written; the same one unless it is a transcoder.
        smoothed_variance: Moving average of the reported explained variance.
        block_rows: Shared with the batches: what they remember of a stream.
    """

    weights: Weights
    read: Normalisation
    written: Normalisation
    optimiser: torch.optim.Optimizer
    tokens_since_fired_F: torch.Tensor
    step: int = 0
    smoothed_variance: float | None = None
    block_rows: list[int] = field(default_factory=list)

    def tensors(self) -> dict[str, torch.Tensor]:
        tensors = {name: p.detach() for name, p in self.weights.named_parameters()}
        tensors |= dict(self.weights.named_buffers())
        tensors["mean_D"] = self.read.mean_D
        tensors["tokens_since_fired_F"] = self.tokens_since_fired_F
        if self.written is not self.read:
            tensors["target_mean_D"] = self.written.mean_D
        return tensors

    def optimiser_tensors(self) -> dict[str, torch.Tensor]:
        tensors = {}
        for name, parameter in self.weights.named_parameters():
            for key in OPTIMISER_KEYS:
                value = self.optimiser.state[parameter].get(key)
                if isinstance(value, torch.Tensor):
                    tensors[f"{name}.{key}"] = value
        return tensors

    def restore(
        self,
        metadata: dict[str, Any],
        tensors: dict[str, torch.Tensor],
        optimiser_tensors: dict[str, torch.Tensor],
    ) -> None:
        """Take over what ``tensors`` and ``optimiser_tensors`` gave."""
        for name, parameter in self.weights.named_parameters():
            parameter.copy_(tensors[name])
        for name, buffer in self.weights.named_buffers():
            buffer.copy_(tensors[name])
        self.tokens_since_fired_F.copy_(tensors["tokens_since_fired_F"])
        device = self.weights.b_dec_D.device
        is_same = self.written is self.read
        self.read = Normalisation(tensors["mean_D"].to(device), metadata["scale"])
        self.written = self.read
        if not is_same:
            target_mean_D = tensors["target_mean_D"].to(device)
            self.written = Normalisation(target_mean_D, metadata["target_scale"])
        self.step = metadata["step"]
        self.smoothed_variance = metadata.get("smoothed_variance")
        self.block_rows[:] = metadata.get("block_rows", [])
        self._restore_optimiser(optimiser_tensors)

    def _restore_optimiser(self, tensors: dict[str, torch.Tensor]) -> None:
        parameters = dict(self.weights.named_parameters())
        for full_name, value in tensors.items():
            name, _, key = full_name.rpartition(".")
            parameter = parameters[name]
            self.optimiser.state[parameter][key] = value.to(parameter.device)


@dataclass(frozen=True)
class RunIdentity:
    """What a checkpoint belongs to; compared before a run continues from it.

    ``hook_type`` is the place that is read (width ``d_model``), ``target_hook_type`` the one
    that is written (width ``d_out``), in the same block.
    """

    encoder_type: str
    layer: int
    hook_type: str
    target_hook_type: str
    d_model: int
    d_out: int
    d_sae: int
    n_train_rows: int

    @classmethod
    def of(cls, metadata: dict[str, Any]) -> RunIdentity:
        """Read it from a checkpoint's metadata; the first ones knew autoencoders only."""
        known = {
            "target_hook_type": metadata["hook_type"],
            "d_out": metadata["d_model"],
            **metadata,
        }
        return cls(**{name: known[name] for name in cls.__dataclass_fields__})

    def describe(self, hyperparameters: TrainingHyperparameters) -> dict[str, Any]:
        settings = hyperparameters.to_dict()
        fixed = {k: v for k, v in settings.items() if k not in FREE_SETTINGS}
        return {**asdict(self), "hyperparameters": fixed}
