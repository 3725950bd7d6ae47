"""The space that dictionaries are trained in: zero mean, unit mean square per element."""

from __future__ import annotations

from dataclasses import dataclass

import torch

SCALE_FLOOR = 1e-8
MEASURED_ROWS = 4096


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
    # In parts: the whole sample in float64, with its deviations, would take 24 bytes a number and
    # set the peak of the training.
    starts = range(0, len(rows_ND), MEASURED_ROWS)
    parts = [rows_ND[start : start + MEASURED_ROWS] for start in starts]
    total_D = torch.zeros(rows_ND.shape[1], dtype=torch.float64, device=rows_ND.device)
    for part in parts:
        total_D += part.double().sum(dim=0)
    mean_D = total_D / len(rows_ND)
    squares = sum((part.double() - mean_D).square().sum().item() for part in parts)
    mean_square = squares / rows_ND.numel()
    return Normalisation(mean_D.float(), float(max(mean_square, SCALE_FLOOR**2) ** -0.5))
