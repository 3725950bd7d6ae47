"""Proving that an exported folder means what the checkpoint means, before anybody gets it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch

from app.ml.errors import ParityFailed
from app.ml.interchange.parity import ParityReport, compare
from app.ml.interchange.real_rows import RealRows
from app.ml.interchange.saelens import read_saelens
from app.ml.interchange.saelens_export import SaelensExport
from app.ml.sae_training.sparse_autoencoder import load_sae


def check_export(checkpoint: Path, rows: RealRows, scratch: Path) -> ParityReport:
    """Export a checkpoint, read it as SAELens defines it, and compare both on real activations.

    Args:
        checkpoint: Folder of ours.
        rows: What it reads and what it should write.
        scratch: Folder in which the export is written and deleted again.

    Raises:
        ExportUnsupported: SAELens has no form for it.
        ParityFailed: the exported folder is another dictionary.
        CheckpointInvalid: the checkpoint is missing or damaged.
    """
    ours = load_sae(checkpoint)
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="export-", dir=scratch) as name, torch.no_grad():
        SaelensExport(checkpoint, {}).write(Path(name))
        report = compare(ours, read_saelens(Path(name)).reference, rows.x_ND, rows.target_ND)
    if report.problems:
        raise ParityFailed(f"The exported dictionary is not its checkpoint: {report.problems[0]}.")
    return report
