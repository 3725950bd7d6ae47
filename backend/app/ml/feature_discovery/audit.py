"""Stored contexts against model and dictionary: is what the table says still true?"""

from __future__ import annotations

from collections.abc import Sequence
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
    """``largest_error`` relative to the stored maximum; ``wrong`` names contexts beyond it."""

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
    *,
    tolerance: float = RELATIVE_TOLERANCE,
) -> AuditResult:
    """Run the model again on each example's window and compare.

    Checked are the token ids at the stated place, the document, the split, and the activation at
    the peak, which for a near miss must be zero.

    Args:
        loaded: Model of the dictionary.
        sae: Moved to the model's device.
        tokens: Token store that the examples point into.
        place: Layer and hook type that the dictionary reads.
        examples: Any kind; place in the token store is taken from them.
        tolerance: Largest accepted difference, as a share of the stored maximum.
    """
    point = resolve_hook_point(loaded.model, *place)
    sae = sae.to(loaded.device)
    largest = 0.0
    wrong: list[tuple[int, str, int]] = []
    for example in examples:
        first = example.token_index - example.position
        same = tokens.tokens[first : first + len(example.token_ids)].tolist() == example.token_ids
        value = _recompute(loaded, sae, tokens, point, example)
        stored = example.activations[example.position]
        error = abs(value - stored) / max(abs(example.max_activation), 1e-6)
        largest = max(largest, error)
        if not (same and _is_placed(tokens, example) and error <= tolerance):
            wrong.append((example.feature, example.kind, example.rank))
    return AuditResult(len(examples), len(examples), largest, wrong)


def _recompute(
    loaded: LoadedModel, sae: SparseAutoencoder, tokens: TokenStore, point: HookPoint,
    example: ExampleRecord,
) -> float:  # fmt: skip
    content = tokens.content_length
    in_train = example.token_index < tokens.n_train_tokens
    base = 0 if in_train else tokens.n_train_tokens
    window = (example.token_index - base) // content + (0 if in_train else tokens.n_train_windows)
    ids = torch.from_numpy(tokens.read_windows(np.array([window])))
    with torch.no_grad():
        states = capture(loaded, ids, [point])[point][0]
        row = states[example.window_position].float().unsqueeze(0)
        return sae.encode(row)[0, example.feature].item()


def _is_placed(tokens: TokenStore, example: ExampleRecord) -> bool:
    [document] = tokens.documents_at(np.array([example.token_index]))
    same = int(tokens.doc_numbers[document]) == example.document
    return same and tokens.split_of_document(int(document)) == example.split
