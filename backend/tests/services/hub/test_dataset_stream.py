import io
import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from app.core.errors import AppError, ValidationFailed
from app.services.corpora.errors import DatasetFormatInvalid
from app.services.hub.dataset_stream import HubDataset
from app.services.hub.errors import HubUnreachable, RepoNotFound
from tests.fixtures.hub import Hub


def open_dataset(tmp_path: Path, repo_id: str, **options: Any) -> HubDataset:
    defaults: dict[str, Any] = {"config": None, "split": None, "text_column": None, "token": None}
    return HubDataset(repo_id, **(defaults | options), cache=tmp_path)


def stories(count: int) -> bytes:
    buffer = io.BytesIO()
    table = pyarrow.table({"text": [f"story {n}" for n in range(count)]})
    pyarrow.parquet.write_table(table, buffer)
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def _tales(hub: Hub) -> None:
    files = {
        "README.md": b"# Tales",
        "data/train-00000-of-00001.parquet": stories(5),
        "data/validation-00000-of-00001.parquet": stories(2),
    }
    hub.add("datasets", "org/tales", files)


def test_the_training_split_is_taken_by_default(tmp_path: Path) -> None:
    corpus = open_dataset(tmp_path, "org/tales")
    assert corpus.split == "train"
    assert [d.text for d in corpus.documents()] == [f"story {n}" for n in range(5)]
    assert corpus.progress().done == 5


def test_a_named_split(tmp_path: Path) -> None:
    corpus = open_dataset(tmp_path, "org/tales", split="validation")
    assert len(list(corpus.documents())) == 2


def test_json_lines_with_another_column(hub: Hub, tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({"content": f"line {n}", "n": n}) for n in range(3))
    hub.add("datasets", "org/lines", {"train.jsonl": lines.encode()})
    corpus = open_dataset(tmp_path, "org/lines")
    assert [d.text for d in corpus.documents()] == ["line 0", "line 1", "line 2"]


def test_a_private_dataset_needs_its_token(hub: Hub, tmp_path: Path) -> None:
    hub.add("datasets", "org/private", {"train.jsonl": b'{"text": "x"}'}, token="s3cret")
    with pytest.raises(RepoNotFound, match="or it is private"):
        open_dataset(tmp_path, "org/private")
    corpus = open_dataset(tmp_path, "org/private", token="s3cret")
    assert [d.text for d in corpus.documents()] == ["x"]


@pytest.mark.fault(22)
@pytest.mark.parametrize(
    ("repo", "options", "error", "sentence"),
    [
        ("org/missing", {}, RepoNotFound, "no dataset org/missing on the hub"),
        ("org/tales", {"split": "test"}, ValidationFailed, "It has: train, validation"),
        ("org/tales", {"config": "german"}, ValidationFailed, "cannot be opened"),
    ],
)
def test_refusals_say_what_to_do(
    tmp_path: Path, repo: str, options: dict[str, str], error: type[AppError], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        open_dataset(tmp_path, repo, **options)


def test_an_unknown_column_is_told_when_reading(tmp_path: Path) -> None:
    corpus = open_dataset(tmp_path, "org/tales", text_column="body")
    with pytest.raises(DatasetFormatInvalid, match="Its columns are: text"):
        list(corpus.documents())


@pytest.mark.fault(22)
def test_a_broken_hub(hub: Hub, tmp_path: Path) -> None:
    hub.failing = True
    with pytest.raises(HubUnreachable):
        open_dataset(tmp_path, "org/tales")
