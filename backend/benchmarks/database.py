"""Features in PostgreSQL, loaded and read: ``python -m benchmarks.database``."""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from app.core.enums import (
    ActivationStatus,
    DatasetSource,
    DatasetStatus,
    EncoderType,
    ModelStatus,
    TrainingStatus,
)
from app.db.models import Activation, Dataset, LanguageModel, Training
from app.db.repositories import features, trainings
from app.db.session import session_scope
from app.ml.configs import TrainingHyperparameters
from benchmarks.servers import fresh_servers

ROUNDS = 20
WORDS = ("the", "cat", "sat", "while", "rain", "fell", "over", "every", "quiet", "street")


def make_training() -> UUID:
    """A completed training with what it needs to exist."""
    with session_scope() as session:
        model = LanguageModel(name="bench", status=ModelStatus.READY)
        dataset = Dataset(name="bench", source=DatasetSource.LOCAL, status=DatasetStatus.READY)
        session.add_all([model, dataset])
        session.flush()
        store = Activation(
            model_id=model.id,
            dataset_id=dataset.id,
            layers=[0],
            hook_types=["residual"],
            config={},
            status=ActivationStatus.READY,
        )
        session.add(store)
        session.flush()
        training = Training(
            name="bench",
            model_id=model.id,
            dataset_id=dataset.id,
            activation_id=store.id,
            layer=0,
            hook_type="residual",
            encoder_type=EncoderType.SPARSE,
            hyperparameters=TrainingHyperparameters().to_dict(),
            status=TrainingStatus.COMPLETED,
            total_steps=1000,
        )
        session.add(training)
        session.flush()
        return training.id


def feature_rows(count: int) -> Iterator[dict[str, Any]]:
    for index in range(count):
        yield {
            "neuron_index": index,
            "layer": 0,
            "activation_frequency": random.random() / 50,
            "max_activation": 10 * random.random(),
            "mean_activation": random.random(),
            "n_fires": 100,
            "metadata": {"label": f"{random.choice(WORDS)} {index}"},
        }


def example_rows(feature_ids: list[int], each: int, length: int) -> Iterator[dict[str, Any]]:
    for feature_id in feature_ids:
        for rank in range(each):
            tokens = random.choices(WORDS, k=length)
            yield {
                "feature_id": feature_id,
                "rank": rank,
                "split": "train",
                "document": rank,
                "position": length // 2,
                "sample_text": " ".join(tokens),
                "token_ids": list(range(length)),
                "tokens": tokens,
                "activations": [0.0] * length,
                "max_activation": 10.0 - rank / 10,
            }


def milliseconds(call: Callable[[], object]) -> tuple[float, float]:
    """Median and slowest of ``ROUNDS`` calls, after one to warm up."""
    call()
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken), max(taken)


def load(training_id: UUID, n_features: int, each: int) -> list[int]:
    start = time.perf_counter()
    with session_scope() as session:
        ids = list(features.put_features(session, training_id, feature_rows(n_features)).values())
        count = features.put_examples(session, example_rows(ids, each, length=32))
    rate = count / (time.perf_counter() - start)
    print(f"{'load features and examples by COPY':<44}{rate:>12,.0f} examples/s")
    return ids


def load_metrics(training_id: UUID, steps: int) -> None:
    rows = [
        {"training_id": training_id, "step": step, "loss": 1 / (step + 1), "sparsity": 32.0}
        for step in range(steps)
    ]
    start = time.perf_counter()
    with session_scope() as session:
        trainings.add_metrics(session, rows)
    print(f"{'write metric points':<44}{steps / (time.perf_counter() - start):>12,.0f} points/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, default=4096)
    parser.add_argument("--examples", type=int, default=20, help="of each feature")
    options = parser.parse_args()
    random.seed(0)
    with fresh_servers():
        training_id = make_training()
        print(f"\nPostgreSQL: {options.features} features with {options.examples} examples each")
        ids = load(training_id, options.features, options.examples)
        load_metrics(training_id, 1000)
        with session_scope() as session:
            queries: dict[str, Callable[[], object]] = {
                "page of 50 features, by frequency": lambda: (
                    features.list_page(session, training_id=training_id).items
                ),
                "page of 50 features, text search": lambda: (
                    features.list_page(
                        session, training_id=training_id, search="quiet street"
                    ).items
                ),
                "examples of one feature": lambda: features.list_examples(
                    session, ids[len(ids) // 2], options.examples
                ),
            }
            print(f"{'query':<44}{'median':>12}{'slowest':>12}")
            for name, query in queries.items():
                median, slowest = milliseconds(query)
                print(f"{name:<44}{median:>9.1f} ms{slowest:>9.1f} ms")


if __name__ == "__main__":
    main()
