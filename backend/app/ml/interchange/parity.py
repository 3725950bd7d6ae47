"""Whether a converted dictionary is its source, on real activations."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from typing import Any

import torch

from app.ml.errors import ParityFailed
from app.ml.interchange.foreign import ForeignSae, Reference
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder

LATENT_TOLERANCE = 1e-5
FVU_DECIMALS = 4
BATCH_ROWS = 1024
MOST_BATCH_VALUES = 1 << 24
"""Latents of one batch in float64 (128 MB), so that a wide dictionary needs no more memory."""


@dataclass(frozen=True)
class ParityReport:
    """What ``check_parity`` found.

    ``max_latent_difference`` is absolute, both sides in float64, beside the largest latent;
    ``fvu`` is of our dictionary in float32, as it is used, ``fvu_source`` of the source's
    definition in float64.
    """

    n_tokens: int
    max_latent_difference: float
    max_latent: float
    active_sets_equal: bool
    l0: float
    fvu: float
    fvu_source: float

    @property
    def explained_variance(self) -> float:
        return 1 - self.fvu

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "explained_variance": self.explained_variance}

    @property
    def problems(self) -> list[str]:
        """What speaks against the conversion; empty when it stands."""
        found = []
        if self.max_latent_difference > LATENT_TOLERANCE * max(self.max_latent, 1.0):
            found.append(f"latents differ by up to {self.max_latent_difference:.3g}")
        if not self.active_sets_equal:
            found.append("other latents are active")
        if round(abs(self.fvu - self.fvu_source), FVU_DECIMALS) > 0:
            found.append(f"FVU is {self.fvu:.4f} instead of {self.fvu_source:.4f}")
        return found


def check_parity(foreign: ForeignSae, x_ND: torch.Tensor, target_ND: torch.Tensor) -> ParityReport:
    """Compare our reading of a dictionary with the source's own definition, row by row.

    Args:
        foreign: From ``read_foreign``.
        x_ND: Real activations of the place that it reads, float32.
        target_ND: The same, or those of the place that a transcoder writes.

    Raises:
        ParityFailed: they differ, or the dictionary explains nothing of these activations: it is
            transposed, or of another model, layer or place.
        InvalidActivations: the width is another.
    """
    ours = SparseAutoencoder(
        foreign.tensors, foreign.activation, foreign.k, centres_input=foreign.centres_input
    )
    report = compare(ours, foreign.reference, x_ND, target_ND)
    if report.problems:
        raise ParityFailed(f"The converted dictionary is not its source: {report.problems[0]}.")
    if report.explained_variance <= 0:
        raise ParityFailed(
            f"It explains nothing of the model's activations here (FVU {report.fvu:.3g}, no better "
            "than their mean). Check model, layer and hook type, and that its matrices are not "
            "transposed."
        )
    return report


def compare(
    ours: SparseAutoencoder, reference: Reference, x_ND: torch.Tensor, target_ND: torch.Tensor
) -> ParityReport:
    """Measure how far a dictionary of ours is from a definition; rows as in ``check_parity``.

    Raises:
        InvalidActivations: the width is another.
    """
    ours(x_ND[:1])  # a wrong width is told before anything is computed
    precise = copy.deepcopy(ours).double()
    difference = largest = error = error_source = 0.0
    n_active, equal = 0, True
    batch_rows = max(1, min(BATCH_ROWS, MOST_BATCH_VALUES // ours.d_sae))
    for rows in range(0, len(x_ND), batch_rows):
        x_BD, target_BD = x_ND[rows : rows + batch_rows], target_ND[rows : rows + batch_rows]
        theirs_BF, written_BD = reference(x_BD.double())
        latents_BF = precise.encode(x_BD.double())
        difference = max(difference, (latents_BF - theirs_BF).abs().max().item())
        largest = max(largest, theirs_BF.abs().max().item())
        equal = equal and torch.equal(latents_BF > 0, theirs_BF > 0)
        n_active += int((theirs_BF > 0).sum())
        error += (ours(x_BD).double() - target_BD).square().sum().item()
        error_source += (written_BD - target_BD).square().sum().item()
    target = target_ND.double()
    spread = (target - target.mean(dim=0)).square().sum().item() or 1e-30
    return ParityReport(
        len(x_ND), difference, largest, equal, n_active / len(x_ND),
        error / spread, error_source / spread,
    )  # fmt: skip
