"""A training on a GPU: the gradients of a CPU, and the same bits after a resume."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from app.ml.activation_extraction import ActivationStore
from app.ml.configs import TrainingHyperparameters
from app.ml.sae_training import train
from app.ml.sae_training.architecture import architecture_of
from app.ml.sae_training.objectives.base import Batch
from app.ml.sae_training.registry import build_objective
from app.ml.sae_training.weights import Weights
from tests.ml.conftest import ignore

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
ACTIVATIONS = ("topk", "batchtopk", "relu", "jumprelu", "gated")


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("matryoshka", [False, True])
def test_gradients_are_those_of_a_cpu(activation: str, matryoshka: bool) -> None:
    nested = {"matryoshka_sizes": [256, 2048]} if matryoshka else {}
    if nested and activation not in ("topk", "batchtopk"):
        pytest.skip("nested dictionaries choose by k")
    config = TrainingHyperparameters(d_sae=2048, k=8, activation=activation, **nested)
    torch.manual_seed(0)
    weights = Weights(architecture_of("sparse", config, 64, 64))
    weights.W_dec_FD.copy_(torch.randn_like(weights.W_dec_FD))
    weights.normalise_decoder()
    weights.W_enc_FD.copy_(weights.W_dec_FD)
    weights.b_enc_F.fill_(-2.0 if activation in ("relu", "gated") else 0.0)
    x, dead = torch.randn(256, 64), torch.arange(1000, 1040)
    found = {}
    for device in ("cpu", "cuda"):
        here = Weights(weights.architecture).to(device)
        here.load_state_dict(weights.state_dict())
        objective = build_objective(here.architecture, config, torch.float32)
        batch = x.to(device)
        with torch.no_grad():
            losses = objective.step(here, Batch(batch, batch), dead.to(device), 1.0)
        gradients = {n: p.grad.cpu() for n, p in here.named_parameters() if p.grad is not None}
        found[device] = (losses.loss.item(), losses.l0.item(), gradients)
    assert found["cuda"][0] == pytest.approx(found["cpu"][0], rel=1e-4)
    assert found["cuda"][1] == pytest.approx(found["cpu"][1], rel=1e-4)
    for name, gradient in found["cpu"][2].items():
        torch.testing.assert_close(found["cuda"][2][name], gradient, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_resume_gives_the_same_bits(
    activation: str, store: ActivationStore, tmp_path: Path
) -> None:
    settings = TrainingHyperparameters(
        k=8, expansion_factor=8, training_steps=40, batch_size=256, activation=activation,
        checkpoint_every=20, keep_checkpoints=3,
    )  # fmt: skip

    def run(name: str, resume_from: Path | None = None) -> dict[str, torch.Tensor]:
        outcome = train(
            store, 2, "residual", "sparse", settings, tmp_path / name, report=ignore,
            should_stop=lambda: None, on_checkpoint=ignore, resume_from=resume_from, device="cuda",
        )  # fmt: skip
        return load_file(outcome.checkpoint.path / "sae.safetensors")

    straight = run("straight")
    resumed = run("resumed", tmp_path / "straight" / "step_20")
    for name, tensor in straight.items():
        assert torch.equal(tensor, resumed[name]), name
