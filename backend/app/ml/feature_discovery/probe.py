"""Which features fire on a text that somebody types, and how well they tell classes apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from app.ml.activation_extraction.encoding import encode_batch
from app.ml.errors import Stopped, TextInvalid
from app.ml.feature_discovery.reading import token_texts
from app.ml.language_models.forward import capture
from app.ml.language_models.hook_points import resolve_hook_point
from app.ml.language_models.loading import LoadedModel
from app.ml.records import ShouldStop
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder

MAX_TEXT_TOKENS = 1024
Z_95 = 1.959964


@dataclass(frozen=True)
class TextFiring:
    """A feature on one text; ``activations`` stands beside the text's tokens."""

    feature: int
    max_activation: float
    position: int
    activations: list[float]


@dataclass(frozen=True)
class ProbedText:
    """A text's tokens and the features that fire on it, the strongest first."""

    token_ids: list[int]
    tokens: list[str]
    firings: list[TextFiring]
    n_firing: int


@dataclass(frozen=True)
class ClassScores:
    """The best features of one class against the rest."""

    expected: str
    n_expected: int
    n_other: int
    scores: list[ClassScore]


@dataclass(frozen=True)
class ClassScore:
    """How well a feature's largest activation per line tells the expected class from the rest.

    ``auc`` is the area under the ROC curve, ``low`` and ``high`` its 95 % interval (Hanley and
    McNeil 1982); the means are of the largest activation per line.
    """

    feature: int
    auc: float
    low: float
    high: float
    mean_expected: float
    mean_other: float


def probe_text(
    loaded: LoadedModel,
    sae: SparseAutoencoder,
    place: tuple[int, str],
    text: str,
    *,
    top_k: int,
    features: Sequence[int] = (),
) -> ProbedText:
    """Read a text and encode every token of it.

    Args:
        loaded: Model of the dictionary.
        sae: On any device; moved to the model's.
        place: Layer and hook type that the dictionary reads.
        text: As typed; a start token is set before it where the model has one, and not encoded.
        top_k: Features listed, by their largest activation.
        features: Listed in any case.

    Raises:
        TextInvalid: empty, or too many tokens for the model.
    """
    ids, latents_SF = _encode(loaded, sae, place, text)
    largest_F = latents_SF.max(dim=0).values
    strongest = largest_F.topk(min(top_k, len(largest_F)))
    listed = [i for i in strongest.indices.tolist() if largest_F[i] > 0]
    listed += [i for i in features if i not in listed]
    text_of, _ = token_texts(loaded)
    return ProbedText(
        token_ids=ids,
        tokens=[text_of(i) for i in ids],
        firings=[_firing(latents_SF[:, i], i) for i in listed],
        n_firing=int((largest_F > 0).sum()),
    )


def score_sheet(
    loaded: LoadedModel,
    sae: SparseAutoencoder,
    place: tuple[int, str],
    lines: Sequence[tuple[str, str]],
    should_stop: ShouldStop,
    *,
    top_k: int,
    features: Sequence[int] = (),
) -> list[ClassScores]:
    """Score every feature on lines of named classes, each class against the rest, best first.

    Raises:
        TextInvalid: Fewer than two classes, or an unusable line.
        Stopped: ``should_stop`` said so.
    """
    names = sorted({expected for _, expected in lines})
    if len(names) < 2:
        raise TextInvalid("A sheet needs lines of two classes at least.")
    rows = []
    for text, _ in lines:
        if should_stop():
            raise Stopped("The probe was stopped.")
        rows.append(_encode(loaded, sae, place, text)[1].max(dim=0).values.cpu().numpy())
    largest_NF = np.stack(rows)
    found = []
    for name in names:
        expected_N = np.array([expected == name for _, expected in lines])
        auc_F = auc(largest_NF, expected_N)
        best = np.argsort(-auc_F, kind="stable")[:top_k].tolist()
        listed = [*best, *(i for i in features if i not in best)]
        scores = [_class_score(i, float(auc_F[i]), largest_NF[:, i], expected_N) for i in listed]
        n = int(expected_N.sum())
        found.append(ClassScores(name, n, len(lines) - n, scores))
    return found


def auc(
    values_NF: npt.NDArray[np.float32], expected_N: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return per column the chance that an expected row exceeds another; ties count half."""
    positive, negative = values_NF[expected_N], values_NF[~expected_N]
    total = np.zeros(values_NF.shape[1])
    for row in positive:
        total += (row > negative).sum(axis=0) + 0.5 * (row == negative).sum(axis=0)
    return np.asarray(total / (len(positive) * len(negative)))


def auc_interval(area: float, n_positive: int, n_negative: int) -> tuple[float, float]:
    """Return the 95 % interval of an area under the ROC curve by Hanley and McNeil."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area) + (n_positive - 1) * (q1 - area**2) + (n_negative - 1) * (q2 - area**2)
    ) / (n_positive * n_negative)
    # A perfect separation has no variance by the formula; half a pair may still be wrong.
    half = Z_95 * math.sqrt(max(variance, 0.25 / (n_positive * n_negative) ** 2))
    return max(area - half, 0.0), min(area + half, 1.0)


def _encode(
    loaded: LoadedModel, sae: SparseAutoencoder, place: tuple[int, str], text: str
) -> tuple[list[int], torch.Tensor]:
    ids = [int(i) for i in encode_batch(loaded.tokenizer, [text])[0]]
    if not ids:
        raise TextInvalid("The text has no tokens. Write something.")
    limit = min(MAX_TEXT_TOKENS, loaded.card.max_positions or MAX_TEXT_TOKENS)
    start = [] if loaded.start_id is None else [loaded.start_id]
    if len(ids) + len(start) > limit:
        raise TextInvalid(f"The text has {len(ids)} tokens; at most {limit - len(start)} fit.")
    point = resolve_hook_point(loaded.model, *place)
    with torch.no_grad():
        states = capture(loaded, torch.tensor([start + ids]), [point])[point][0, len(start) :]
        return ids, sae.to(loaded.device).encode(states.float())


def _firing(values_S: torch.Tensor, feature: int) -> TextFiring:
    position = int(values_S.argmax())
    shown = [round(value, 5) for value in values_S.tolist()]
    return TextFiring(feature, values_S[position].item(), position, shown)


def _class_score(
    feature: int, area: float, values_N: npt.NDArray[np.float32], expected_N: npt.NDArray[np.bool_]
) -> ClassScore:
    low, high = auc_interval(area, int(expected_N.sum()), int((~expected_N).sum()))
    means = float(values_N[expected_N].mean()), float(values_N[~expected_N].mean())
    return ClassScore(feature, area, low, high, *means)
