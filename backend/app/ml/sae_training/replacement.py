"""The model's own loss with a dictionary's output, or an ablation, in the place of activations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from app.ml.activation_extraction.activation_store import ActivationStore
from app.ml.activation_extraction.token_store import TokenStore
from app.ml.errors import Stopped
from app.ml.language_models.forward import Edit, hooked
from app.ml.language_models.hook_points import HookPoint, resolve_hook_point
from app.ml.language_models.loading import LoadedModel
from app.ml.language_models.prefix import SharedPrefix, blocks_before
from app.ml.records import Progress, Report, ShouldStop
from app.ml.sae_training.document_sums import DocumentSums, Ratio
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder

MAX_WINDOWS = 48
BATCH_WINDOWS = 4
ABLATIONS = ("zero", "mean")

Replace = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Gets the rows that are read and those that are to be replaced; returns the replacement."""


@dataclass(frozen=True)
class Place:
    """Where a dictionary reads, and where it writes; the two differ for transcoders only."""

    layer: int
    hook_type: str
    target_hook_type: str


@dataclass(frozen=True)
class ReplacementSums:
    """Nats per document: ``ce_x`` of every variant x and ``kl_x`` = KL(clean || x) without clean.

    Variants are ``clean sae zero mean``, and ``skip`` for dictionaries with a skip path.
    """

    documents: DocumentSums
    n_windows: int

    @property
    def n_tokens(self) -> int:
        return int(self.documents.total("n"))

    @property
    def n_documents(self) -> int:
        return int((self.documents["n"] > 0).sum())

    def ratios(self) -> dict[str, Ratio]:
        """Return mean nats per token, and what share of an ablation's damage is undone.

        The share is (ablated - with the dictionary) / (ablated - clean), not clipped; with KL
        the clean term is 0.
        """
        sums, kept = self.documents, self.documents["n"] > 0
        n = sums["n"][kept]
        found = {"kl": Ratio(sums["kl_sae"][kept], n)}
        for variant in ("clean", "sae", "zero", "mean", "skip"):
            for kind in ("ce", "kl"):
                if (name := f"{kind}_{variant}") in sums and name != "kl_sae":
                    found[name] = Ratio(sums[name][kept], n)
        for ablation in ABLATIONS:
            for kind, clean in (("ce", sums["ce_clean"][kept]), ("kl", 0.0 * n)):
                ablated = sums[f"{kind}_{ablation}"][kept]
                undone = ablated - sums[f"{kind}_sae"][kept]
                found[f"{kind}_recovered_{ablation}"] = Ratio(undone, ablated - clean)
        return found


def measure_replacement(
    sae: SparseAutoencoder,
    store: ActivationStore,
    loaded: LoadedModel,
    tokens: TokenStore,
    place: Place,
    mean_D: torch.Tensor,
    report: Report,
    should_stop: ShouldStop,
    max_windows: int = MAX_WINDOWS,
) -> ReplacementSums | None:
    """Read held-out windows once per variant: clean, with the dictionary, zeroed, at the mean.

    Only the positions that the store kept are replaced. Special tokens and norm outliers keep
    their activation in all of them: a dictionary never saw them, and one replaced attention sink
    costs more than all other tokens together. Cross-entropy counts every next token of text.

    Returns:
        The sums, or None when the store holds no whole held-out window.
    """
    windows, keep_WS = heldout_windows(store, tokens, max_windows)
    if not len(windows):
        return None
    reading = _Reading(loaded, place, _variants(sae.to(loaded.device), mean_D.to(loaded.device)))
    documents_WT = _target_documents(tokens, windows)
    numbers, compact = np.unique(documents_WT, return_inverse=True)
    compact_WT = torch.from_numpy(compact.reshape(documents_WT.shape).astype(np.int64))
    sums = DocumentSums(len(numbers))
    for start in range(0, len(windows), BATCH_WINDOWS):
        if should_stop():
            raise Stopped("The evaluation was stopped.")
        part = slice(start, start + BATCH_WINDOWS)
        ids_BS = torch.from_numpy(tokens.read_windows(windows[part]))
        values = reading.nats(ids_BS, torch.from_numpy(keep_WS[part]))
        flat = {name: nats_BT.flatten() for name, nats_BT in values.items()}
        documents = compact_WT[part].flatten()
        sums.add(documents, {**flat, "n": torch.ones(len(documents))})
        done = min(start + BATCH_WINDOWS, len(windows))
        report(Progress(done, len(windows), "windows", "Reading text with the reconstruction"))
    return ReplacementSums(sums, len(windows))


