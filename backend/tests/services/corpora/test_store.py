from collections.abc import Iterator
from pathlib import Path

import pytest

from app.services.corpora.document import Document, Progress
from app.services.corpora.errors import DatasetEmpty
from app.services.corpora.store import CorpusReader, write_corpus


class Listed:
    """A corpus of given documents."""

    def __init__(self, *documents: Document) -> None:
        self._documents = documents

    def documents(self) -> Iterator[Document]:
        yield from self._documents

    def progress(self) -> Progress:
        return Progress(0, 0, "documents")


def test_documents_come_back_in_any_order(tmp_path: Path) -> None:
    documents = [Document(f"text {n} ☃\nline", f"title {n}") for n in range(20)]
    write_corpus(Listed(*documents), tmp_path / "raw")
    reader = CorpusReader(tmp_path / "raw")
    assert len(reader) == 20
    assert reader.read([7, 0, 19]) == [documents[7], documents[0], documents[19]]
    assert list(reader.texts()) == [document.text for document in documents]


def test_empty_documents_nul_and_lone_surrogates_are_cleaned(tmp_path: Path) -> None:
    corpus = Listed(Document("  \n"), Document("a\0b\r\nc"), Document("x\ud800y"))
    summary = write_corpus(corpus, tmp_path / "raw")
    assert CorpusReader(tmp_path / "raw").read([0, 1]) == [Document("ab\nc"), Document("x?y")]
    assert summary.statistics["n_documents"] == 2


def test_statistics_are_those_of_the_lengths(tmp_path: Path) -> None:
    lengths = (10, 300, 600, 50_000)
    summary = write_corpus(Listed(*(Document("x" * n) for n in lengths)), tmp_path / "raw")
    statistics = summary.statistics
    assert statistics["n_characters"] == sum(lengths)
    assert statistics["median_characters"] == 450
    assert (statistics["min_characters"], statistics["max_characters"]) == (10, 50_000)
    histogram = statistics["character_histogram"]
    assert [bucket["count"] for bucket in histogram] == [1, 1, 1, 0, 0, 0, 0, 0, 1]
    assert histogram[-1] == {"lower": 32_000, "upper": None, "count": 1}


def test_max_documents_stops_early(tmp_path: Path) -> None:
    corpus = Listed(*(Document(f"text {n}") for n in range(10)))
    assert write_corpus(corpus, tmp_path / "raw", max_documents=3).statistics["n_documents"] == 3


def test_nothing_is_left_when_writing_is_stopped_or_empty(tmp_path: Path) -> None:
    def stop(progress: Progress, n_documents: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_corpus(Listed(Document("text")), tmp_path / "raw", on_progress=stop)
    with pytest.raises(DatasetEmpty):
        write_corpus(Listed(Document(" ")), tmp_path / "raw")
    assert list(tmp_path.iterdir()) == []


def test_a_second_attempt_replaces_the_first(tmp_path: Path) -> None:
    write_corpus(Listed(Document("old")), tmp_path / "raw")
    write_corpus(Listed(Document("new")), tmp_path / "raw")
    assert list(CorpusReader(tmp_path / "raw").texts()) == ["new"]


def test_search_ignores_case_and_the_names_of_the_keys(tmp_path: Path) -> None:
    documents = [
        Document("The Whale"),
        Document('He said "whale"\nand left', "t"),
        Document("text"),
        Document("nothing"),
    ]
    write_corpus(Listed(*documents), tmp_path / "raw")
    reader = CorpusReader(tmp_path / "raw")
    assert reader.search("whale").indices == [0, 1]
    assert reader.search('"whale"\nand').indices == [1]
    assert reader.search("text").indices == [2]
    assert reader.search("titl").indices == []
    assert reader.search("absent") == ([], True)


def test_search_ends_at_its_cap_and_says_so(tmp_path: Path) -> None:
    write_corpus(Listed(*(Document(f"whale {n}") for n in range(10))), tmp_path / "raw")
    found = CorpusReader(tmp_path / "raw").search("whale", max_found=4)
    assert found == ([0, 1, 2, 3], False)
