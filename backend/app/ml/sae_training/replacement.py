"""What the language model loses when a dictionary's reconstruction takes the activation's place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from app.ml.activation_extraction.activation_store import ActivationStore
from app.ml.activation_extraction.token_store import TokenStore
from app.ml.errors import Stopped
from app.ml.language_models.forward import Edit, edit_at
from app.ml.language_models.hook_points import HookPoint, resolve_hook_point
from app.ml.language_models.loading import LoadedModel
from app.ml.records import Progress, Report, ShouldStop
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder

MAX_WINDOWS = 48
BATCH_WINDOWS = 4

Replace = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class ReplacementFigures:
    """Mean cross-entropies in nats over the same tokens, and KL(clean || with the SAE)."""

    clean: float
    sae: float
    zero: float
    mean: float
    kl: float
    n_tokens: int
    n_windows: int

    def recovered(self, ablated: float) -> float | None:
        """Return (ablated - sae) / (ablated - clean); None when ablation changes nothing."""
        damage = ablated - self.clean
        return (ablated - self.sae) / damage if abs(damage) > 1e-9 else None


@dataclass
class _Sums:
    n: int = 0
    nats: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("clean", "sae", "zero", "mean", "kl"), 0.0)
    )


def measure_replacement(
    sae: SparseAutoencoder,
    store: ActivationStore,
    loaded: LoadedModel,
    tokens: TokenStore,
    place: tuple[int, str],
    mean_D: torch.Tensor,
    report: Report,
    should_stop: ShouldStop,
    max_windows: int = MAX_WINDOWS,
) -> ReplacementFigures | None:
    """Read held-out windows four times: clean, with the SAE, zeroed, at the mean.

    Only the positions that the store kept are replaced. Special tokens and norm outliers keep
    their activation in all four: a dictionary never saw them, and one replaced attention sink
    costs more than all other tokens together. Cross-entropy counts every next token of text.

    Returns:
        The figures, or None when the store holds no whole held-out window.
    """
    windows, keep_WS = heldout_windows(store, tokens, max_windows)
    if not len(windows):
        return None
    point = resolve_hook_point(loaded.model, *place)
    sae = sae.to(loaded.device)
    mean_D = mean_D.to(loaded.device)
    variants: dict[str, Replace] = {
        "sae": lambda rows: sae(rows.float()),
        "zero": torch.zeros_like,
        "mean": lambda rows: mean_D.expand_as(rows),
    }
    sums = _Sums()
    for start in range(0, len(windows), BATCH_WINDOWS):
        if should_stop():
            raise Stopped("The evaluation was stopped.")
        ids_BS = torch.from_numpy(tokens.read_windows(windows[start : start + BATCH_WINDOWS]))
        keep_BS = torch.from_numpy(keep_WS[start : start + BATCH_WINDOWS])
        _add_batch(sums, loaded, point, variants, ids_BS, keep_BS)
        done = min(start + BATCH_WINDOWS, len(windows))
        report(Progress(done, len(windows), "windows", "Reading text with the reconstruction"))
    figures = {name: nats / sums.n for name, nats in sums.nats.items()}
    return ReplacementFigures(**figures, n_tokens=sums.n, n_windows=len(windows))


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


def _add_batch(
    sums: _Sums,
    loaded: LoadedModel,
    point: HookPoint,
    variants: dict[str, Replace],
    ids_BS: torch.Tensor,
    keep_BS: torch.Tensor,
) -> None:
    ids, keep = ids_BS.to(loaded.device), keep_BS.to(loaded.device)
    targets = ids[:, 1:]
    clean_BSV = _log_probabilities(loaded, ids)
    sums.n += targets.numel()
    sums.nats["clean"] += _cross_entropy(clean_BSV, targets)
    for name, replace in variants.items():
        with edit_at(loaded.model, point, _replacing(keep, replace)):
            changed_BSV = _log_probabilities(loaded, ids)
        sums.nats[name] += _cross_entropy(changed_BSV, targets)
        if name == "sae":
            divergence = (clean_BSV.exp() * (clean_BSV - changed_BSV)).sum(dim=-1)
            sums.nats["kl"] += divergence.double().sum().item()


def _replacing(keep_BS: torch.Tensor, replace: Replace) -> Edit:
    def edit(value_BSD: torch.Tensor) -> torch.Tensor:
        changed = value_BSD.clone()
        changed[keep_BS] = replace(value_BSD[keep_BS]).to(value_BSD.dtype)
        return changed

    return edit


def _log_probabilities(loaded: LoadedModel, ids_BS: torch.Tensor) -> torch.Tensor:
    logits = loaded.model(input_ids=ids_BS, use_cache=False).logits
    return torch.log_softmax(logits[:, :-1].float(), dim=-1)


def _cross_entropy(log_probabilities_BSV: torch.Tensor, targets_BS: torch.Tensor) -> float:
    chosen = log_probabilities_BSV.gather(-1, targets_BS.unsqueeze(-1))
    return -chosen.double().sum().item()
