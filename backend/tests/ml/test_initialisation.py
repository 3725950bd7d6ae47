"""Where penalised dictionaries begin: sparse, none of their latents dead."""

import pytest
import torch

from app.ml.configs import TrainingHyperparameters
from app.ml.sae_training.active_latents import SparseLatents, active_where
from app.ml.sae_training.architecture import architecture_of
from app.ml.sae_training.initialisation import initialise
from app.ml.sae_training.weights import Weights


@pytest.mark.parametrize("encoder_type", ["sparse", "transcoder"])
@pytest.mark.parametrize("activation", ["relu", "gated"])
def test_every_latent_is_active_on_its_share_of_the_tokens(
    activation: str, encoder_type: str
) -> None:
    config = TrainingHyperparameters(activation=activation, d_sae=960, k=6)
    weights = Weights(architecture_of(encoder_type, config, 12, 12))
    sample_BD = torch.randn(400, 12, generator=torch.Generator().manual_seed(0))
    initialise(weights, sample_BD, config)
    bias_F = weights.b_gate_F if activation == "gated" else weights.b_enc_F
    pre_BF = sample_BD @ weights.W_enc_FD.T + bias_F
    active_BF = pre_BF >= -1e-6
    assert active_BF.sum(dim=0).tolist() == [10] * 960  # 4 k of 960 latents, of 400 tokens
    assert isinstance(active_where(active_BF, torch.float32), SparseLatents)
    if encoder_type == "sparse":
        latents_BF = torch.relu(pre_BF)
        output_BD = latents_BF @ weights.W_dec_FD
        best = (output_BD * sample_BD).sum() / output_BD.square().sum()
        assert best.item() == pytest.approx(1.0, abs=1e-3)
