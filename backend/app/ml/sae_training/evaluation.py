"""Held-out figures of a dictionary, in the original activation space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from app.ml.activation_extraction.activation_store import ActivationStore
from app.ml.activation_extraction.token_store import TokenStore
from app.ml.devices import coded_memory_errors
from app.ml.files import read_json, replacing_file
from app.ml.language_models.loading import LoadedModel
from app.ml.records import Report, ShouldStop
from app.ml.sae_training.baselines import fit_subspace
from app.ml.sae_training.document_sums import bootstrap_intervals
from app.ml.sae_training.evaluation_record import SAEEvaluation
from app.ml.sae_training.heldout_rows import MIN_HELDOUT_ROWS, HeldoutRows, heldout_rows
from app.ml.sae_training.reconstruction import ReconstructionSums, add_baselines, reconstruct
from app.ml.sae_training.replacement import (
    MAX_WINDOWS,
    Place,
    ReplacementSums,
    measure_replacement,
)
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder, load_sae

__all__ = ["MIN_HELDOUT_ROWS", "evaluate_sae"]

BATCH_ROWS = 4096
FIRING_FILE = "heldout_firing.safetensors"


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
    keep_firing: bool = False,
) -> SAEEvaluation:
    """Measure a dictionary on the held-out documents; definitions in ``METRIC_DEFINITIONS``.

    A transcoder (its metadata names a ``target_hook_type``) is measured against its targets, and
    replaces them in the model.

    Args:
        sae_path: Checkpoint folder.
        store: Its held-out rows are read, all of them.
        loaded: Model to splice the reconstruction into; None leaves the CE figures out.
        tokens: The store's tokens; needed with ``loaded``, and to tell documents apart.
        layer: Block of the dictionary.
        hook_type: Place in that block that it reads.
        report: Gets progress in rows, then in windows.
        should_stop: Asked between batches.
        batch_rows: Changes speed and memory, never the figures.
        max_ce_windows: Held-out windows that the model reads, taken evenly.
        keep_firing: Write ``heldout_firing.safetensors`` into the checkpoint: how often each
            latent fired, on how many tokens. Exports state their sparsity by it.

    Raises:
        InvalidActivations: no held-out rows, wrong width, NaN.
        Stopped: ``should_stop`` said so.
    """
    sae = load_sae(sae_path, str(loaded.device) if loaded is not None else "cpu")
    place = Place(layer, hook_type, _target_hook_type(sae_path, hook_type))
    rows = heldout_rows(store, tokens, layer, hook_type, place.target_hook_type)
    with torch.no_grad(), coded_memory_errors("evaluating the dictionary"):
        sums = _measure_rows(sae, rows, store.n_train_rows, report, should_stop, batch_rows)
        if keep_firing:
            _write_firing(sae_path, sums)
        text = None
        if loaded is not None and tokens is not None:
            text = measure_replacement(
                sae, store, loaded, tokens, place, sums.mean_D.float(),
                report, should_stop, max_ce_windows,
            )  # fmt: skip
    return _evaluation(sums, text)


def _target_hook_type(sae_path: Path, hook_type: str) -> str:
    metadata: dict[str, Any] = read_json(sae_path / "metadata.json")
    return str(metadata.get("target_hook_type") or hook_type)


def _measure_rows(
    sae: SparseAutoencoder,
    rows: HeldoutRows,
    n_train_rows: int,
    report: Report,
    should_stop: ShouldStop,
    batch_rows: int,
) -> ReconstructionSums:
    sums = reconstruct(sae, rows, batch_rows, report, should_stop)
    rank = max(1, round(sums.documents.total("l0") / sums.n))
    subspace = fit_subspace(rows.targets, n_train_rows, rank, sae.b_dec_D.device)
    add_baselines(sums, rows, subspace, batch_rows)
    return sums


def _write_firing(folder: Path, sums: ReconstructionSums) -> None:
    with replacing_file(folder / FIRING_FILE) as temporary:
        save_file({"fires_F": sums.fires_F, "n_tokens": torch.tensor([sums.n])}, temporary)


def _evaluation(sums: ReconstructionSums, text: ReplacementSums | None) -> SAEEvaluation:
    ratios = sums.ratios()
    intervals = bootstrap_intervals(ratios)
    values = {name: ratio.value() for name, ratio in ratios.items()}
    spread = sums.documents.total("spread")
    fvu = values["fvu"] if spread > 0 else float(sums.documents.total("error") > 0)
    reading: dict[str, Any] = {}
    if text is not None:
        text_ratios = text.ratios()
        intervals |= bootstrap_intervals(text_ratios)
        reading = {name: ratio.value() for name, ratio in text_ratios.items()}
        reading |= {"n_ce_tokens": text.n_tokens, "n_ce_windows": text.n_windows}
        reading |= {"n_ce_documents": text.n_documents}
    n_latents = len(sums.fires_F)
    return SAEEvaluation(
        explained_variance=1 - (fvu or 0.0),
        fvu=fvu or 0.0,
        l0=sums.documents.total("l0") / sums.n,
        l0_p5=sums.l0_percentile(0.05),
        l0_p95=sums.l0_percentile(0.95),
        dead_share=sums.dead_latents / n_latents,
        dead_latents=sums.dead_latents,
        dense_share=sums.dense_latents / n_latents,
        dense_latents=sums.dense_latents,
        cosine=sums.documents.total("cosine") / sums.n,
        l2_ratio=values["l2_ratio"] or 0.0,
        relative_bias=values["relative_bias"],
        mean_explained_variance=values.get("mean_explained_variance"),
        pca_explained_variance=values.get("pca_explained_variance"),
        pca_rank=sums.pca_rank,
        skip_explained_variance=values.get("skip_explained_variance"),
        n_tokens=sums.n,
        n_documents=sums.documents.n_documents,
        intervals=intervals,
        **reading,
    )
