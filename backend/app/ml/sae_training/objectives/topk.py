"""TopK: the k largest latents of each token."""

from __future__ import annotations

import torch

from app.ml.sae_training.active_latents import ActiveLatents, SparseLatents
from app.ml.sae_training.objectives.auxk import add_auxk
from app.ml.sae_training.objectives.base import (
    Batch,
    Objective,
    StepLosses,
    write_encoder_gradients,
)
from app.ml.sae_training.objectives.reconstruction import reconstruct
from app.ml.sae_training.selection import largest_per_row
from app.ml.sae_training.weights import Weights


class TopKObjective(Objective):
    """Mean squared error of the k largest latents of each row, plus AuxK. Source: Gao 2024."""

    def step(
        self, weights: Weights, batch: Batch, dead: torch.Tensor, progress: float
    ) -> StepLosses:
        centred_BD = weights.centred(batch.input_BD)
        pre_BF = self.encode(weights, centred_BD, weights.b_enc_F)
        k = self.settings.k_at(progress, self.architecture.d_in)
        active, values = self.select(weights, pre_BF, k, progress)
        sizes = self.settings.nested_sizes(self.architecture.d_in)
        found = reconstruct(weights, batch, active, values, sizes)
        d_pre = found.d_values * (values > 0)
        weights.b_enc_F.grad = write_encoder_gradients(weights, active, d_pre, centred_BD)
        auxiliary = add_auxk(
            weights, centred_BD, pre_BF, found.error_BD, dead, self.settings.auxk_coefficient
        )
        return StepLosses(
            loss=found.loss + auxiliary,
            reconstruction=found.loss,
            auxiliary=auxiliary,
            sparsity=found.loss.new_zeros(()),
            l0=active.count(values) / len(batch),
            error_BD=found.error_BD,
            fired_F=active.fired(values),
        )

    def select(
        self, weights: Weights, pre_BF: torch.Tensor, k: float, progress: float
    ) -> tuple[ActiveLatents, torch.Tensor]:
        """Return the entries that are kept and their values, at least 0 each."""
        kept = min(round(k), weights.d_sae)
        values_BK, indices_BK = largest_per_row(pre_BF, kept)
        wide = weights.W_dec_FD.dtype
        values = torch.relu(values_BK.reshape(-1).to(wide))
        return SparseLatents.of_rows(indices_BK, weights.d_sae, self.dtype), values
