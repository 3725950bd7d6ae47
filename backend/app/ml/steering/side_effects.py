"""Which other features a steered text has more or less of, by the same dictionary."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from app.ml.language_models.forward import capture
from app.ml.language_models.hook_points import resolve_hook_point
from app.ml.language_models.loading import LoadedModel
from app.ml.steering.latents import Latent
from app.ml.steering.records import GeneratedText
from app.ml.steering.sweep_records import SideEffect
from app.ml.steering.sweep_trials import Sample

N_SHOWN = 10
MAX_TEXTS = 16
"""Texts read for each mean; each costs one forward pass up to the dictionary's layer."""


def side_effects(
    loaded: LoadedModel,
    latent: Latent,
    prompts: Sequence[list[int]],
    steered: Sequence[Sample],
    random: Sequence[Sample],
) -> list[SideEffect]:
    """Return the features that changed most, the steered one left out, largest change first.

    Args:
        loaded: The model, unsteered.
        latent: The steered feature; its dictionary says what the others are.
        prompts: Token ids of every prompt; a text is read after its own.
        steered: Samples at the best strength.
        random: Samples under a random direction of the same length; may be empty.
    """
    before_F = _mean_latents(loaded, latent, prompts, [(s.prompt, s.unsteered) for s in steered])
    after_F = _mean_latents(loaded, latent, prompts, [(s.prompt, s.text) for s in steered])
    random_F = _mean_latents(loaded, latent, prompts, [(s.prompt, s.text) for s in random])
    change_F = (after_F - before_F).abs()
    change_F[latent.index] = -1
    order = change_F.topk(min(N_SHOWN, len(change_F) - 1)).indices.tolist()
    return [
        SideEffect(
            index, before_F[index].item(), after_F[index].item(),
            random_F[index].item() if random else None,
        )
        for index in order
        if change_F[index] > 0
    ]  # fmt: skip


def _mean_latents(
    loaded: LoadedModel,
    latent: Latent,
    prompts: Sequence[list[int]],
    texts: Sequence[tuple[int, GeneratedText]],
) -> torch.Tensor:
    """Return the mean of every latent over the texts' tokens, float32 (F,)."""
    point = resolve_hook_point(loaded.model, latent.layer, latent.hook_type)
    dictionary = latent.dictionary.to(loaded.device)
    sum_F = torch.zeros(dictionary.d_sae)
    n_tokens = 0
    for prompt, text in texts[:MAX_TEXTS]:
        ids = [*prompts[prompt], *(token.token_id for token in text.tokens)]
        states_SD = capture(loaded, torch.tensor([ids]), [point])[point][0, len(prompts[prompt]) :]
        sum_F += dictionary.encode(states_SD.float()).sum(dim=0).cpu()
        n_tokens += len(text.tokens)
    return sum_F / max(n_tokens, 1)
