"""How far two generated texts, and the models behind them, are apart."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from app.ml.language_models.forward import capture
from app.ml.language_models.hook_points import resolve_hook_point
from app.ml.language_models.loading import LoadedModel
from app.ml.records import FeatureEdit, GeneratedToken, SteeringMetrics

if TYPE_CHECKING:
    from app.ml.steering.generation import Branch

WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Comparison:
    metrics: SteeringMetrics
    unsteered_tokens: list[GeneratedToken]
    steered_tokens: list[GeneratedToken]


@dataclass(frozen=True)
class BaseReading:
    """One text as the unsteered model reads it.

    ``log_probabilities_TV`` float32 before each generated token; ``state_D`` the mean last
    hidden state over them; ``activations_TE`` of each edit's latent at them.
    """

    log_probabilities_TV: torch.Tensor
    state_D: torch.Tensor
    activations_TE: torch.Tensor


def compare_branches(
    loaded: LoadedModel,
    edits: Sequence[FeatureEdit],
    prompt_ids: list[int],
    unsteered: Branch,
    steered: Branch,
) -> Comparison:
    """Measure both texts under the unsteered model; definitions in ``METRIC_DEFINITIONS``."""
    base_reading = read_unsteered(loaded, edits, prompt_ids, unsteered.ids)
    steered_reading = read_unsteered(loaded, edits, prompt_ids, steered.ids)
    base_tokens = _tokens(loaded, unsteered, base_reading)
    steered_tokens = _tokens(loaded, steered, steered_reading)
    divergences = torch.tensor([token.kl for token in steered_tokens], dtype=torch.float64)
    texts = [loaded.tokenizer.decode(branch.ids) for branch in (unsteered, steered)]
    states = (base_reading.state_D, steered_reading.state_D)
    metrics = SteeringMetrics(
        kl_mean=divergences.mean().item(),
        kl_p95=torch.quantile(divergences, 0.95).item(),
        perplexity_unsteered=_perplexity(base_tokens),
        perplexity_steered=_perplexity(steered_tokens),
        similarity=torch.cosine_similarity(*states, dim=0).clamp(-1, 1).item(),
        word_overlap=word_overlap(*texts),
        distinct_2_unsteered=distinct_2(texts[0]),
        distinct_2_steered=distinct_2(texts[1]),
        first_divergence=first_divergence(unsteered.ids, steered.ids),
    )
    return Comparison(metrics, base_tokens, steered_tokens)


def read_unsteered(
    loaded: LoadedModel,
    edits: Sequence[FeatureEdit],
    prompt_ids: list[int],
    generated_ids: list[int],
) -> BaseReading:
    """Read prompt and text without any hook, in one pass."""
    ids_BS = torch.tensor([[*prompt_ids, *generated_ids]], device=loaded.device)
    n_generated = len(generated_ids)
    output = loaded.model(input_ids=ids_BS, use_cache=False, output_hidden_states=True)
    logits_TV = output.logits[0, -n_generated - 1 : -1].float()
    return BaseReading(
        log_probabilities_TV=torch.log_softmax(logits_TV, dim=-1),
        state_D=output.hidden_states[-1][0, -n_generated:].float().mean(dim=0),
        activations_TE=_latents(loaded, edits, ids_BS)[-n_generated:],
    )


def _latents(
    loaded: LoadedModel, edits: Sequence[FeatureEdit], ids_BS: torch.Tensor
) -> torch.Tensor:
    """Return each edit's latent (before any top-k) at every position, (S, edits with encoder)."""
    readable = [e for e in edits if e.encoder_D is not None]
    if not readable:
        return torch.zeros(ids_BS.shape[1], 0)
    points = [resolve_hook_point(loaded.model, e.layer, e.hook_type) for e in readable]
    values = capture(loaded, ids_BS, list(dict.fromkeys(points)))
    columns = []
    for edit, point in zip(readable, points, strict=True):
        state_SD = values[point][0].float()
        if edit.center_D is not None:
            state_SD = state_SD - torch.as_tensor(edit.center_D, device=loaded.device)
        encoder_D = torch.as_tensor(edit.encoder_D, dtype=torch.float32, device=loaded.device)
        columns.append(torch.relu(state_SD @ encoder_D + edit.encoder_bias).cpu())
    return torch.stack(columns, dim=1)


def _tokens(loaded: LoadedModel, branch: Branch, reading: BaseReading) -> list[GeneratedToken]:
    own_TV = torch.log_softmax(torch.stack(branch.logits), dim=-1)
    base_TV = reading.log_probabilities_TV
    kl_T = (own_TV.exp() * (own_TV - base_TV)).sum(dim=-1).clamp_min(0)
    return [
        GeneratedToken(
            token_id=token,
            text=loaded.tokenizer.decode([token]),
            logprob=own_TV[t, token].item(),
            base_logprob=base_TV[t, token].item(),
            kl=kl_T[t].item(),
            activations=reading.activations_TE[t].tolist(),
        )
        for t, token in enumerate(branch.ids)
    ]


def _perplexity(tokens: list[GeneratedToken]) -> float:
    return math.exp(min(-sum(t.base_logprob for t in tokens) / len(tokens), 700.0))


def words_of(text: str) -> list[str]:
    return WORD.findall(text.lower())


def word_overlap(first: str, second: str) -> float:
    """Return the Jaccard overlap of distinct words; 1 for two texts without any."""
    one, two = set(words_of(first)), set(words_of(second))
    return len(one & two) / len(one | two) if one | two else 1.0


def distinct_2(text: str) -> float:
    """Return distinct word pairs / word pairs; 1 when there is no pair."""
    words = words_of(text)
    pairs = list(itertools.pairwise(words))
    return len(set(pairs)) / len(pairs) if pairs else 1.0


def first_divergence(first: list[int], second: list[int]) -> int | None:
    """Return the index of the first token that differs, None for equal texts."""
    for index, (one, two) in enumerate(zip(first, second, strict=False)):
        if one != two:
            return index
    return None if len(first) == len(second) else min(len(first), len(second))
