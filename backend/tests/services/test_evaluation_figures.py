import math

from app.ml.configs import METRIC_DEFINITIONS
from app.services.evaluation_figures import FIGURES, evaluation_json

RAW = {
    "explained_variance": 0.8, "fvu": 0.2, "l0": 16.0, "dead_share": 0.01, "dead_latents": 3,
    "dense_share": 0.0, "cosine": 0.9, "l2_ratio": 0.95, "n_tokens": 5000, "ce_clean": 3.0,
    "ce_sae": 3.1, "ce_zero": 9.0, "ce_mean": None, "ce_recovered_zero": math.nan,
    "ce_recovered_mean": None, "kl": 0.1, "n_ce_tokens": 700, "n_ce_windows": 7,
    "split": "heldout",
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
