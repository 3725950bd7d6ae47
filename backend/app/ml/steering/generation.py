"""Texts from one prompt, one of them steered, and what is between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from app.ml.configs import SteeringConfig
from app.ml.errors import SteeringInvalid, Stopped
from app.ml.language_models.loading import LoadedModel
from app.ml.records import ShouldStop
from app.ml.steering.calibration import KlProbes, calibrate
from app.ml.steering.comparison import pair_metrics, text_metrics
from app.ml.steering.conditions import Condition
from app.ml.steering.decoding import BatchDecoder, OnTokens
from app.ml.steering.edits import FeatureEdit, check_edit
from app.ml.steering.evidence import StateNorms
from app.ml.steering.promoted import promoted_by
from app.ml.steering.reconstruction import replacements_of
from app.ml.steering.records import (
    GeneratedText,
    PairMetrics,
    ReconstructionText,
    ResolvedEdit,
    SteeringProof,
    SteeringResult,
    TextMetrics,
)
from app.ml.steering.rows import RowPlan

UNSTEERED, STEERED, RECONSTRUCTION = "unsteered", "steered", "reconstruction"
OnPrompt = Callable[[list[int], list[str], list[bool]], None]
SimilarityOf = Callable[[str, str], float | None]
"""Cosine of two texts' embeddings; None when there is nothing to embed with."""


def generate_comparison(
    loaded: LoadedModel,
    edits: Sequence[FeatureEdit],
    config: SteeringConfig,
    on_tokens: OnTokens | None = None,
    should_stop: ShouldStop | None = None,
    similarity_of: SimilarityOf | None = None,
    on_prompt: OnPrompt | None = None,
    condition: Condition | None = None,
) -> SteeringResult:
    """Continue a prompt twice, unsteered and steered, and measure the difference.

    In the mode "reconstruction" the dictionaries' outputs take the place of the activations; a
    third text then has that replacement and no edit.

    Steered are, by absolute position, the prompt's and the generated tokens as configured, never
    special tokens or the first position unless ``exclude_special`` is off. A generated token is
    steered while it is read, so it influences the ones after it. Hooks are gone afterwards,
    whatever happens.

    Args:
        loaded: The model.
        edits: What to do; several at one place act on the state as it was before all of them.
        config: Prompt, sampling, positions.
        on_tokens: Told of the tokens of every step as they are chosen.
        should_stop: Asked before each step; true ends both texts there and keeps them.
        similarity_of: Compares the two texts' embeddings.
        on_prompt: Told of the prompt's token ids, their texts and which may be steered (those that
            meet the condition are), at the start.
        condition: Steer only where it holds.

    Raises:
        SteeringInvalid: unusable edits, or a prompt longer than the model reads.
        NoEffect: not one position would be steered, or none met the condition.
        Stopped: asked to stop before the first token.
        HookPointNotFound: a layer or hook type does not exist.
    """
    began = time.monotonic()
    edits, kl_reached = resolve_kl(loaded, edits, config, condition, should_stop)
    decoder = make_pair(loaded, edits, config, on_tokens, should_stop, condition)
    prompt = decoder.prompt_ids, [loaded.tokenizer.decode([i]) for i in decoder.prompt_ids]
    if on_prompt is not None:
        on_prompt(*prompt, decoder.prompt_mask)
    decoder.run()
    if not decoder.texts[0].ids:
        raise Stopped("Stopped before the first token.")
    texts = [decoder.generated(t) for t in range(len(decoder.texts))]
    unsteered, steered = texts[:2]
    assert steered.proof is not None
    promoted = promoted_by(loaded, edits)
    metrics = [text_metrics(text, promoted) for text in texts]
    pairs = [_pair(decoder, texts, t, similarity_of) for t in range(1, len(texts))]
    is_alone = len(edits) == 1 and config.mode == "delta"
    return SteeringResult(
        unsteered=unsteered,
        steered=steered,
        prompt_ids=prompt[0],
        prompt_tokens=prompt[1],
        prompt_steered=decoder.prompt_steered(1),
        unsteered_metrics=metrics[0],
        steered_metrics=metrics[1],
        pair=pairs[0],
        proof=steered.proof,
        resolved=resolved_edits(
            edits,
            kl_reached,
            [decoder.norms_of(1, edit) for edit in edits],
            steered.proof if is_alone else None,
        ),
        warnings=warnings_of(edits, steered, metrics[1]),
        seconds=time.monotonic() - began,
        first_token_seconds=decoder.first_token_seconds,
        tokens_per_second=sum(len(text.tokens) for text in texts) / max(decoder.seconds, 1e-9),
        stopped=decoder.stopped,
        condition=decoder.condition_met(1),
        reconstruction=_baseline(texts[2], metrics[2], pairs[1]) if len(texts) > 2 else None,
    )


