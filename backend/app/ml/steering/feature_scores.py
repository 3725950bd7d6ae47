"""What features are good for: saying what a text is about (input), or changing it (output).

Source: Arad et al. 2025, "SAEs are good for steering if you select the right features". Legend: B
features of a batch, D width, K tokens that stand for a feature, V vocabulary, P peaks.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from app.ml.configs import ScoringConfig, SteeringConfig
from app.ml.configs.scoring import FEWEST_CONTEXTS
from app.ml.devices import coded_memory_errors
from app.ml.errors import SteeringInvalid, Stopped
from app.ml.feature_discovery.logit_lens import NO_LENS_HOOKS
from app.ml.language_models.forward import Edit, capture, hooked
from app.ml.language_models.hook_points import resolve_hook_point
from app.ml.language_models.loading import LoadedModel
from app.ml.records import Progress, Report, ShouldStop
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder
from app.ml.steering.promoted import promoted_tokens
from app.ml.steering.prompts import check_length, encode_prompt

BLOCK = 256
"""Features scored and handed over together; blocks are the same whenever a job begins."""


@dataclass(frozen=True)
class Place:
    """Block and places in it that a dictionary reads and writes."""

    layer: int
    reads: str
    writes: str


@dataclass(frozen=True)
class OutputScore:
    """``token`` is the likeliest of the promoted ones once the feature is raised, ``rank`` the
    number of tokens likelier than it, ``probability_before`` its probability without steering."""

    score: float
    token: str
    token_id: int
    rank: int
    probability: float
    probability_before: float


@dataclass(frozen=True)
class InputScore:
    """``null`` is the same share with the promoted tokens of other features, on average."""

    score: float
    interval: tuple[float, float]
    null: float | None
    n_contexts: int


@dataclass(frozen=True)
class FeatureScores:
    index: int
    output: OutputScore
    input: InputScore | None


@dataclass(frozen=True)
class NullScores:
    """Output scores of random directions as long as the dictionary's."""

    mean: float
    p95: float


@dataclass(frozen=True)
class ScoringSummary:
    """``strength`` is what is added along a decoder row, in activation units."""

    strength: float
    output_null: NullScores


