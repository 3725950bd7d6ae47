"""Held-out figures of a dictionary, in the original activation space."""

from __future__ import annotations

from pathlib import Path

import torch

from app.ml.activation_extraction.activation_store import ActivationRows, ActivationStore
from app.ml.activation_extraction.token_store import TokenStore
from app.ml.devices import coded_memory_errors
from app.ml.errors import InvalidActivations, Stopped
from app.ml.language_models.loading import LoadedModel
from app.ml.records import Progress, Report, SAEEvaluation, ShouldStop
from app.ml.sae_training.replacement import MAX_WINDOWS, ReplacementFigures, measure_replacement
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder, load_sae

BATCH_ROWS = 4096
DENSE_SHARE = 0.1
MIN_HELDOUT_ROWS = 2


class ReconstructionSums:
    """Sums over all rows, in float64, so that no figure depends on the batch size.

    FVU = sum |x - x'|^2 / sum |x - mean|^2 with the mean over all rows; both sums of the
    denominator are taken about a fixed pivot (the first batch's mean), or they would cancel.
    """

    def __init__(self, d_model: int, d_sae: int) -> None:
        self.n = 0
        self.error = self.square = self.cosine = self.norm_in = self.norm_out = 0.0
        self.pivot_D: torch.Tensor | None = None
        self.sum_D = torch.zeros(d_model, dtype=torch.float64)
        self.fires_F = torch.zeros(d_sae, dtype=torch.int64)

    def add(self, x_BD: torch.Tensor, output_BD: torch.Tensor, latents: torch.Tensor) -> None:
        """Add a batch; ``latents`` holds the number of the latent of every firing, int64."""
        x, output = x_BD.double(), output_BD.double()
        if self.pivot_D is None:
            self.pivot_D = x.mean(dim=0)
        from_pivot = x - self.pivot_D
        self.n += len(x)
        self.error += (output - x).square().sum().item()
        self.square += from_pivot.square().sum().item()
        self.sum_D += from_pivot.sum(dim=0)
        self.cosine += torch.cosine_similarity(x, output, dim=1).sum().item()
        self.norm_in += x.norm(dim=1).sum().item()
        self.norm_out += output.norm(dim=1).sum().item()
        self.fires_F += torch.bincount(latents, minlength=len(self.fires_F))

    def mean(self) -> torch.Tensor:
        """Return the mean (D,) of the rows, float64."""
        pivot = torch.zeros_like(self.sum_D) if self.pivot_D is None else self.pivot_D
        return pivot + self.sum_D / max(self.n, 1)

    @property
    def fvu(self) -> float:
        spread = self.square - self.sum_D.square().sum().item() / self.n
        return self.error / spread if spread > 0 else float(self.error > 0)


def evaluate_sae(
    sae_path: Path,
    store: ActivationStore,
    loaded: LoadedModel | None,
    tokens: TokenStore | None,
    layer: int,
    hook_type: str,
    report: Report,
    should_stop: ShouldStop,
    *,
    batch_rows: int = BATCH_ROWS,
    max_ce_windows: int = MAX_WINDOWS,
) -> SAEEvaluation:
    """Measure a dictionary on the held-out documents; definitions in ``METRIC_DEFINITIONS``.

    Args:
        sae_path: Checkpoint folder.
        store: Its held-out rows are read, all of them.
        loaded: Model to splice the reconstruction into; None leaves the CE figures out.
        tokens: The store's tokens; needed with ``loaded``.
        layer: Block of the dictionary.
        hook_type: Place in that block.
        report: Gets progress in rows, then in windows.
        should_stop: Asked between batches.
        batch_rows: Changes speed and memory, never the figures.
        max_ce_windows: Held-out windows that the model reads, taken evenly.

    Raises:
        InvalidActivations: no held-out rows, wrong width, NaN.
        Stopped: ``should_stop`` said so.
    """
    sae = load_sae(sae_path)
    rows = store.rows(layer, hook_type)
    if store.n_heldout_rows < MIN_HELDOUT_ROWS:
        raise InvalidActivations(
            "The store has no held-out tokens; tokenise with a held-out share above 0 %."
        )
    with torch.no_grad(), coded_memory_errors("evaluating the dictionary"):
        sums = _reconstruct_heldout(sae, rows, store, report, should_stop, batch_rows)
        ce = None
        if loaded is not None and tokens is not None:
            ce = measure_replacement(
                sae, store, loaded, tokens, (layer, hook_type), sums.mean().float(),
                report, should_stop, max_ce_windows,
            )  # fmt: skip
    return _evaluation(sums, ce)


def _reconstruct_heldout(
    sae: SparseAutoencoder,
    rows: ActivationRows,
    store: ActivationStore,
    report: Report,
    should_stop: ShouldStop,
    batch_rows: int,
) -> ReconstructionSums:
    sums = ReconstructionSums(sae.d_model, sae.d_sae)
    for start in range(store.n_train_rows, store.n_rows, batch_rows):
        if should_stop():
            raise Stopped("The evaluation was stopped.")
        x_BD = rows.slice(start, min(start + batch_rows, store.n_rows))
        active = sae.encode_active(x_BD)
        sums.add(x_BD, sae.decode_active(active, len(x_BD), x_BD), active.latents)
        done = start + len(x_BD) - store.n_train_rows
        report(Progress(done, store.n_heldout_rows, "tokens", "Reconstructing held-out tokens"))
    return sums


def _evaluation(sums: ReconstructionSums, ce: ReplacementFigures | None) -> SAEEvaluation:
    dead = int((sums.fires_F == 0).sum())
    n_latents = len(sums.fires_F)
    return SAEEvaluation(
        explained_variance=1 - sums.fvu,
        fvu=sums.fvu,
        l0=sums.fires_F.sum().item() / sums.n,
        dead_share=dead / n_latents,
        dead_latents=dead,
        dense_share=(sums.fires_F > DENSE_SHARE * sums.n).float().mean().item(),
        cosine=sums.cosine / sums.n,
        l2_ratio=sums.norm_out / max(sums.norm_in, 1e-30),
        n_tokens=sums.n,
        ce_clean=ce.clean if ce else None,
        ce_sae=ce.sae if ce else None,
        ce_zero=ce.zero if ce else None,
        ce_mean=ce.mean if ce else None,
        ce_recovered_zero=ce.recovered(ce.zero) if ce else None,
        ce_recovered_mean=ce.recovered(ce.mean) if ce else None,
        kl=ce.kl if ce else None,
        n_ce_tokens=ce.n_tokens if ce else 0,
        n_ce_windows=ce.n_windows if ce else 0,
    )
