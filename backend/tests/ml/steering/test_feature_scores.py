"""Which features steer and which read: by hand, and where the answer is planted."""

from collections.abc import Sequence

import pytest
import torch

from app.ml.configs import ConfigInvalid, ScoringConfig
from app.ml.errors import SteeringInvalid, Stopped
from app.ml.language_models import LoadedModel
from app.ml.records import Progress
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder
from app.ml.steering import feature_scores
from app.ml.steering.feature_scores import (
    FeatureScores,
    InputScore,
    OutputScorer,
    Place,
    ScoringSummary,
    input_score,
    output_score,
    score_features,
    wilson_interval,
)
from app.ml.steering.promoted import promoted_tokens, pushes_down
from tests.ml.conftest import ignore, never
from tests.ml.planted_behaviour import (
    CAUSE,
    EFFECT,
    LAYER,
    planted_dictionary,
    planted_transcoder,
)
from tests.ml.steering_edits import direction

PLACE = Place(LAYER, "residual", "residual")
CONFIG = ScoringConfig(null_directions=32, batch_size=3)


def scored(
    model: LoadedModel, sae: SparseAutoencoder, place: Place = PLACE, done: Sequence[int] = ()
) -> tuple[list[FeatureScores], ScoringSummary]:
    found: list[FeatureScores] = []
    scorer = OutputScorer(model, sae, place, CONFIG)
    summary = score_features(
        scorer, range(sae.d_sae), done, lambda _: {0: [CAUSE] * 9 + [EFFECT] * 3, 1: [CAUSE] * 9},
        str, lambda block, _: found.extend(block), ignore, never,
    )  # fmt: skip
    return found, summary


@pytest.mark.parametrize(
    ("method", "coefficient", "is_down"),
    [
        ("add", -1.0, True), ("add", 1.0, False), ("ablate", 1.0, True), ("scale", 0.5, True),
        ("scale", 2.0, False), ("project", 0.0, True), ("clamp", 0.0, True), ("clamp", 1.0, False),
        ("floor", -1.0, False), ("floor", 1.0, False),
    ],
)  # fmt: skip
def test_what_pushes_a_feature_down(method: str, coefficient: float, is_down: bool) -> None:
    assert pushes_down(direction(method=method, coefficient=coefficient)) is is_down


def test_output_score_by_hand() -> None:
    # 1000 tokens; the likeliest promoted one has probability 0.5 and one token before it.
    scores = output_score(torch.tensor([0.5, 1.0, 0.001]), torch.tensor([1, 0, 500]), 1000)
    assert scores.tolist() == pytest.approx([0.999 * 0.5, 1.0, 0.5 * 0.001])


def test_input_score_by_hand() -> None:
    # 12 peaks, 3 of them on own tokens. Token 7 is in 3 of 5 lists, token 8 in 1 (the own one).
    found = input_score([7] * 6 + [8] * 3 + [9] * 3, {8}, {7: 3, 8: 1}, 5)
    assert found is not None
    assert (found.score, found.n_contexts) == (0.25, 12)
    assert found.null == pytest.approx(6 * 3 / (12 * 4))
    assert found.interval == pytest.approx((0.0889, 0.5323), abs=1e-4)
    assert input_score([7] * 9, {7}, {7: 1}, 5) is None
    alone = input_score([7] * 10, {7}, {7: 1}, 1)
    assert alone == InputScore(1.0, wilson_interval(1.0, 10), None, 10)
    assert alone.interval == pytest.approx((0.7225, 1.0), abs=1e-4)


def test_the_planted_feature_steers_and_no_other_direction_does(planted: LoadedModel) -> None:
    found, summary = scored(planted, planted_dictionary("jumprelu"))
    assert [entry.index for entry in found] == list(range(8))
    best = found[0].output
    assert (best.token_id, best.token, best.rank) == (EFFECT, str(EFFECT), 0)
    assert best.score == best.probability > 0.99 > 0.01 > best.probability_before
    assert max(entry.output.score for entry in found[1:]) < 0.5
    assert summary.output_null.mean <= summary.output_null.p95 < 0.5
    assert summary.strength > 0


