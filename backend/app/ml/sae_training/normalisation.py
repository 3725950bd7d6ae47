"""The space that dictionaries are trained in: zero mean, unit mean square per element."""

from __future__ import annotations

from dataclasses import dataclass

import torch

SCALE_FLOOR = 1e-8


@dataclass(frozen=True)
class Normalisation:
    """``x_normalised = (x - mean) * scale``."""

    mean_D: torch.Tensor
    scale: float

    def apply(self, x_BD: torch.Tensor) -> torch.Tensor:
        return (x_BD - self.mean_D) * self.scale

    def to(self, device: torch.device) -> Normalisation:
        return Normalisation(self.mean_D.to(device), self.scale)


def measure_normalisation(rows_ND: torch.Tensor) -> Normalisation:
    """Measure mean and scale in float64 on a sample of training rows.

    Centring is the largest single lever against latents that are dead from the start.
    """
    rows = rows_ND.double()
    mean_D = rows.mean(dim=0)
    mean_square = (rows - mean_D).square().mean().item()
    return Normalisation(mean_D.float(), float(max(mean_square, SCALE_FLOOR**2) ** -0.5))
