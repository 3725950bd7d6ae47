"""What a training or an extraction takes, worked out before it starts; torch-free.

The terms follow what the core allocates; the factors in front of them were fitted on processes that
trained at width 576. D width, F latents, B rows of a step, S positions of a window.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.ml.configs.places import width_of
from app.ml.configs.training import TrainingHyperparameters

FLOAT = 4
INDEX_BYTES = 16
"""Of each stored token: where it comes from."""
# Of a stored number; int8 with its share of a scale.
STORE_BYTES = {"bfloat16": 2, "float16": 2, "float32": 4, "int8": 1 + 2 / 32}
# Weights, gradients and the optimiser's moments; then what one checkpoint holds beside them: the
# folded dictionary, and the optimiser's file in one piece.
OPTIMISER_COPIES = {"adam": 4, "adamw": 4, "sgd": 3}
SAVED_COPIES = 3
# Numbers per row and latent of a step: the product and what chooses among them, or, where any
# latent may be active, also values, masks and gradients.
LATENT_NUMBERS = {"topk": 2.4, "batchtopk": 2.4, "jumprelu": 3.4, "gated": 12.5, "relu": 8.3}
# Numbers per row and dimension of what is read and written: rows as they are gathered, centred,
# scaled, their error and its gradient.
WIDTH_NUMBERS = 9
# Of the sample's numbers; the gathered rows stand beside the copy out of their shard.
SAMPLED_TOKENS, SAMPLE_NUMBERS = 131_072, 2.5
STREAMED_BATCHES, STREAMED_WINDOWS = 50, 1000
HELDOUT_ROWS, HELDOUT_NUMBERS = 8192, 7
EVALUATED_WINDOWS = 4
# Logits of a window in float32 for the clean model, a variant and their log-probabilities.
LOGIT_NUMBERS = 5
BLOCK_NUMBERS = 6
MODEL_LIBRARIES = 110_000_000
"""Code and tables that are loaded with the first language model."""


@dataclass(frozen=True)
class ModelShape:
    """``memory_bytes`` as it is loaded; the rest from its card."""

    n_layers: int
    d_model: int
    d_mlp: int
    vocab_size: int
    memory_bytes: int
    d_z: int | None = None

    def width(self, hook_type: str) -> int:
        """Return the width of a place."""
        return width_of({"d_model": self.d_model, "d_z": self.d_z}, hook_type)


@dataclass(frozen=True)
class Need:
    """A part of what is needed.

    ``reclaimable``: pages of files, which the system drops first; ``on_host``: in memory also
    where the work is done on a GPU.
    """

    name: str
    size_bytes: int
    reclaimable: bool = False
    on_host: bool = False


def dictionary_bytes(
    config: TrainingHyperparameters, encoder_type: str, d_in: int, d_out: int
) -> int:
    """Encoder, decoder, biases and thresholds, the linear path where there is one."""
    latents = config.latents(d_in)
    numbers = (d_in + d_out) * latents + 3 * latents + d_out
    rank = config.resolved_skip_rank(encoder_type, d_in)
    return FLOAT * (numbers + (rank * (d_in + d_out) if rank else 0))


def training_needs(
    config: TrainingHyperparameters, encoder_type: str, d_in: int, d_out: int
) -> list[Need]:
    """Memory while steps are taken and checkpoints written, without the process itself."""
    dictionary = dictionary_bytes(config, encoder_type, d_in, d_out)
    latents, rows = config.latents(d_in), -(-config.batch_size // config.gradient_accumulation)
    product = LATENT_NUMBERS[config.activation] * rows * latents
    width = WIDTH_NUMBERS * config.batch_size * (d_in + d_out) / 2
    step = FLOAT * (product + width)
    saving = SAVED_COPIES * dictionary + FLOAT * HELDOUT_NUMBERS * HELDOUT_ROWS * d_out
    copies = OPTIMISER_COPIES[config.optimizer] + (config.gradient_accumulation > 1)
    return [
        Need("weights, gradients and optimiser", copies * dictionary),
        Need("a step's batch, or a checkpoint's making", int(max(step, saving))),
    ]


def statistics_needs(n_tokens: int, width: int) -> list[Need]:
    """Memory while mean and scale are measured on a sample, before the first step.

    ``width`` is here and below the sum of the widths of all places.
    """
    numbers = min(n_tokens, SAMPLED_TOKENS) * width
    return [Need("a sample for mean and scale", int(SAMPLE_NUMBERS * FLOAT * numbers))]


def stream_needs(model: ModelShape, batch: int, window: int, width: int, dtype: str) -> list[Need]:
    """Memory on top of a training's that reads the model: its weights, and two blocks of rows."""
    rows = 2 * max(STREAMED_BATCHES * batch, STREAMED_WINDOWS * window)
    return [
        Need("the language model", model.memory_bytes),
        Need("libraries for it", MODEL_LIBRARIES, on_host=True),
        Need("blocks of streamed tokens", int(rows * width * STORE_BYTES[dtype])),
    ]


def evaluation_needs(model: ModelShape, window: int, dictionary: int) -> list[Need]:
    """Memory while the model reads held-out text with the dictionary in it."""
    logits = LOGIT_NUMBERS * EVALUATED_WINDOWS * window * model.vocab_size
    return [
        Need("the language model", model.memory_bytes),
        Need("libraries for it", MODEL_LIBRARIES, on_host=True),
        Need("the dictionary", dictionary),
        Need("logits", FLOAT * logits),
    ]


def extraction_needs(model: ModelShape, batch: int, window: int, width: int) -> list[Need]:
    """Memory while the model reads windows, without the process itself."""
    positions = batch * window
    blocks = BLOCK_NUMBERS * (model.d_model + model.d_mlp)
    return [
        Need("the language model", model.memory_bytes),
        Need("libraries for it", MODEL_LIBRARIES, on_host=True),
        Need("a batch in the model", FLOAT * positions * blocks),
        Need("captured activations", 2 * FLOAT * positions * width),
    ]


def store_bytes(n_tokens: int, width: int, dtype: str) -> int:
    """Disk that an extraction fills."""
    return int(n_tokens * (width * STORE_BYTES[dtype] + INDEX_BYTES))


def checkpoint_bytes(
    config: TrainingHyperparameters, encoder_type: str, d_in: int, d_out: int
) -> int:
    """Disk of one checkpoint: folded weights, raw weights, the optimiser's moments."""
    copies = OPTIMISER_COPIES[config.optimizer]  # the gradients' place is that of the folded ones
    return copies * dictionary_bytes(config, encoder_type, d_in, d_out)


def training_flop(config: TrainingHyperparameters, d_in: int, d_out: int) -> int:
    """Products per token: encoder and decoder, multiplied and added."""
    return 2 * (d_in + d_out) * config.latents(d_in)


def measuring_flop(model: ModelShape) -> int:
    """Products per held-out token: as it is and three times replaced, which share what they can."""
    logits = 2 * model.d_model * model.vocab_size
    return 2 * (reading_flop(model, model.n_layers - 1) + logits)


def reading_flop(model: ModelShape, last_layer: int) -> int:
    """Products per token of the blocks up to a layer; attention over a short window left out."""
    block = 4 * model.d_model**2 + 3 * model.d_model * model.d_mlp
    return 2 * block * (last_layer + 1)