class OutputScorer:
    """Raises directions at the end of one prompt and reads what the model then says.

    The prompt but for its last token is read once; each direction costs a row of one token.

    Raises:
        SteeringInvalid: no feature is active at the end of the prompt, the prompt is too long, or
            the dictionary writes where nothing leads to the logits directly.
        HookPointNotFound: the place does not exist.
    """

    def __init__(
        self, loaded: LoadedModel, sae: SparseAutoencoder, place: Place, config: ScoringConfig
    ) -> None:
        if place.writes in NO_LENS_HOOKS:
            raise SteeringInvalid(
                f"Features at {place.writes} have no direct way to the output, so no tokens stand "
                "for them. Score a dictionary of the residual stream, an MLP's or attention's "
                "output, or a transcoder."
            )
        self.loaded, self.sae, self.place, self.config = loaded, sae, place, config
        steering = SteeringConfig(prompt=config.prompt, max_new_tokens=1)
        self._ids = encode_prompt(loaded, steering)
        check_length(loaded, self._ids, steering)
        self._written = resolve_hook_point(loaded.model, place.layer, place.writes)
        with torch.inference_mode():
            self.strength = config.amplification * self._largest_latent()
            self._prefix = self._read_prefix()
            self._base_V = self._probabilities(torch.zeros(1, sae.W_dec_FD.shape[1]))[0]

    def _largest_latent(self) -> float:
        point = resolve_hook_point(self.loaded.model, self.place.layer, self.place.reads)
        state_BSD = capture(self.loaded, torch.tensor([self._ids]), [point])[point]
        sae = self.sae.to(self.loaded.device)
        largest = float(sae.encode(state_BSD[0, -1:].float()).max())
        if not (largest > 0 and math.isfinite(largest)):
            raise SteeringInvalid(
                f'No feature is active at the end of "{self.config.prompt}", so there is nothing '
                "to measure the strength by. Choose another prompt."
            )
        return largest

    def _read_prefix(self) -> Any:
        if len(self._ids) == 1:
            return None
        ids_1S = torch.tensor([self._ids[:-1]], device=self.loaded.device)
        return self.loaded.model(
            input_ids=ids_1S, use_cache=True, logits_to_keep=1
        ).past_key_values  # fmt: skip

    def _probabilities(self, deltas_BD: torch.Tensor) -> torch.Tensor:
        """Return the next token's probabilities with each delta added, float32 (B, V)."""
        n_rows = len(deltas_BD)
        cache = copy.deepcopy(self._prefix)
        if cache is not None:
            cache.batch_repeat_interleave(n_rows)
        deltas_BD = deltas_BD.to(self.loaded.device)
        last_BS = torch.full((n_rows, 1), self._ids[-1], device=self.loaded.device)
        with hooked(self.loaded.model, [(self._written, _adding(deltas_BD))]):
            output = self.loaded.model(
                input_ids=last_BS, past_key_values=cache, use_cache=True, logits_to_keep=1
            )
        return torch.softmax(output.logits[:, -1].float(), dim=-1)

    def score(
        self,
        directions_ND: torch.Tensor,
        promoted_NK: torch.Tensor,
        should_stop: ShouldStop = lambda: False,
    ) -> list[tuple[float, int, int, float, float]]:
        """Return score, token, rank, probability and probability before, for each direction.

        Raises:
            SteeringInvalid: the model's answer is not finite.
            Stopped: ``should_stop``, which is asked before each batch, said so.
        """
        found: list[tuple[float, int, int, float, float]] = []
        with torch.inference_mode():
            for start in range(0, len(directions_ND), self.config.batch_size):
                if should_stop():
                    raise Stopped("The scoring was stopped; finished blocks are kept.")
                piece = slice(start, start + self.config.batch_size)
                probabilities_BV = self._probabilities(self.strength * directions_ND[piece])
                found += self._scores(probabilities_BV, promoted_NK[piece])
        return found

    def _scores(
        self, probabilities_BV: torch.Tensor, promoted_BK: torch.Tensor
    ) -> list[tuple[float, int, int, float, float]]:
        if not bool(torch.isfinite(probabilities_BV).all()):
            raise SteeringInvalid(
                "The model's answer is not finite when features are raised this far; use a "
                "smaller amplification."
            )
        promoted_BK = promoted_BK.to(probabilities_BV.device)
        best_B1 = probabilities_BV.gather(1, promoted_BK).argmax(dim=1, keepdim=True)
        token_B1 = promoted_BK.gather(1, best_B1)
        own_B1 = probabilities_BV.gather(1, token_B1)
        rank_B = (probabilities_BV > own_B1).sum(dim=1)
        score_B = output_score(own_B1[:, 0], rank_B, probabilities_BV.shape[1])
        before_B = self._base_V[token_B1[:, 0]]
        columns = (score_B, token_B1[:, 0], rank_B, own_B1[:, 0], before_B)
        return list(zip(*(column.tolist() for column in columns), strict=True))

    def promoted(self, directions_ND: torch.Tensor) -> torch.Tensor:
        """Return the tokens that stand for directions at the written place, int64 (N, K)."""
        place, n_tokens = self.place, self.config.promoted_tokens
        return promoted_tokens(self.loaded, directions_ND, place.layer, place.writes, n_tokens)

    def null(self) -> NullScores:
        """Score random directions of the dictionary's typical length, with their own tokens."""
        generator = torch.Generator().manual_seed(self.config.seed)
        width = self.sae.W_dec_FD.shape[1]
        drawn_ND = torch.randn(self.config.null_directions, width, generator=generator)
        length = self.sae.W_dec_FD.norm(dim=1).median().cpu()
        drawn_ND = drawn_ND / drawn_ND.norm(dim=1, keepdim=True) * length
        promoted_NK = self.promoted(drawn_ND)
        scores = torch.tensor([row[0] for row in self.score(drawn_ND, promoted_NK)])
        return NullScores(scores.mean().item(), torch.quantile(scores, 0.95).item())


