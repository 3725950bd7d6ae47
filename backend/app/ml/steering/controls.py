"""What a feature's effect must be compared with before anything is claimed about it."""

from __future__ import annotations

from dataclasses import replace

import torch

from app.ml.language_models.forward import capture
from app.ml.language_models.hook_points import resolve_hook_point
from app.ml.language_models.loading import LoadedModel
from app.ml.steering.edits import FeatureEdit
from app.ml.steering.sweep_trials import Contexts, SweptFeature, Trial

PROMPT_PREFIX = "This text is about {words}.\n\n"
FEWEST_CONTEXTS = 2
OUTLIER_NORM = 10.0
"""States this many times the median norm are attention sinks, not samples of the text."""

WHY_MISSING = {
    "matched_feature": "No other feature of this training fires.",
    "opposite": '"project" has no opposite: both signs of a direction span the same line.',
    "prompt": "The feature has no name or label to ask for, or the prompts leave no room for it.",
    "diffmean": "The feature has too few stored contexts to take means over.",
}


def control_trial(
    name: str, loaded: LoadedModel, seed: int, feature: SweptFeature, best: Trial
) -> Trial | None:
    """Return a control of the best strength; None where it does not exist (``WHY_MISSING``).

    A control steers exactly as the best strength does, with another direction of the same length:
    the change has the same norm at every position.
    """
    own = best.edits[0]
    if name == "random_direction":
        return _other(best, name, _random(own, seed))
    if name == "opposite":
        return None if own.method == "project" else _other(best, name, -own.direction_D)
    if name == "matched_feature":
        return _other(best, name, feature.matched.direction_D) if feature.matched else None
    if name == "prompt":
        prefix = PROMPT_PREFIX.format(words=feature.words)
        named = Trial(f"{best.place}:prompt", best.place, None, (), prompt_prefix=prefix)
        return named if feature.words else None
    difference_D = difference_of_means(loaded, own, feature.contexts)
    return None if difference_D is None else _other(best, name, difference_D)


def _other(best: Trial, name: str, direction_D: torch.Tensor) -> Trial:
    own = best.edits[0]
    length = own.direction_D.norm()
    scaled_D = (direction_D.to(own.direction_D) / direction_D.norm()) * length
    # No feature's number, so that it counts as a plain direction; the latent stays the own one,
    # whose value says how large the change is where a method reads it.
    edit = replace(own, direction_D=scaled_D, feature=None)
    return Trial(f"{best.place}:{name}", best.place, best.strength, (edit,))


def _random(edit: FeatureEdit, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(len(edit.direction_D), generator=generator)


def difference_of_means(
    loaded: LoadedModel, edit: FeatureEdit, contexts: Contexts
) -> torch.Tensor | None:
    """Return mean state where the feature fires minus mean state where it does not, float32 (D,).

    Both means are over the feature's own contexts, at the place of the edit, without the start
    token and attention sinks. None when there are too few contexts, or all positions are of one
    kind.
    """
    if len(contexts.token_ids) < FEWEST_CONTEXTS:
        return None
    states, fires = [], []
    for ids, activations in zip(contexts.token_ids, contexts.activations, strict=True):
        states.append(read_states(loaded, edit, list(ids)))
        fires.append(torch.tensor(list(activations)) > 0)
    states_ND, fires_N = torch.cat(states), torch.cat(fires)
    norms_N = states_ND.norm(dim=1)
    ordinary_N = norms_N <= OUTLIER_NORM * norms_N.median()
    on_N, off_N = fires_N & ordinary_N, ~fires_N & ordinary_N
    if not bool(on_N.any()) or not bool(off_N.any()):
        return None
    difference_D = states_ND[on_N].mean(dim=0) - states_ND[off_N].mean(dim=0)
    return difference_D if float(difference_D.norm()) > 0 else None


def read_states(loaded: LoadedModel, edit: FeatureEdit, ids: list[int]) -> torch.Tensor:
    """Return the states of a text at the place of an edit, float32 (S, D), on the CPU."""
    point = resolve_hook_point(loaded.model, edit.layer, edit.hook_type)
    start = [] if loaded.start_id is None else [loaded.start_id]
    states_BSD = capture(loaded, torch.tensor([[*start, *ids]]), [point])[point]
    return states_BSD[0, len(start) :].float().cpu()
