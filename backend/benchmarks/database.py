"""Features in PostgreSQL, loaded and read: ``python -m benchmarks.database``."""

from __future__ import annotations

import argparse
import random
import statistics
import threading
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
from app.db.packed import pack
from app.db.repositories import feature_loading, trainings
from app.db.repositories.base import allow_long_statements
from app.db.repositories.context_rows import ContextRow
from app.db.repositories.feature_pages import FeatureFilter
from app.db.repositories.word_rows import WordRow
from app.db.session import session_scope
from app.ml.configs import TrainingHyperparameters
from app.schemas.common import Meta
from app.services import deletion, feature_relations, feature_service
from benchmarks.servers import fresh_servers

ROUNDS = 40
WORDS = ("the", "cat", "sat", "while", "rain", "fell", "over", "every", "quiet", "street")


def make_training() -> UUID:
    """A completed training with what it needs to exist."""
    with session_scope() as session:
        model = LanguageModel(name="bench", status=ModelStatus.READY, metadata_={"d_model": 768})
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
            "label": f'token " {random.choice(WORDS)}{index}"',
            "top_token": random.choice(WORDS),
            "token_rule": random.random() if index % 2 else None,
            "metadata": {"n_tokens": 1_000_000, "checkpoint_step": 1, "details": [0.5] * 300},
        }


def context_rows(feature_ids: list[int], each: int, length: int) -> Iterator[ContextRow]:
    """Rows over a thousand texts, so that making them is not what is measured."""
    texts = [random.choices(WORDS, k=length) for _ in range(1000)]
    shown = ["".join(tokens) for tokens in texts]
    lengths = [pack("H", [len(token) for token in tokens]) for tokens in texts]
    ids, activations = pack("i", range(length)), pack("f", [0.5] * length)
    for feature_id in feature_ids:
        for rank in range(each):
            text = (feature_id * 7 + rank) % len(texts)
            yield ContextRow(
                feature_id, rank, rank, length // 2, 10.0 - rank / 10, "top", "train",
                shown[text], ids, lengths[text], activations, None, None, rank, rank,
            )  # fmt: skip


def milliseconds(call: Callable[[], object]) -> tuple[float, float]:
    """Median and 95th percentile of ``ROUNDS`` calls, after one to warm up."""
    call()
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def word_rows(feature_ids: list[int]) -> Iterator[WordRow]:
    for feature_id in feature_ids:
        for kind in ("fires_on", "promotes"):
            for rank in range(10):
                word = f"{random.choice(WORDS)}{random.randrange(5000)}"
                yield WordRow(feature_id, kind, rank, word, 1 / (rank + 1))


def load(training_id: UUID, n_features: int, each: int) -> list[int]:
    start = time.perf_counter()
    with session_scope() as session:
        rows = feature_rows(n_features)
        ids = list(feature_loading.put_features(session, training_id, rows).values())
        feature_loading.put_words(session, training_id, word_rows(ids))
    print(f"{'load features and their tokens':<44}{time.perf_counter() - start:>12.1f} s")
    start = time.perf_counter()
    with session_scope() as session:
        allow_long_statements(session)
        count = feature_loading.put_examples(session, context_rows(ids, each, length=25))
    rate = count / (time.perf_counter() - start)
    print(f"{'load contexts by COPY':<44}{rate:>12,.0f} rows/s")
    with session_scope() as session:
        feature_loading.analyze(session)
    return ids


def table(training_id: UUID, **options: Any) -> Callable[[], object]:
    """The list as the API reads it: the page's rows with their strongest contexts and reasons."""
    wanted = FeatureFilter(training_id=training_id, **options.pop("wanted", {}))

    def read() -> object:
        with session_scope() as session:
            return feature_service.list_features(
                session, wanted, Meta.now("bench"), page=1, limit=50, cursor=None,
                **{"sort_by": "activation_frequency", "order": "desc"} | options,
            )  # fmt: skip

    return read


def detail(feature_id: int) -> Callable[[], object]:
    def read() -> object:
        with session_scope() as session:
            feature_service.read_feature(session, feature_id)
            return feature_relations.list_examples(session, feature_id, 20, "top")

    return read


def queries(training_id: UUID, ids: list[int]) -> dict[str, Callable[[], object]]:
    name = ids[len(ids) // 2]
    return {
        "list by frequency": table(training_id),
        "sort by maximum, rising": table(training_id, sort_by="max_activation", order="asc"),
        "sort by a score that half of them have": table(training_id, sort_by="token_rule"),
        "sort by name": table(training_id, sort_by="name", order="asc"),
        "filter by two ranges": table(
            training_id,
            wanted={"ranges": {"max_activation": (5.0, 6.0), "token_rule": (0.9, None)}},
        ),
        "search a rare word": table(training_id, wanted={"search": "rain4242"}),
        "search a word in a tenth of the labels": table(training_id, wanted={"search": "street"}),
        "one feature with 20 contexts": detail(name),
    }


def print_times(heading: str, calls: dict[str, Callable[[], object]]) -> None:
    print(f"{heading:<44}{'median':>12}{'p95':>12}")
    for name, call in calls.items():
        median, p95 = milliseconds(call)
        print(f"{name:<44}{median:>9.1f} ms{p95:>9.1f} ms")


def read_while_deleting(training_id: UUID, other_id: UUID, ids: list[int]) -> None:
    """Times of the other training's page while a whole training is deleted."""

    def delete() -> None:
        with session_scope() as session:
            deletion.delete_training_row(session, training_id)

    thread = threading.Thread(target=delete)
    start = time.perf_counter()
    thread.start()
    print_times(
        "while another training is deleted", {"list": table(other_id), "detail": detail(ids[0])}
    )
    thread.join()
    print(f"{'deleting took':<44}{time.perf_counter() - start:>12.1f} s")


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
    parser.add_argument("--features", type=int, default=16_384)
    parser.add_argument("--examples", type=int, default=20, help="of each feature")
    options = parser.parse_args()
    random.seed(0)
    with fresh_servers():
        training_id, other_id = make_training(), make_training()
        print(f"\nPostgreSQL: {options.features:,} features with {options.examples} contexts each")
        ids = load(training_id, options.features, options.examples)
        load_metrics(training_id, 1000)
        print_times("query", queries(training_id, ids))
        other_ids = load(other_id, 512, 5)
        read_while_deleting(training_id, other_id, other_ids)


if __name__ == "__main__":
    main()
