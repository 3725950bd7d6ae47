"""What a dictionary has to beat: the best linear subspace of as many dimensions as it has L0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from app.ml.activation_extraction.activation_store import ActivationRows

SAMPLE_ROWS = 65_536
BATCH_ROWS = 8192
EXACT_WIDTH = 1024
"""Up to this width the covariance is decomposed exactly; beyond, by subspace iteration."""
OVERSAMPLING = 16
ITERATIONS = 12


@dataclass(frozen=True)
class PrincipalSubspace:
    """The mean of training rows and the directions of their largest variance.

    ``mean_D`` float64, ``directions_DK`` float64 with orthonormal columns.
    """

    mean_D: torch.Tensor
    directions_DK: torch.Tensor

    @property
    def rank(self) -> int:
        return self.directions_DK.shape[1]

    def errors(self, x_BD: torch.Tensor) -> torch.Tensor:
        """Return the squared distance of each row to the subspace, float64 (B,)."""
        centred_BD = x_BD.double() - self.mean_D
        inside_BK = centred_BD @ self.directions_DK
        return centred_BD.square().sum(dim=1) - inside_BK.square().sum(dim=1)


def fit_subspace(
    rows: ActivationRows, n_train_rows: int, rank: int, device: torch.device
) -> PrincipalSubspace | None:
    """Fit on up to 65,536 training rows, taken evenly; None if there are fewer than two.

    Args:
        rows: Of the place that the dictionary writes.
        n_train_rows: The first rows are of training documents.
        rank: Dimensions to keep; at most the width.
        device: Where the covariance is computed.
    """
    if n_train_rows < 2:
        return None
    count = min(n_train_rows, SAMPLE_ROWS)
    numbers = np.linspace(0, n_train_rows - 1, count).astype(np.int64)
    pivot_D = rows.gather(numbers[:BATCH_ROWS]).to(device).double().mean(dim=0)
    sum_D = torch.zeros_like(pivot_D)
    square_DD = torch.zeros(rows.d_model, rows.d_model, dtype=torch.float64, device=device)
    for start in range(0, count, BATCH_ROWS):
        centred_BD = rows.gather(numbers[start : start + BATCH_ROWS]).to(device).double() - pivot_D
        sum_D += centred_BD.sum(dim=0)
        square_DD.addmm_(centred_BD.T, centred_BD)
    shift_D = sum_D / count
    covariance_DD = square_DD / count - torch.outer(shift_D, shift_D)
    kept = max(1, min(rank, rows.d_model))
    return PrincipalSubspace(pivot_D + shift_D, largest_directions(covariance_DD, kept))


def largest_directions(covariance_DD: torch.Tensor, rank: int) -> torch.Tensor:
    """Return the eigenvectors (D, rank) of the largest eigenvalues.

    Wide matrices take seeded subspace iteration (Halko et al. 2011), whose subspace misses less
    than a thousandth of the variance where eigenvalues fall as those of activations do.
    """
    width = len(covariance_DD)
    if width <= EXACT_WIDTH or rank + OVERSAMPLING >= width:
        return _eigenvectors(covariance_DD, rank)
    generator = torch.Generator().manual_seed(0)
    guess_DK = torch.randn(
        width, rank + OVERSAMPLING, generator=generator, dtype=covariance_DD.dtype
    )
    basis_DK = torch.linalg.qr(guess_DK.to(covariance_DD.device))[0]
    for _ in range(ITERATIONS):
        basis_DK = torch.linalg.qr(covariance_DD @ basis_DK)[0]
    directions_DK: torch.Tensor = basis_DK @ _eigenvectors(
        basis_DK.T @ covariance_DD @ basis_DK, rank
    )
    return directions_DK


def _eigenvectors(symmetric: torch.Tensor, count: int) -> torch.Tensor:
    vectors: torch.Tensor = torch.linalg.eigh(symmetric)[1]
    return vectors[:, -count:]