def _variants(sae: SparseAutoencoder, mean_D: torch.Tensor) -> dict[str, Replace]:
    variants: dict[str, Replace] = {
        "sae": lambda read, _written: sae(read.float()),
        "zero": lambda _read, written: torch.zeros_like(written),
        "mean": lambda _read, written: mean_D.expand_as(written),
    }
    if (skip_DD := sae.W_skip_DD) is not None:
        variants["skip"] = lambda read, _: torch.addmm(sae.b_dec_D, read.float(), skip_DD.T)
    return variants


def heldout_windows(
    store: ActivationStore, tokens: TokenStore, max_windows: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return held-out windows of the store, evenly chosen, and which positions it kept."""
    rows = store.indices[store.n_train_rows :]
    present = np.unique(rows["window"]).astype(np.int64)
    if not len(present):
        return present, np.zeros((0, tokens.window_length), dtype=bool)
    count = min(max_windows, len(present))
    chosen = present[((np.arange(count) + 0.5) * len(present) / count).astype(np.int64)]
    keep_WS = np.zeros((count, tokens.window_length), dtype=bool)
    place = np.searchsorted(chosen, rows["window"])
    belongs = chosen[np.minimum(place, count - 1)] == rows["window"]
    keep_WS[place[belongs], rows["position"][belongs]] = True
    return chosen, keep_WS


def _target_documents(tokens: TokenStore, windows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the document of every predicted token, (windows, window_length - 1)."""
    positions = np.arange(1, tokens.window_length) - (tokens.start_id is not None)
    return tokens.documents_at(tokens.window_starts(windows)[:, None] + positions)


class _Reading:
    """Reads windows with every variant in turn; the blocks below the edit are read once."""

    def __init__(self, loaded: LoadedModel, place: Place, variants: dict[str, Replace]) -> None:
        self.loaded, self.variants = loaded, variants
        self.source = resolve_hook_point(loaded.model, place.layer, place.hook_type)
        self.target = resolve_hook_point(loaded.model, place.layer, place.target_hook_type)
        self.prefix = SharedPrefix(loaded.model, blocks_before(self.source, self.target))

    def nats(self, ids_BS: torch.Tensor, keep_BS: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return ``ce_x`` and ``kl_x`` of every next token, float64 (B, S - 1)."""
        ids, keep = ids_BS.to(self.loaded.device), keep_BS.to(self.loaded.device)
        with self.prefix.recorded():
            clean_BTV = self._log_probabilities(ids)
        probability_BTV = clean_BTV.exp()
        values = {"ce_clean": _cross_entropy(clean_BTV, ids)}
        for name, replace in self.variants.items():
            edits = _edits(self.source, self.target, keep, replace)
            with self.prefix.reused(), hooked(self.loaded.model, edits):
                changed_BTV = self._log_probabilities(ids)
            values[f"ce_{name}"] = _cross_entropy(changed_BTV, ids)
            divergence = probability_BTV * (clean_BTV - changed_BTV)
            values[f"kl_{name}"] = divergence.sum(dim=-1).double()
        return values

    def _log_probabilities(self, ids_BS: torch.Tensor) -> torch.Tensor:
        logits = self.loaded.model(input_ids=ids_BS, use_cache=False).logits
        return torch.log_softmax(logits[:, :-1].float(), dim=-1)


def _edits(
    source: HookPoint, target: HookPoint, keep_BS: torch.Tensor, replace: Replace
) -> Sequence[tuple[HookPoint, Edit]]:
    """Read at the source, replace at the target, in one forward pass."""
    read: list[torch.Tensor] = []

    def note(value_BSD: torch.Tensor) -> None:
        read[:] = [value_BSD[keep_BS]]

    def edit(value_BSD: torch.Tensor) -> torch.Tensor:
        changed = value_BSD.clone()
        changed[keep_BS] = replace(read[0], value_BSD[keep_BS]).to(value_BSD.dtype)
        return changed

    return [(source, note), (target, edit)]


def _cross_entropy(log_probabilities_BTV: torch.Tensor, ids_BS: torch.Tensor) -> torch.Tensor:
    chosen = log_probabilities_BTV.gather(-1, ids_BS[:, 1:].unsqueeze(-1))
    return -chosen.squeeze(-1).double()
