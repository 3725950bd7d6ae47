"""A store of 8-bit codes serves training and streaming as any other."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from app.ml.activation_extraction import ActivationStore, TokenStore, extract_activations
from app.ml.configs import ExtractionConfig, TrainingHyperparameters
from app.ml.language_models import LoadedModel
from app.ml.sae_training import ModelStream, train
from tests.ml.conftest import ignore, never


@pytest.fixture(scope="module")
def coded(
    glass: LoadedModel, tokens: TokenStore, tmp_path_factory: pytest.TempPathFactory
) -> ActivationStore:
    path = tmp_path_factory.mktemp("coded") / "store"
    config = ExtractionConfig(layers=(2,), dtype="int8", windows_per_shard=200)
    extract_activations(glass, tokens, path, config, ignore, never)
    return ActivationStore.open(path)


def test_it_takes_a_quarter_and_keeps_the_variance(
    coded: ActivationStore, store: ActivationStore
) -> None:
    exact, kept = (s.rows(2, "residual").slice(0, 5000) for s in (store, coded))
    error = (exact - kept).double().square().sum()
    spread = (exact - exact.mean(dim=0)).double().square().sum()
    assert error / spread < 1e-4
    size = sum(f.stat().st_size for f in (coded.path / "L2_residual").iterdir())
    assert size == pytest.approx(coded.n_rows * 128 * 1.0625, rel=1e-3)
    coded.verify()


@pytest.mark.parametrize("source", ["store", "stream"])
def test_resumed_equals_straight_to_the_bit(
    tmp_path: Path, coded: ActivationStore, glass: LoadedModel, tokens: TokenStore, source: str
) -> None:
    settings = TrainingHyperparameters.from_dict(
        {"d_sae": 64, "k": 4, "batch_size": 512, "training_steps": 20, "checkpoint_every": 10,
         "precision": "float32", "source": source}
    )  # fmt: skip
    stream = ModelStream(glass, tokens, block_windows=60)

    def run(name: str, resume_from: Path | None = None) -> dict[str, torch.Tensor]:
        outcome = train(
            coded, 2, "residual", "sparse", settings, tmp_path / name, report=ignore,
            should_stop=lambda: None, on_checkpoint=ignore, stream=stream,
            resume_from=resume_from,
        )  # fmt: skip
        return load_file(outcome.checkpoint.path / "state.safetensors")

    straight, resumed = run("a"), run("b", tmp_path / "a" / "step_10")
    assert all(torch.equal(straight[key], resumed[key]) for key in straight)