def _pair(
    decoder: BatchDecoder,
    texts: Sequence[GeneratedText],
    t: int,
    similarity_of: SimilarityOf | None,
) -> PairMetrics:
    """Compare text ``t`` with the unsteered one."""
    embedded = similarity_of(texts[0].text, texts[t].text) if similarity_of is not None else None
    base_D, own_D = decoder.texts[0].reading_state_D, decoder.texts[t].reading_state_D
    assert base_D is not None
    assert own_D is not None
    return pair_metrics(texts[0], texts[t], (base_D, own_D), embedded)


def _baseline(text: GeneratedText, metrics: TextMetrics, pair: PairMetrics) -> ReconstructionText:
    assert text.proof is not None
    return ReconstructionText(text, metrics, pair, text.proof)


def make_pair(
    loaded: LoadedModel,
    edits: Sequence[FeatureEdit],
    config: SteeringConfig,
    on_tokens: OnTokens | None = None,
    should_stop: ShouldStop | None = None,
    condition: Condition | None = None,
) -> BatchDecoder:
    """Return the decoder of both texts, and of the reconstruction if it is asked for, not run."""
    if not edits:
        raise SteeringInvalid("Choose at least one feature to steer with.")
    replaced = replacements_of(edits) if config.mode == "reconstruction" else []
    plans = [
        RowPlan(UNSTEERED, (), config.seed),
        RowPlan(STEERED, (*replaced, *edits), config.seed),
    ]
    if replaced:
        plans.append(RowPlan(RECONSTRUCTION, tuple(replaced), config.seed))
    watched = [edit.latent for edit in edits if edit.latent is not None]
    return BatchDecoder(loaded, config, plans, watched, on_tokens, should_stop, condition)


def resolve_kl(
    loaded: LoadedModel,
    edits: Sequence[FeatureEdit],
    config: SteeringConfig,
    condition: Condition | None = None,
    should_stop: ShouldStop | None = None,
) -> tuple[list[FeatureEdit], list[float | None]]:
    """Turn KL targets into strengths; each feature is calibrated by itself.

    Returns:
        The edits, and the KL that each calibrated one reached.
    """
    for edit in edits:
        check_edit(edit, loaded)
    wanted = [edit.method == "add" and edit.unit == "kl" for edit in edits]
    if config.mode == "reconstruction":
        replacements_of(edits)  # refuses what cannot be replaced, KL targets among it
    if not any(wanted):
        return list(edits), [None] * len(edits)
    probes = KlProbes.of(loaded, [config], condition, should_stop)
    resolved: list[FeatureEdit] = []
    reached: list[float | None] = []
    for edit, is_kl in zip(edits, wanted, strict=True):
        found = calibrate(probes, edit, edit.coefficient) if is_kl else None
        reached.append(found.kl if found else None)
        resolved.append(
            replace(edit, coefficient=found.strength, unit="activation") if found else edit
        )
    return resolved, reached


def resolved_edits(
    edits: Sequence[FeatureEdit],
    kl_reached: Sequence[float | None],
    norms: Sequence[StateNorms | None],
    alone: SteeringProof | None,
) -> list[ResolvedEdit]:
    """Say each strength in all units that exist.

    Args:
        edits: Of one text.
        kl_reached: By each calibrated one.
        norms: Of the states that each acted on: they differ from place to place.
        alone: The text's proof, where it is that of a single edit and nothing else.
    """
    columns = zip(edits, kl_reached, norms, strict=True)
    return [_resolved(edit, kl, own, alone) for edit, kl, own in columns]


def _resolved(
    edit: FeatureEdit, kl: float | None, norms: StateNorms | None, alone: SteeringProof | None
) -> ResolvedEdit:
    size = edit.direction_D.norm().item()
    if edit.method not in ("add", "clamp", "floor"):
        return ResolvedEdit(None, None, alone.mean_delta_norm_ratio if alone else None, kl, size)
    activation: float | None = edit.amount()
    share = None
    if edit.unit == "norm":
        share = edit.coefficient
        activation = share * norms.mean / size if norms and alone else None
    elif edit.method == "add" and norms:
        share = edit.amount() * size * norms.mean_inverse
    multiple = activation / edit.max_activation if (
        activation is not None and edit.max_activation
    ) else None  # fmt: skip
    return ResolvedEdit(activation, multiple, share, kl, size)


def warnings_of(
    edits: Sequence[FeatureEdit], steered: GeneratedText, metrics: TextMetrics
) -> list[str]:
    """Say what a reader of the texts must know and cannot see."""
    found = []
    proof = steered.proof
    if proof is not None and proof.positions_changed == 0:
        found.append(
            f"The change was zero at all {proof.positions_touched} steered positions: "
            + (
                "the features are active at none of them, so there was nothing to change."
                if any(edit.reads_latent for edit in edits)
                else "all strengths are 0."
            )
        )
    for edit in edits:
        learned = edit.learned_at
        if learned is not None and learned != (edit.layer, edit.hook_type):
            found.append(
                f"Feature {edit.feature} was learned at layer {learned[0]} ({learned[1]}) and acts "
                f"at layer {edit.layer} ({edit.hook_type}) here, where its direction may mean "
                "something else."
            )
    if metrics.repeated_3 > 0.5:
        found.append("Most of the steered text repeats itself: the strength is likely too high.")
    return found
