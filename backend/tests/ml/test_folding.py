"""Exported weights do with original activations what the raw ones do with normalised ones."""

from typing import Any

import pytest
import torch

from app.ml.configs import ACTIVATIONS, TrainingHyperparameters
from app.ml.sae_training import SparseAutoencoder
from app.ml.sae_training.architecture import architecture_of
from app.ml.sae_training.folding import fold
from app.ml.sae_training.initialisation import initialise
from app.ml.sae_training.normalisation import measure_normalisation
from app.ml.sae_training.weights import Weights

D_IN, D_OUT, F, K = 12, 8, 48, 4


def settings(**values: Any) -> TrainingHyperparameters:
    return TrainingHyperparameters.from_dict({"d_sae": F, "k": K, **values})


def rows(d: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.randn(3000, d, generator=generator) @ torch.randn(d, d, generator=generator)
    return mixed + 5 * torch.randn(d, generator=generator)


def random_weights(encoder_type: str, config: TrainingHyperparameters, d_out: int) -> Weights:
    torch.manual_seed(0)
    weights = Weights(architecture_of(encoder_type, config, D_IN, d_out))
    for parameter in weights.parameters():
        parameter.copy_(torch.randn_like(parameter) / 3)
    weights.constrain()
    if config.activation == "jumprelu":
        weights.threshold_F.abs_()
    return weights


def normalised_latents(weights: Weights, x: torch.Tensor) -> torch.Tensor:
    """As the objectives define them."""
    product = weights.centred(x) @ weights.W_enc_FD.T
    pre = product + weights.b_enc_F
    match weights.architecture.activation:
        case "topk":
            kept = torch.relu(pre).topk(K, dim=1)
            return torch.zeros_like(pre).scatter_(1, kept.indices, kept.values)
        case "batchtopk":
            return pre * (pre > weights.batch_threshold)
        case "jumprelu":
            return pre * (pre > weights.threshold_F)
        case "gated":
            magnitude = torch.relu(product * weights.r_mag_F.exp() + weights.b_enc_F)
            return magnitude * (product + weights.b_gate_F > 0)
        case _:
            return torch.relu(pre)


def test_normalisation_gives_zero_mean_and_unit_mean_square() -> None:
    sample = rows(D_IN, 0)
    x = measure_normalisation(sample).apply(sample)
    torch.testing.assert_close(x.mean(0), torch.zeros(D_IN), atol=1e-5, rtol=0)
    assert x.square().mean().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("kind", ["sparse", "skip", "transcoder", "skip transcoder"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_folding(kind: str, activation: str) -> None:
    encoder_type = kind.split()[-1]
    config = settings(activation=activation, skip=kind == "skip transcoder")
    inputs = rows(D_IN, 0)
    targets = rows(D_OUT, 1) if encoder_type == "transcoder" else inputs
    read = measure_normalisation(inputs)
    written = measure_normalisation(targets) if targets is not inputs else read
    weights = random_weights(encoder_type, config, targets.shape[1])
    if activation == "batchtopk":
        weights.batch_threshold.fill_(0.4)
    form = fold(weights, read, written, K)
    sae = SparseAutoencoder(form.tensors, form.activation, form.k, centres_input=form.centres_input)
    x = read.apply(inputs)
    latents = normalised_latents(weights, x)
    output = latents @ weights.W_dec_FD + weights.b_dec_D
    if weights.skip is not None:
        output = output + weights.skip(x)
    torch.testing.assert_close(sae.encode(inputs), latents / written.scale, atol=2e-3, rtol=1e-3)
    expected = output / written.scale + written.mean_D
    torch.testing.assert_close(sae(inputs), expected, atol=2e-3, rtol=1e-3)
    assert (sae.d_model, sae.d_out) == (D_IN, targets.shape[1])


def test_batchtopk_is_exported_as_topk_until_it_knows_its_threshold() -> None:
    config = settings(activation="batchtopk")
    weights = random_weights("sparse", config, D_IN)
    normalisation = measure_normalisation(rows(D_IN, 0))
    early = fold(weights, normalisation, normalisation, K)
    assert (early.activation, early.k) == ("topk", K)
    weights.batch_threshold.fill_(0.5)
    late = fold(weights, normalisation, normalisation, K)
    assert (late.activation, late.k) == ("jumprelu", None)
    expected = torch.full((F,), 0.5 / normalisation.scale)
    torch.testing.assert_close(late.tensors["threshold_F"], expected)


@pytest.mark.parametrize("encoder_type", ["sparse", "skip", "transcoder"])
def test_where_training_starts(encoder_type: str) -> None:
    config = settings(activation="jumprelu", skip=encoder_type == "transcoder")
    weights = Weights(architecture_of(encoder_type, config, D_IN, D_IN))
    x = measure_normalisation(rows(D_IN, 0)).apply(rows(D_IN, 0))
    initialise(weights, x, config)
    active = (x @ weights.W_enc_FD.T > weights.threshold_F).float().sum(1).mean()
    assert active == pytest.approx(K, rel=0.3)
    assert torch.equal(weights.b_dec_D, torch.zeros(D_IN))
    if weights.skip is not None:
        assert torch.equal(weights.skip.matrix(), torch.zeros(D_IN, D_IN))
    if encoder_type == "transcoder":
        assert torch.equal(weights.W_dec_FD, torch.zeros(F, D_IN))
        return
    norms = weights.W_dec_FD.norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(F))
    cosines = torch.cosine_similarity(weights.W_enc_FD, weights.W_dec_FD)
    torch.testing.assert_close(cosines, torch.ones(F))
