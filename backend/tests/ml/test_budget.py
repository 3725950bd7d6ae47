"""The terms of the estimates, worked by hand."""

from app.ml.configs import TrainingHyperparameters
from app.ml.configs.budget import (
    MODEL_LIBRARIES,
    ModelShape,
    checkpoint_bytes,
    dictionary_bytes,
    extraction_needs,
    reading_flop,
    store_bytes,
    training_flop,
    training_needs,
)

SMALL = ModelShape(n_layers=4, d_model=10, d_mlp=30, vocab_size=100, memory_bytes=5_000)


def settings(**values: object) -> TrainingHyperparameters:
    return TrainingHyperparameters.from_dict({"d_sae": 100, "k": 4, **values})


def total(config: TrainingHyperparameters) -> int:
    return sum(need.size_bytes for need in training_needs(config, "sparse", 10, 10))


def test_a_dictionary_is_its_matrices_its_biases_and_its_path() -> None:
    assert dictionary_bytes(settings(), "sparse", 10, 10) == 4 * (2000 + 300 + 10)
    assert dictionary_bytes(settings(), "skip", 10, 10) == 4 * (2000 + 300 + 10 + 20)
    skip = settings(skip=True)
    assert dictionary_bytes(skip, "transcoder", 10, 10) == 4 * (2000 + 300 + 10 + 10 * 20)
    assert checkpoint_bytes(settings(), "sparse", 10, 10) == 4 * 4 * 2310


def test_parts_of_a_batch_need_less_and_dense_activations_more() -> None:
    whole = total(settings(batch_size=65_536))
    assert total(settings(batch_size=65_536, gradient_accumulation=64)) < whole
    assert total(settings(batch_size=65_536, activation="relu", k=None)) > whole
    assert total(settings(optimizer="sgd")) == total(settings()) - 4 * 2310


def test_reading_and_storing() -> None:
    assert reading_flop(SMALL, 1) == 2 * 2 * (4 * 100 + 3 * 300)
    assert training_flop(settings(), 10, 10) == 2 * 20 * 100
    assert store_bytes(1000, 20, "bfloat16") == 1000 * (10 * 2 * 2 + 16)
    model, libraries, batch, captured = extraction_needs(SMALL, 2, 8, 30)
    assert (model.size_bytes, libraries.size_bytes) == (5_000, MODEL_LIBRARIES)
    assert batch.size_bytes == 4 * 16 * 6 * 40
    assert captured.size_bytes == 2 * 4 * 16 * 10 * 3
