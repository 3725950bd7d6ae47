"""Training straight from the model: the same tokens, well mixed, exact when resumed."""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from app.ml.activation_extraction import ActivationStore, TokenStore
from app.ml.configs import ConfigInvalid, TrainingHyperparameters
from app.ml.errors import CheckpointMismatch, Stopped
from app.ml.files import read_json
from app.ml.language_models import LoadedModel
from app.ml.records import StepMetrics, TrainingOutcome
from app.ml.sae_training import ModelStream, train
from app.ml.sae_training.sources import source_of
from app.ml.sae_training.streaming import StreamedBatches
from tests.ml.conftest import ignore, never
from tests.ml.test_proofs import same_share

BLOCK = 60
"""Windows of 63 tokens: a block holds 7.4 batches of 512, so batches span blocks."""


@pytest.fixture
def stream(glass: LoadedModel, tokens: TokenStore) -> ModelStream:
    return ModelStream(glass, tokens, windows_per_pass=20, block_windows=BLOCK)


def settings(**values: Any) -> TrainingHyperparameters:
    return TrainingHyperparameters.from_dict(
        {"d_sae": 64, "k": 4, "batch_size": 512, "training_steps": 20, "log_every": 5,
         "checkpoint_every": 10, "precision": "float32", "source": "stream", **values}
    )  # fmt: skip


def run(
    store: ActivationStore, stream: ModelStream | None, path: Path, **values: Any
) -> tuple[TrainingOutcome, list[StepMetrics]]:
    points: list[StepMetrics] = []
    options = {"should_stop": lambda: None, "resume_from": None, **values}
    encoder_type = options.pop("encoder_type", "sparse")
    outcome = train(
        store, 2, "residual", encoder_type, options.pop("config", settings()), path,
        report=points.append, on_checkpoint=ignore, stream=stream, **options,
    )  # fmt: skip
    return outcome, points


def test_an_epoch_holds_the_rows_that_a_store_would_hold(
    store: ActivationStore, stream: ModelStream
) -> None:
    n, rows = store.n_train_rows, store.rows(2, "residual").slice(0, store.n_train_rows)
    whole = replace(stream, block_windows=stream.tokens.n_train_windows)
    source = source_of(store, 2, "residual", "sparse", whole)
    batches = source.batches(n, 0, never)
    first, second = batches.batch(0)[0], batches.batch(1)[0]
    assert batches.block_rows == [n, n]
    for epoch in (first, second):
        assert torch.allclose(epoch.double().mean(0), rows.double().mean(0), atol=1e-5)
        assert torch.allclose(epoch.double().pow(3).mean(0), rows.double().pow(3).mean(0), 1e-4)
    assert not torch.equal(first, second)


def test_blocks_follow_one_another_without_loss(
    store: ActivationStore, stream: ModelStream
) -> None:
    whole = source_of(store, 2, "residual", "sparse", stream).batches(512, 0, never)
    small = source_of(store, 2, "residual", "sparse", stream).batches(128, 0, never)
    for step in range(9):
        parts = [small.batch(4 * step + i)[0] for i in range(4)]
        assert torch.equal(torch.cat(parts), whole.batch(step)[0])
    n = stream.tokens.n_train_windows
    assert isinstance(whole, StreamedBatches)
    chain = np.concatenate([whole.windows_of(b) for b in range(-(-2 * n // BLOCK))])[: 2 * n]
    assert sorted(chain[:n]) == sorted(chain[n:]) == list(range(n))


def test_resumed_equals_straight_to_the_bit(
    tmp_path: Path, store: ActivationStore, stream: ModelStream
) -> None:
    straight, points = run(store, stream, tmp_path / "a")
    half = tmp_path / "a" / "step_10"
    resumed, again = run(store, stream, tmp_path / "b", resume_from=half)
    for name in ("sae", "state", "optimizer"):
        left, right = (
            load_file(o.checkpoint.path / f"{name}.safetensors") for o in (straight, resumed)
        )
        assert all(torch.equal(left[key], right[key]) for key in left), name
    assert [m.loss for m in points if m.step > 10] == [m.loss for m in again]
    assert straight.checkpoint.quality == resumed.checkpoint.quality
    remembered = read_json(half / "metadata.json")["block_rows"]
    assert sum(remembered) >= 10 * 512


def test_a_stop_while_the_model_reads_keeps_what_was_learned(
    tmp_path: Path, store: ActivationStore, stream: ModelStream
) -> None:
    straight, _ = run(store, stream, tmp_path / "a", config=settings(log_every=1))
    asked = itertools.count(1)
    stopped, _ = run(
        store, stream, tmp_path / "b", config=settings(log_every=1),
        should_stop=lambda: "pause" if next(asked) > 12 else None,
    )  # fmt: skip
    assert stopped.status == "stopped"
    assert 0 < stopped.step < 10
    resumed, _ = run(
        store, stream, tmp_path / "b", config=settings(log_every=1),
        resume_from=stopped.checkpoint.path,
    )  # fmt: skip
    left, right = (load_file(o.checkpoint.path / "sae.safetensors") for o in (straight, resumed))
    assert all(torch.equal(left[key], right[key]) for key in left)


def test_a_stop_before_the_first_step_leaves_nothing(
    tmp_path: Path, store: ActivationStore, stream: ModelStream
) -> None:
    with pytest.raises(Stopped):
        run(store, stream, tmp_path / "a", should_stop=lambda: "cancel")
    assert list((tmp_path / "a").iterdir()) == []


def test_another_text_cannot_continue(
    tmp_path: Path, store: ActivationStore, stream: ModelStream
) -> None:
    run(store, stream, tmp_path / "a", config=settings(training_steps=10))
    half = tmp_path / "a" / "step_10"
    batches = source_of(store, 2, "residual", "sparse", stream).batches(512, 0, never)
    batches.block_rows[:] = [rows + 1 for rows in read_json(half / "metadata.json")["block_rows"]]
    with pytest.raises(CheckpointMismatch, match=r"Block 1 .* changed since the checkpoint"):
        batches.batch(10)


def test_a_stream_needs_a_model(tmp_path: Path, store: ActivationStore) -> None:
    with pytest.raises(ConfigInvalid, match="source"):
        run(store, None, tmp_path)


@dataclass
class DocumentReader:
    """Stands for model and text: each token's activation is the number of its document."""

    n_windows: int
    document_windows: int
    content_length: int = 63
    points: tuple[str, ...] = ("place",)

    @property
    def tokens(self) -> SimpleNamespace:
        return SimpleNamespace(n_train_windows=self.n_windows, content_length=self.content_length)

    def read(self, windows: np.ndarray) -> SimpleNamespace:
        numbers = np.repeat(windows // self.document_windows, self.content_length)
        rows = torch.from_numpy(numbers).float().unsqueeze(1)
        return SimpleNamespace(rows=lambda _: rows)


def test_few_tokens_of_a_batch_share_a_document(stream: ModelStream) -> None:
    """Long documents, of 10 windows each; the share of pairs within a batch."""
    reader: Any = DocumentReader(n_windows=20_000, document_windows=10)
    usual = replace(stream, block_windows=None)
    nothing: Any = None
    batches = StreamedBatches(reader, nothing, 1024, 0, usual, "float32", never)
    assert batches.block_windows == 1000
    shares = [same_share(batches.batch(step)[0][:, 0].numpy()) for step in range(0, 120, 10)]
    assert max(shares) < 0.01
    assert np.mean(shares) < 0.002
