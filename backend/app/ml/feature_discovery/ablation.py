"""What the model loses on a feature's own contexts when the feature is taken out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from app.ml.errors import Stopped
from app.ml.feature_discovery.reading import token_texts
from app.ml.language_models.forward import Edit, hooked
from app.ml.language_models.hook_points import HookPoint, resolve_hook_point
from app.ml.language_models.loading import LoadedModel
from app.ml.records import LogitEffect, ShouldStop
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder


@dataclass(frozen=True)
class AblatedContext:
    """One context; all lists stand beside its tokens, with None where nothing is predicted.

    ``loss_change`` is the rise of the next token's cross-entropy, ``kl`` the divergence of the
    clean prediction from the ablated one, both in nats; ``activations`` as they were taken out.
    """

    token_ids: list[int]
    tokens: list[str]
    activations: list[float]
    loss_change: list[float | None]
    kl: list[float]


@dataclass(frozen=True)
class AblationResult:
    """Means are over the positions at which the feature fired in the contexts.

    ``promoted`` are the tokens whose log-probability the feature raises most there, ``logit`` the
    mean rise in nats; ``suppressed`` those that it lowers most.
    """

    contexts: list[AblatedContext]
    n_positions: int
    mean_loss_change: float | None
    mean_kl: float | None
    promoted: list[LogitEffect]
    suppressed: list[LogitEffect]


def ablate_feature(
    loaded: LoadedModel,
    sae: SparseAutoencoder,
    layer: int,
    hook_types: tuple[str, str],
    feature: int,
    contexts: Sequence[Sequence[int]],
    should_stop: ShouldStop,
    *,
    n_tokens: int = 10,
) -> AblationResult:
    """Read each context with and without the feature's contribution.

    At every position the feature's activation times its decoder direction is subtracted where
    the dictionary writes; everything else, the dictionary's error included, stays.

    Args:
        loaded: Model of the dictionary.
        sae: On any device; moved to the model's.
        layer: Block.
        hook_types: The place that the dictionary reads and the one that it writes.
        feature: Latent.
        contexts: Token ids without a start token; it is set before them and never ablated.
        should_stop: Asked between contexts.
        n_tokens: Promoted and suppressed tokens listed.

    Raises:
        Stopped: ``should_stop`` said so.
        HookPointNotFound: The place does not exist.
    """
    points = [resolve_hook_point(loaded.model, layer, hook_type) for hook_type in hook_types]
    sae = sae.to(loaded.device)
    text_of, _ = token_texts(loaded)
    found, rises = [], []
    with torch.no_grad():
        for ids in contexts:
            if should_stop():
                raise Stopped("The ablation was stopped.")
            context, rise_NV = _ablate(loaded, sae, points, feature, list(ids), text_of)
            found.append(context)
            rises.append(rise_NV)
    rise_NV = torch.cat(rises) if rises else torch.empty(0, 1)
    return AblationResult(
        contexts=found,
        n_positions=len(rise_NV),
        mean_loss_change=_mean([(c.activations, c.loss_change) for c in found]),
        mean_kl=_mean([(c.activations, c.kl) for c in found]),
        promoted=_extremes(rise_NV, n_tokens, text_of, largest=True),
        suppressed=_extremes(rise_NV, n_tokens, text_of, largest=False),
    )


def _ablate(
    loaded: LoadedModel,
    sae: SparseAutoencoder,
    points: list[HookPoint],
    feature: int,
    ids: list[int],
    text_of: Callable[[int], str],
) -> tuple[AblatedContext, torch.Tensor]:
    start = [] if loaded.start_id is None else [loaded.start_id]
    input_BS = torch.tensor([start + ids], device=loaded.device)
    clean_SV = _log_probabilities(loaded, input_BS)
    taken: dict[str, torch.Tensor] = {}
    with hooked(loaded.model, _edits(sae, points, feature, len(start), taken)):
        ablated_SV = _log_probabilities(loaded, input_BS)
    first = len(start)
    clean_SV, ablated_SV = clean_SV[first:], ablated_SV[first:]
    activation_S = taken["activation"][first:]
    targets = input_BS[0, first + 1 :].unsqueeze(1)
    change = (clean_SV - ablated_SV)[:-1].gather(1, targets).squeeze(1)
    kl_S = (clean_SV.exp() * (clean_SV - ablated_SV)).sum(dim=1)
    context = AblatedContext(
        token_ids=ids,
        tokens=[text_of(i) for i in ids],
        activations=[round(value, 5) for value in activation_S.tolist()],
        loss_change=[*change.tolist(), None],
        kl=kl_S.clamp_min(0).tolist(),
    )
    return context, (clean_SV - ablated_SV)[activation_S > 0]


def _edits(
    sae: SparseAutoencoder,
    points: list[HookPoint],
    feature: int,
    first: int,
    taken: dict[str, torch.Tensor],
) -> list[tuple[HookPoint, Edit]]:
    direction_D = sae.W_dec_FD[feature]

    def read(value_BSD: torch.Tensor) -> None:
        activation_S = sae.encode(value_BSD[0].float())[:, feature]
        activation_S[:first] = 0  # a dictionary never saw the start token
        taken["activation"] = activation_S

    def write(value_BSD: torch.Tensor) -> torch.Tensor:
        contribution_SD = taken["activation"].unsqueeze(1) * direction_D
        return (value_BSD.float() - contribution_SD).to(value_BSD.dtype)

    return [(points[0], read), (points[1], write)]


def _log_probabilities(loaded: LoadedModel, input_BS: torch.Tensor) -> torch.Tensor:
    logits = loaded.model(input_ids=input_BS, use_cache=False).logits[0]
    return torch.log_softmax(logits.float(), dim=-1)


def _mean(columns: Sequence[tuple[list[float], Sequence[float | None]]]) -> float | None:
    values = [
        value
        for activations, figures in columns
        for activation, value in zip(activations, figures, strict=True)
        if activation > 0 and value is not None
    ]
    return sum(values) / len(values) if values else None


def _extremes(
    rise_NV: torch.Tensor, n: int, text_of: Callable[[int], str], *, largest: bool
) -> list[LogitEffect]:
    if not len(rise_NV):
        return []
    mean_V = rise_NV.mean(dim=0)
    found = mean_V.topk(min(n, len(mean_V)), largest=largest)
    pairs = zip(found.indices.tolist(), found.values.tolist(), strict=True)
    return [LogitEffect(text_of(i), i, value) for i, value in pairs]