def _adding(deltas_BD: torch.Tensor) -> Edit:
    def add(value_BSD: torch.Tensor) -> torch.Tensor:
        changed_BSD = value_BSD.clone()
        changed_BSD[:, -1] = (value_BSD[:, -1].float() + deltas_BD).to(value_BSD.dtype)
        return changed_BSD

    return add


def output_score(
    probability_B: torch.Tensor, rank_B: torch.Tensor, n_vocabulary: int
) -> torch.Tensor:
    """Return (1 - rank / vocabulary) x probability of the likeliest promoted token."""
    return (1 - rank_B / n_vocabulary) * probability_B


def input_score(
    peaks: Sequence[int], own: Collection[int], listed: Mapping[int, int], n_lists: int
) -> InputScore | None:
    """Return the share of contexts whose strongest token is one of the feature's promoted ones.

    Args:
        peaks: Token of the largest activation in each context.
        own: The feature's promoted tokens.
        listed: For each token, in how many features' promoted tokens it is, this one's included.
        n_lists: Features whose lists were counted.

    Returns:
        None where there are fewer than ``FEWEST_CONTEXTS``.
    """
    n = len(peaks)
    if n < FEWEST_CONTEXTS:
        return None
    hits = [peak in own for peak in peaks]
    null = None
    if n_lists > 1:
        others = [listed.get(p, 0) - hit for p, hit in zip(peaks, hits, strict=True)]
        null = sum(others) / (n * (n_lists - 1))
    share = sum(hits) / n
    return InputScore(share, wilson_interval(share, n), null, n)


def wilson_interval(share: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share of n independent trials. Source: Wilson 1927."""
    z = 1.959964
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


PeaksOf = Callable[[Sequence[int]], Mapping[int, Sequence[int]]]
"""From feature indices to the tokens at the peaks of their contexts, by index."""
OnBlock = Callable[[list[FeatureScores], ScoringSummary], None]


def score_features(
    scorer: OutputScorer,
    indices: Sequence[int],
    done: Collection[int],
    peaks_of: PeaksOf,
    text_of: Callable[[int], str],
    on_block: OnBlock,
    report: Report,
    should_stop: ShouldStop,
) -> ScoringSummary:
    """Score features block by block.

    Args:
        scorer: Prompt and strength.
        indices: Latents, ascending; the blocks depend on nothing else.
        done: Those whose block was handed over before; they are not scored again.
        peaks_of: Contexts of features.
        text_of: From a token id to text.
        on_block: Gets each block when it is done.
        report: Gets progress in features.
        should_stop: Asked before each batch; what was handed over stays.

    Raises:
        Stopped: ``should_stop`` said so.
        SteeringInvalid: the model's answer is not finite.
    """
    with coded_memory_errors("scoring features"):
        summary = ScoringSummary(scorer.strength, scorer.null())
        for start in range(0, len(indices), BLOCK):
            report(Progress(start, len(indices), "features", "Raising features"))
            block = indices[start : start + BLOCK]
            if all(index in done for index in block):
                continue
            on_block(_score_block(scorer, block, peaks_of(block), text_of, should_stop), summary)
        report(Progress(len(indices), len(indices), "features", "Raising features"))
    return summary


def _score_block(
    scorer: OutputScorer,
    block: Sequence[int],
    peaks: Mapping[int, Sequence[int]],
    text_of: Callable[[int], str],
    should_stop: ShouldStop,
) -> list[FeatureScores]:
    directions_ND = scorer.sae.W_dec_FD[list(block)].detach().cpu()
    promoted_NK = scorer.promoted(directions_ND)
    lists = [set(row) for row in promoted_NK.tolist()]
    listed: dict[int, int] = {}
    for tokens in lists:
        for token in tokens:
            listed[token] = listed.get(token, 0) + 1
    outputs = scorer.score(directions_ND, promoted_NK, should_stop)
    return [
        FeatureScores(
            index,
            OutputScore(score, text_of(token), token, rank, probability, before),
            input_score(peaks.get(index, ()), own, listed, len(lists)),
        )
        for index, (score, token, rank, probability, before), own in zip(
            block, outputs, lists, strict=True
        )
    ]