def test_what_a_feature_reads_is_another_question(planted: LoadedModel) -> None:
    found, _ = scored(planted, planted_dictionary("relu"))
    assert found[0].input is not None
    assert (found[0].input.score, found[0].input.n_contexts) == (0.25, 12)
    assert found[0].input.null == 0  # EFFECT is in no other list
    assert found[1].input is None  # too few contexts
    assert found[2].input is None  # none at all


def test_a_transcoder_is_raised_where_it_writes(planted_mlp: LoadedModel) -> None:
    found, _ = scored(planted_mlp, planted_transcoder(), Place(LAYER, "mlp_input", "mlp"))
    assert (found[0].output.token_id, found[0].output.rank) == (EFFECT, 0)
    assert found[0].output.score > 0.99


def test_a_row_of_a_batch_is_the_plain_forward_pass(planted: LoadedModel) -> None:
    sae = planted_dictionary("topk")
    scorer = OutputScorer(planted, sae, PLACE, CONFIG)
    promoted = promoted_tokens(planted, sae.W_dec_FD, LAYER, "residual")
    alone = [scorer.score(sae.W_dec_FD[n : n + 1], promoted[n : n + 1])[0] for n in range(8)]
    for one, other in zip(scorer.score(sae.W_dec_FD, promoted), alone, strict=True):
        assert one == pytest.approx(other, abs=1e-5)
    ids = torch.tensor([scorer._ids])
    hook = planted.model.base_model.layers[LAYER].register_forward_hook(
        lambda _m, _i, output: output + torch.nn.functional.pad(
            scorer.strength * sae.W_dec_FD[3][None, None], (0, 0, ids.shape[1] - 1, 0)
        )
    )  # fmt: skip
    with torch.inference_mode():
        expected = torch.softmax(planted.model(ids, use_cache=False).logits[0, -1].float(), 0)
    hook.remove()
    assert alone[3][3] == pytest.approx(float(expected[alone[3][1]]), abs=1e-5)
    assert not any(m._forward_hooks for m in planted.model.modules())


def test_the_neutral_text_may_be_one_token(glass: LoadedModel) -> None:
    config = ScoringConfig(prompt="the", null_directions=8)
    model = LoadedModel(**{**vars(glass), "start_id": None})
    scorer = OutputScorer(model, planted_dictionary("relu"), PLACE, config)
    assert 0 <= scorer.null().mean <= 1


def test_stopped_it_keeps_whole_blocks_and_goes_on_after_them(
    planted: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_scores, "BLOCK", 3)
    whole, _ = scored(planted, planted_dictionary("relu"))
    scorer = OutputScorer(planted, planted_dictionary("relu"), PLACE, CONFIG)
    kept: list[FeatureScores] = []
    seen: list[Progress] = []
    with pytest.raises(Stopped):
        score_features(
            scorer, range(8), (), lambda _: {}, str, lambda block, _: kept.extend(block),
            seen.append, lambda: len(kept) >= 3,
        )  # fmt: skip
    assert [entry.index for entry in kept] == [0, 1, 2]
    assert [progress.done for progress in seen] == [0, 3]
    rest, _ = scored(planted, planted_dictionary("relu"), done=range(3))
    assert rest == whole[3:]


def test_refusals(planted: LoadedModel) -> None:
    with pytest.raises(SteeringInvalid, match="no direct way to the output"):
        OutputScorer(
            planted, planted_dictionary("relu"), Place(2, "mlp_input", "mlp_input"), CONFIG
        )
    silent = planted_dictionary("jumprelu")
    silent.threshold_F.fill_(1e9)
    with pytest.raises(SteeringInvalid, match="Choose another prompt"):
        OutputScorer(planted, silent, PLACE, CONFIG)
    with pytest.raises(SteeringInvalid, match="exceed"):
        OutputScorer(planted, silent, PLACE, ScoringConfig(prompt="word " * 5000))
    huge = ScoringConfig(amplification=1000.0)
    broken = planted_dictionary("relu")
    broken.W_dec_FD[1] = float("inf")
    with pytest.raises(SteeringInvalid, match="smaller amplification"):
        OutputScorer(planted, broken, PLACE, huge).score(
            broken.W_dec_FD, torch.zeros(8, 20, dtype=torch.int64)
        )
    with pytest.raises(ConfigInvalid, match="empty"):
        ScoringConfig(prompt="  ")
