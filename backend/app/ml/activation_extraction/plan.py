"""What an extraction will read and write, settled before the model runs."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.ml.activation_extraction.activation_store import FORMAT, INDEX_DTYPE
from app.ml.activation_extraction.calibration import HookLimits
from app.ml.activation_extraction.row_format import RowFormat
from app.ml.activation_extraction.token_store import TokenStore
from app.ml.configs import ExtractionConfig
from app.ml.errors import CorpusEmpty
from app.ml.files import NotEnoughSpace, folder_size_bytes, read_json, remove_leftovers, write_json
from app.ml.language_models.loading import LoadedModel
from app.ml.records import to_json


def plan_windows(tokens: TokenStore, config: ExtractionConfig) -> npt.NDArray[np.int64]:
    """Choose the windows to read, in order; a limit takes them evenly from all over the corpus."""
    total = tokens.n_windows
    if tokens.n_train_windows == 0:
        raise CorpusEmpty(
            f"The corpus has {tokens.n_tokens} tokens, too few to fill a window of "
            f"{tokens.window_length}; use more text or shorter windows."
        )
    wanted = total
    if config.max_tokens is not None:
        wanted = min(wanted, -(-config.max_tokens // tokens.content_length))
    if config.max_samples is not None:
        wanted = min(wanted, config.max_samples)
    return ((np.arange(wanted) + 0.5) * total / wanted).astype(np.int64)


DERIVED = ("layers", "size_bytes", "hook_types", "d_z")
"""Of a model's card: what follows from the rest, and what earlier releases did not write."""


def fingerprint(
    loaded: LoadedModel, tokens: TokenStore, config: ExtractionConfig
) -> dict[str, Any]:
    """Describe what must be equal for finished shards to be of use; batch size is not."""
    settings = {k: v for k, v in config.to_dict().items() if k != "batch_size"}
    card = {k: v for k, v in to_json(loaded.card).items() if k not in DERIVED}
    return {
        "format": FORMAT,
        "config": settings,
        "model": {**card, "run_dtype": str(loaded.dtype)},
        "tokens": tokens.metadata,
    }


def discard_other_plan(destination: Path, fingerprint: dict[str, Any]) -> None:
    """Empty the folder unless an unfinished run with the same arguments left it."""
    plan = destination / "plan.json"
    remove_leftovers(destination)
    try:
        if read_json(plan) == fingerprint:
            return
    except (OSError, ValueError):
        pass
    for path in destination.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    write_json(plan, fingerprint)


def check_space(
    destination: Path, n_positions: int, limits: Sequence[HookLimits], config: ExtractionConfig
) -> None:
    """Refuse to start when the disk cannot hold what would be written (ENOSPC)."""
    per_place = (RowFormat(config.dtype, hook.d_model).row_bytes for hook in limits)
    per_row = sum(per_place) + 2 * INDEX_DTYPE.itemsize
    held = folder_size_bytes(destination)
    needed, free = n_positions * per_row, shutil.disk_usage(destination).free + held
    if needed > free:
        raise NotEnoughSpace(
            f"The activations need {needed / 1e9:.1f} GB, but only {free / 1e9:.1f} GB are free",
            needed,
        )
