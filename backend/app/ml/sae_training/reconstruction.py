"""How well a dictionary writes held-out rows, in the original activation space."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from app.ml.errors import Stopped
from app.ml.records import Progress, Report, ShouldStop
from app.ml.sae_training.baselines import PrincipalSubspace
from app.ml.sae_training.document_sums import DocumentSums, Ratio
from app.ml.sae_training.heldout_rows import HeldoutRows
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder

DENSE_SHARE = 0.1


@dataclass
class ReconstructionSums:
    """Sums over all rows in float64, so that no figure depends on batch size or order.

    Attributes:
        documents: ``n error cosine norm_in norm_out square_out product l0 spread`` per document;
            ``skip_error`` with a skip path, ``pca_error`` and ``mean_error`` with baselines.
        mean_D: Mean of the targets.
        fires_F: On how many rows each latent is above zero.
        l0_counts: ``l0_counts[n]`` rows have n latents above zero.
        pca_rank: Dimensions of the subspace behind ``pca_error``; 0 without one.
    """

    documents: DocumentSums
    mean_D: torch.Tensor
    fires_F: torch.Tensor
    l0_counts: torch.Tensor
    pca_rank: int = 0

    @property
    def n(self) -> int:
        return int(self.l0_counts.sum())

    def ratios(self) -> dict[str, Ratio]:
        """Return the figures that are ratios of sums over documents."""
        sums = self.documents
        spread = sums["spread"]
        found = {
            "fvu": Ratio(sums["error"], spread),
            "explained_variance": Ratio(sums["error"], spread, 1.0, -1.0),
            "l0": Ratio(sums["l0"], sums["n"]),
            "cosine": Ratio(sums["cosine"], sums["n"]),
            "l2_ratio": Ratio(sums["norm_out"], sums["norm_in"]),
            "relative_bias": Ratio(sums["square_out"], sums["product"]),
        }
        for name in ("mean", "pca", "skip"):
            if f"{name}_error" in sums:
                found[f"{name}_explained_variance"] = Ratio(
                    sums[f"{name}_error"], spread, 1.0, -1.0
                )
        return found

    def l0_percentile(self, share: float) -> int:
        """Return the smallest L0 that at least ``share`` of the rows do not exceed."""
        reached = torch.cumsum(self.l0_counts, 0) >= share * self.n
        return int(reached.nonzero()[0])

    @property
    def dead_latents(self) -> int:
        return int((self.fires_F == 0).sum())

    @property
    def dense_latents(self) -> int:
        return int((self.fires_F > DENSE_SHARE * self.n).sum())


def reconstruct(
    sae: SparseAutoencoder,
    rows: HeldoutRows,
    batch_rows: int,
    report: Report,
    should_stop: ShouldStop,
) -> ReconstructionSums:
    """Read all rows once through the dictionary.

    Raises:
        InvalidActivations: wrong width, NaN.
        Stopped: ``should_stop`` said so.
    """
    device = sae.b_dec_D.device
    sums = DocumentSums(rows.n_documents)
    total_D = torch.zeros(sae.d_out, dtype=torch.float64, device=device)
    fires_F = torch.zeros(sae.d_sae, dtype=torch.int64, device=device)
    l0_counts = torch.zeros(sae.d_sae + 1, dtype=torch.int64, device=device)
    for batch in rows.batches(batch_rows, device):
        if should_stop():
            raise Stopped("The evaluation was stopped.")
        active = sae.encode_active(batch.inputs_BD)
        output_BD = sae.decode_active(active, len(batch.inputs_BD), batch.inputs_BD)
        l0_B = torch.bincount(active.rows, minlength=len(output_BD))
        values = _row_values(batch.targets_BD.double(), output_BD.double())
        if sae.W_skip_DD is not None:
            alone_BD = torch.addmm(sae.b_dec_D, batch.inputs_BD, sae.W_skip_DD.T)
            values["skip_error"] = (alone_BD.double() - batch.targets_BD).square().sum(dim=1)
        sums.add(batch.documents_B, {**values, "l0": l0_B})
        total_D += batch.targets_BD.double().sum(dim=0)
        fires_F += torch.bincount(active.latents, minlength=sae.d_sae)
        l0_counts += torch.bincount(l0_B, minlength=sae.d_sae + 1)
        report(Progress(batch.done, rows.n_rows, "tokens", "Reconstructing held-out tokens"))
    return ReconstructionSums(sums, total_D / rows.n_rows, fires_F.cpu(), l0_counts.cpu())


def _row_values(target_BD: torch.Tensor, output_BD: torch.Tensor) -> dict[str, torch.Tensor]:
    return {
        "n": torch.ones(len(target_BD)),
        "error": (output_BD - target_BD).square().sum(dim=1),
        "cosine": torch.cosine_similarity(target_BD, output_BD, dim=1),
        "norm_in": target_BD.norm(dim=1),
        "norm_out": output_BD.norm(dim=1),
        "square_out": output_BD.square().sum(dim=1),
        "product": (target_BD * output_BD).sum(dim=1),
    }


def add_baselines(
    sums: ReconstructionSums,
    rows: HeldoutRows,
    subspace: PrincipalSubspace | None,
    batch_rows: int,
) -> None:
    """Read the targets a second time: their spread about the exact mean, and the baselines.

    A second pass costs a few per cent of the first and keeps the spread free of cancellation.
    """
    sums.pca_rank = 0 if subspace is None else subspace.rank
    for batch in rows.batches(batch_rows, sums.mean_D.device):
        target_BD = batch.targets_BD.double()
        values = {"spread": (target_BD - sums.mean_D).square().sum(dim=1)}
        if subspace is not None:
            values["mean_error"] = (target_BD - subspace.mean_D).square().sum(dim=1)
            values["pca_error"] = subspace.errors(batch.targets_BD)
        sums.documents.add(batch.documents_B, values)
