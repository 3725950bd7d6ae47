"""Which dictionary is trained: the shapes and the parts that follow from type and activation."""

from __future__ import annotations

from dataclasses import dataclass

from app.ml.configs import ConfigInvalid, TrainingHyperparameters, encoder_type_problems


@dataclass(frozen=True)
class Architecture:
    """What a set of weights consists of.

    ``skip_rank`` is the rank of the linear path past the latents, None without one.
    """

    encoder_type: str
    activation: str
    d_in: int
    d_out: int
    d_sae: int
    skip_rank: int | None = None

    @property
    def centres_input(self) -> bool:
        """Whether the decoder's bias is subtracted from what is read."""
        return self.encoder_type == "sparse"

    @property
    def has_unit_decoder(self) -> bool:
        """Whether decoder rows are held at norm 1; a transcoder's start at 0 and grow."""
        return self.encoder_type != "transcoder"


def architecture_of(
    encoder_type: str, hyperparameters: TrainingHyperparameters, d_in: int, d_out: int
) -> Architecture:
    """Return the architecture for activations of these widths.

    Raises:
        ConfigInvalid: no such encoder type, or its settings do not fit the width.
    """
    problems = encoder_type_problems(encoder_type)
    problems += hyperparameters.width_problems(d_in, encoder_type)
    if problems:
        raise ConfigInvalid(problems)
    rank = hyperparameters.resolved_skip_rank(encoder_type, d_in)
    return Architecture(
        encoder_type,
        hyperparameters.activation,
        d_in,
        d_out,
        hyperparameters.latents(d_in),
        None if rank is None else min(rank, d_in, d_out),
    )
