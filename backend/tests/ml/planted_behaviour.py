"""A model in which one direction does one known thing, and dictionaries that know it.

The token ``CAUSE`` puts a known direction into the residual stream, and the unembedding answers to
it with the token ``EFFECT``: after ``CAUSE`` the model says ``EFFECT``, and otherwise never.
"""

from __future__ import annotations

import torch
from torch import nn

from app.ml.language_models import LoadedModel
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder

LAYER, WIDTH = 2, 128
CAUSE, EFFECT = 700, 900
STRENGTH = 60.0
"""Length of the direction in the residual stream at ``CAUSE``; other states have norms of 25 to 40
and up to 5 along the direction, which the blocks put there."""
NORMED = 10.6
"""What ``STRENGTH`` becomes in the normed state that an MLP reads."""
ANSWER = 3.0
"""Logit of ``EFFECT`` per unit of the direction in the normed state; others reach about 12."""
ACTIVATIONS = ("relu", "topk", "jumprelu", "gated")


def planted_direction() -> torch.Tensor:
    """Return the planted unit direction, float32 (D,)."""
    drawn_D = torch.randn(WIDTH, generator=torch.Generator().manual_seed(11))
    return drawn_D / drawn_D.norm()


def other_direction() -> torch.Tensor:
    """Return a unit direction at right angles to the planted one, float32 (D,)."""
    drawn_D = torch.randn(WIDTH, generator=torch.Generator().manual_seed(12))
    drawn_D -= (drawn_D @ planted_direction()) * planted_direction()
    return drawn_D / drawn_D.norm()


def plant(loaded: LoadedModel) -> LoadedModel:
    """Plant the behaviour in a model's tables; its blocks stay as they are, quantised or not."""
    return _plant(loaded, planted_direction())


def plant_through_mlp(loaded: LoadedModel) -> LoadedModel:
    """Plant it so that block 2's MLP writes the direction where it reads ``other_direction``."""
    read_D = other_direction()
    block = loaded.model.base_model.layers[LAYER]
    row_D = read_D / block.post_attention_layernorm.weight
    block.mlp.gate_proj.weight[0] = row_D
    block.mlp.up_proj.weight[0] = row_D
    block.mlp.down_proj.weight[:, 0] = STRENGTH / NORMED**2 * planted_direction()
    return _plant(loaded, read_D)


def _plant(loaded: LoadedModel, written_D: torch.Tensor) -> LoadedModel:
    model, planted_D = loaded.model, planted_direction()
    embedding = model.get_input_embeddings().weight
    unembedding = nn.Parameter(embedding.detach().clone(), requires_grad=False)
    model.get_output_embeddings().weight = unembedding
    for table in (embedding, unembedding):  # no other token has a part in it
        for direction_D in {id(d): d for d in (planted_D, written_D)}.values():
            table -= torch.outer(table @ direction_D, direction_D)
    embedding[CAUSE] += STRENGTH * written_D
    unembedding[EFFECT] = ANSWER * planted_D / model.base_model.norm.weight
    return loaded


def planted_dictionary(activation: str, *, skip: bool = False) -> SparseAutoencoder:
    """Return a dictionary of eight latents; latent 0 is the planted one, the others are noise."""
    return _dictionary(activation, planted_direction(), planted_direction(), skip=skip)


def planted_transcoder(*, skip: bool = False) -> SparseAutoencoder:
    """Return one that reads what ``plant_through_mlp``'s MLP reads and writes what it writes."""
    written_D = STRENGTH / NORMED * planted_direction()
    return _dictionary("relu", other_direction(), written_D, skip=skip, centres_input=False)


def _dictionary(
    activation: str,
    read_D: torch.Tensor,
    written_D: torch.Tensor,
    *,
    skip: bool,
    centres_input: bool = True,
) -> SparseAutoencoder:
    generator = torch.Generator().manual_seed(5)
    rows_FD = nn.functional.normalize(torch.randn(8, WIDTH, generator=generator), dim=1)
    rows_FD -= torch.outer(rows_FD @ planted_direction(), planted_direction())
    encoder_FD, decoder_FD = rows_FD.clone(), rows_FD.clone()
    encoder_FD[0], decoder_FD[0] = read_D, written_D
    tensors = {
        "W_enc_DF": encoder_FD.T.contiguous(), "W_dec_FD": decoder_FD,
        "b_enc_F": torch.zeros(8), "b_dec_D": torch.zeros(WIDTH),
        "threshold_F": torch.full((8,), 1.0),
        "b_gate_F": torch.full((8,), -1.0), "r_mag_F": torch.zeros(8),
    }  # fmt: skip
    if skip:
        tensors["W_skip_DD"] = 0.01 * torch.randn(WIDTH, WIDTH, generator=generator)
    k = 2 if activation == "topk" else None
    return SparseAutoencoder(tensors, activation, k, centres_input=centres_input)
