import math

from app.ml.configs import METRIC_DEFINITIONS
from app.schemas.training import MeasuredFigure
from app.services.evaluation_figures import FIGURES, evaluation_json

RAW = {
    "explained_variance": 0.8, "fvu": 0.2, "l0": 16.0, "dead_share": 0.01, "dead_latents": 3,
    "dense_share": 0.0, "cosine": 0.9, "l2_ratio": 0.95, "n_tokens": 5000, "ce_clean": 3.0,
    "ce_sae": 3.1, "ce_zero": 9.0, "ce_mean": None, "ce_recovered_zero": math.nan,
    "ce_recovered_mean": None, "kl": 0.1, "n_ce_tokens": 700, "n_ce_windows": 7,
    "split": "heldout", "n_documents": 12, "n_ce_documents": 4, "relative_bias": 0.8,
    "intervals": {"explained_variance": {"low": 0.79, "high": 0.82}},
}  # fmt: skip


def test_each_figure_has_its_definition_and_its_tokens() -> None:
    figures = {figure["key"]: figure for figure in evaluation_json(RAW)["figures"]}
    assert figures["explained_variance"]["n_tokens"] == 5000
    assert figures["kl"]["n_tokens"] == 700
    assert all(f["definition"] == METRIC_DEFINITIONS[key] for key, f in figures.items())


def test_what_was_not_measured_is_not_shown() -> None:
    evaluation = evaluation_json(RAW)
    keys = {figure["key"] for figure in evaluation["figures"]}
    assert not keys & {"ce_recovered_zero", "ce_recovered_mean"}
    assert evaluation["raw"]["ce_recovered_zero"] is None
    assert keys < {figure.key for figure in FIGURES}


def test_spread_documents_and_verdict_stand_beside_the_figure() -> None:
    figures = {figure["key"]: figure for figure in evaluation_json(RAW)["figures"]}
    variance = MeasuredFigure.model_validate(figures["explained_variance"])
    assert variance.interval is not None
    assert (variance.interval.low, variance.interval.high, variance.interval.level) == (
        0.79, 0.82, 0.95,
    )  # fmt: skip
    assert (variance.n_documents, figures["kl"]["n_documents"]) == (12, 4)
    assert (variance.verdict, variance.guide) == ("fair", "good from 0.9, fair from 0.8")
    assert figures["dead_share"]["verdict"] == "good"
    assert figures["relative_bias"]["verdict"] == "poor"
    assert figures["kl"]["verdict"] is None


def test_an_evaluation_of_an_earlier_version_is_still_read() -> None:
    old = {"key": "l0", "label": "L0", "value": 3.0, "unit": "", "definition": "d", "n_tokens": 1}
    assert MeasuredFigure.model_validate(old).interval is None
