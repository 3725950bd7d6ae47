"""From documents to windows: nothing lost, nothing mixed, nothing padded."""

from pathlib import Path

import numpy as np
import pytest

from app.ml.activation_extraction import TokenStore, preview_tokens, tokenize_documents
from app.ml.activation_extraction.encoding import (
    PIECE_CHARACTERS,
    is_heldout,
    length_histogram,
    split_text,
)
from app.ml.configs import TokenizationConfig
from app.ml.errors import CorpusEmpty, ModelFormatError, Stopped, StoreInvalid
from app.ml.files import read_json, write_json
from app.ml.language_models import LoadedModel
from app.ml.records import Progress
from tests.ml.conftest import GLASS, ignore, never

TEXTS = ["Alice ran.", "", "  \n", "The Queen said nothing at all.", "Off with <eos> his head!"]


def tokenize(path: Path, texts: list[str], **settings: object) -> TokenStore:
    config = TokenizationConfig.from_dict({"max_length": 8, "heldout_percent": 0, **settings})
    tokenize_documents(iter(texts), GLASS, path / "store", config, ignore, never)
    return TokenStore.open(path / "store")


def test_documents_follow_each_other_with_separators(tmp_path: Path, glass: LoadedModel) -> None:
    store = tokenize(tmp_path, TEXTS)
    encode = glass.tokenizer
    expected = [*encode(TEXTS[0]).input_ids, 3, *encode(TEXTS[3]).input_ids, 3]
    assert store.tokens[: len(expected)].tolist() == expected
    assert store.doc_numbers.tolist() == [0, 3, 4]
    assert store.metadata["n_skipped_documents"] == 2
    assert store.tokens.dtype == np.int32


def test_text_that_spells_a_special_token_stays_text(tmp_path: Path, glass: LoadedModel) -> None:
    store = tokenize(tmp_path, TEXTS[4:])
    assert store.tokens.tolist().count(3) == 1  # the separator alone
    assert "<" in glass.tokenizer.decode(store.tokens[:-1])


def test_windows_start_with_the_start_token_and_never_mix_the_splits(tokens: TokenStore) -> None:
    assert tokens.start_id == 3
    assert tokens.content_length == 63
    every = np.arange(tokens.n_windows)
    windows = tokens.read_windows(every)
    assert windows.shape == (tokens.n_windows, 64)
    assert (windows[:, 0] == 3).all()
    n = tokens.n_train_windows
    train = windows[:n, 1:].ravel()
    assert train.tolist() == tokens.tokens[: n * 63].tolist()
    starts = tokens.window_starts(every)
    assert starts[n] == tokens.n_train_tokens
    documents = tokens.documents_at(starts)
    assert {tokens.split_of_document(int(d)) for d in documents[:n]} == {"train"}
    assert {tokens.split_of_document(int(d)) for d in documents[n:]} == {"heldout"}


def test_without_separator_and_start_token(tmp_path: Path) -> None:
    store = tokenize(tmp_path, TEXTS, separator="none", start_token="none")
    assert 3 not in store.tokens
    assert store.content_length == 8
    assert store.read_windows(np.array([0])).tolist() == [store.tokens[:8].tolist()]


def test_the_split_depends_on_the_text_alone(documents: list[str]) -> None:
    one = [is_heldout(text, 20) for text in documents]
    assert one == [is_heldout(text, 20) for text in documents]
    assert 0 < sum(one) < len(one)
    assert not any(is_heldout(text, 0) for text in documents)
    shares = sum(is_heldout(f"text {i}", 20) for i in range(5000)) / 5000
    assert shares == pytest.approx(0.2, abs=0.02)


def test_limits(tmp_path: Path, documents: list[str]) -> None:
    assert tokenize(tmp_path / "d", documents, max_documents=2).metadata["n_documents"] == 2
    store = tokenize(tmp_path / "t", documents, max_tokens=1000)
    assert store.n_tokens >= 1000
    assert store.doc_offsets[-2] < 1000  # the last document is the one that filled it


def test_long_texts_are_cut_before_white_space() -> None:
    text = "word " * (PIECE_CHARACTERS // 2)
    pieces = list(split_text(text))
    assert "".join(pieces) == text
    assert len(pieces) == 3
    assert all(piece.startswith(" ") for piece in pieces[1:])
    assert list(split_text("x" * (PIECE_CHARACTERS + 1))) == ["x" * PIECE_CHARACTERS, "x"]


def test_a_stopped_call_leaves_nothing_and_can_be_repeated(
    tmp_path: Path, documents: list[str]
) -> None:
    config = TokenizationConfig()
    with pytest.raises(Stopped):
        tokenize_documents(documents, GLASS, tmp_path / "store", config, ignore, lambda: True)
    assert list(tmp_path.iterdir()) == []
    seen: list[Progress] = []
    summary = tokenize_documents(
        documents, GLASS, tmp_path / "store", config, seen.append, never, total_documents=99
    )
    assert summary.n_tokens == TokenStore.open(tmp_path / "store").n_tokens
    assert seen[-1].unit == "documents"


def test_summary_counts(tokens: TokenStore) -> None:
    figures = tokens.metadata
    assert figures["n_tokens"] == figures["n_train_tokens"] + figures["n_heldout_tokens"]
    assert figures["n_tokens"] == len(tokens.tokens)
    assert figures["vocabulary_used"] == len(np.unique(tokens.tokens))
    assert sum(entry["count"] for entry in figures["lengths"]) == figures["n_documents"]


def test_lengths_fall_into_the_right_buckets() -> None:
    counts = [entry["count"] for entry in length_histogram(np.array([1, 100, 101, 1000, 1001]))]
    assert counts == [2, 1, 0, 0, 0, 1, 1]


def test_unusable_input(tmp_path: Path) -> None:
    with pytest.raises(CorpusEmpty, match="no text"):
        tokenize(tmp_path, ["", " \n"])
    with pytest.raises(ModelFormatError, match="does not exist"):
        preview_tokens("a", tmp_path / "nowhere")
    with pytest.raises(StoreInvalid, match="no finished"):
        TokenStore.open(tmp_path / "nowhere")


def test_damaged_stores_are_noticed(tmp_path: Path) -> None:
    store = tokenize(tmp_path, TEXTS)
    path = store.path / "tokens.npy"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(StoreInvalid, match="truncated"):
        TokenStore.open(store.path)
    metadata = read_json(store.path / "metadata.json")
    write_json(store.path / "metadata.json", {**metadata, "format": "other"})
    with pytest.raises(StoreInvalid, match="not a token store"):
        TokenStore.open(store.path)


def test_preview_shows_text_piece_by_piece() -> None:
    pieces = preview_tokens("Alice ran.", GLASS)
    assert "".join(piece["text"] for piece in pieces) == "Alice ran."
    assert preview_tokens("", GLASS) == []
