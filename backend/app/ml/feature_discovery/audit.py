"""Stored contexts against model and dictionary: is what the table says still true?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from app.ml.activation_extraction.token_store import TokenStore
from app.ml.language_models.forward import capture
from app.ml.language_models.hook_points import HookPoint, resolve_hook_point
from app.ml.language_models.loading import LoadedModel
from app.ml.records import ExampleRecord
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder

RELATIVE_TOLERANCE = 0.02
"""bfloat16 on disk keeps 8 bits of each activation; float32 stores agree far closer."""


@dataclass(frozen=True)
class AuditResult:
    """``largest_error`` is a share of the maximum; ``wrong`` names what is further off."""

    n_checked: int
    n_values: int
    largest_error: float
    wrong: list[tuple[int, str, int]]


def audit_examples(
    loaded: LoadedModel,
    sae: SparseAutoencoder,
    tokens: TokenStore,
    place: tuple[int, str],
    examples: Sequence[ExampleRecord],
    maxima: Mapping[int, float],
    *,
    tolerance: float = RELATIVE_TOLERANCE,
) -> AuditResult:
    """Run the model again on each example's window and compare.

    Checked are the token ids at the stated place, the document, the split, and the activation at
    the peak; for a near miss, which must be zero there, what it lacked to fire.

    Args:
        loaded: Model of the dictionary.
        sae: Moved to the model's device.
        tokens: Token store that the examples point into.
        place: Layer and hook type that the dictionary reads.
        examples: Any kind; place in the token store is taken from them.
        maxima: Largest activation of each example's feature, by its index.
        tolerance: Largest accepted difference, as a share of the context's stored maximum, or of
            the feature's for a near miss, whose own is mostly zero.
    """
    point = resolve_hook_point(loaded.model, *place)
    sae = sae.to(loaded.device)
    largest = 0.0
    wrong: list[tuple[int, str, int]] = []
    for example in examples:
        first = example.token_index - example.position
        same = tokens.tokens[first : first + len(example.token_ids)].tolist() == example.token_ids
        row_1D = _read_row(loaded, tokens, point, example)
        scale = example.max_activation
        if example.kind == "near_miss":
            scale = max(scale, maxima[example.feature])
        error = _difference(sae, row_1D, example) / max(scale, 1e-6)
        largest = max(largest, error)
        if not (same and _is_placed(tokens, example) and error <= tolerance):
            wrong.append((example.feature, example.kind, example.rank))
    return AuditResult(len(examples), len(examples), largest, wrong)


def _read_row(
    loaded: LoadedModel, tokens: TokenStore, point: HookPoint, example: ExampleRecord
) -> torch.Tensor:
    """Return what the dictionary reads at the example's peak, float32 (1, D)."""
    content = tokens.content_length
    in_train = example.token_index < tokens.n_train_tokens
    base = 0 if in_train else tokens.n_train_tokens
    window = (example.token_index - base) // content + (0 if in_train else tokens.n_train_windows)
    ids = torch.from_numpy(tokens.read_windows(np.array([window])))
    with torch.no_grad():
        states = capture(loaded, ids, [point])[point][0]
    return states[example.window_position].float().unsqueeze(0)


def _difference(sae: SparseAutoencoder, row_1D: torch.Tensor, example: ExampleRecord) -> float:
    """Return how far the stored value at the peak is from the recomputed one, in its units.

    Where a latent fires now and did not, or the other way round, the two values can be far apart
    although hardly anything moved: of two latents that are as good as equal, rounding decides which
    one is among the k largest. What counts there is how far the latent is from that decision.
    """
    stored = example.activations[example.position]
    with torch.no_grad():
        value = sae.encode(row_1D)[0, example.feature].item()
        margin = sae.margins(row_1D)[0, example.feature].item()
    if example.kind == "near_miss":
        lacked = min(margin, 0.0) if example.margin is None else example.margin
        return max(abs(margin - lacked), abs(stored))
    difference = abs(value - stored)
    return difference if value > 0 else min(difference, abs(margin))


def _is_placed(tokens: TokenStore, example: ExampleRecord) -> bool:
    [document] = tokens.documents_at(np.array([example.token_index]))
    same = int(tokens.doc_numbers[document]) == example.document
    return same and tokens.split_of_document(int(document)) == example.split
