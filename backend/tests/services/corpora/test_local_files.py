import gzip
import io
import json
import os
import tracemalloc
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from app.services.corpora import bounded_lines, records
from app.services.corpora.document import Document
from app.services.corpora.errors import DatasetEmpty, DatasetFormatInvalid, PathNotReadable
from app.services.corpora.local_files import LocalFiles, check_source
from app.services.corpora.text_files import BLOCK_CHARACTERS, split_prose


def read(path: Path, text_column: str | None = None) -> list[Document]:
    check_source(path, text_column)
    return list(LocalFiles(path, text_column).documents())


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def parquet_bytes(**columns: list[object]) -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()


def test_a_short_text_file_is_one_document(tmp_path: Path) -> None:
    file = write(tmp_path / "note.txt", "First line.\n\nSecond paragraph.\n")
    assert read(file) == [Document("First line.\n\nSecond paragraph.", "note.txt")]


def test_a_long_text_file_is_cut_at_blank_lines_and_nothing_is_lost(tmp_path: Path) -> None:
    paragraphs = [f"Paragraph {n}. " + "word " * 150 for n in range(100)]
    documents = read(write(tmp_path / "book.md", "\n\n".join(paragraphs)))
    assert len(documents) > 10
    assert all(len(document.text) >= BLOCK_CHARACTERS for document in documents[:-1])
    assert "\n\n".join(document.text for document in documents) == "\n\n".join(paragraphs)
    assert documents[1].title == "book.md #2"


def test_a_long_file_without_blank_lines_is_cut_at_line_ends() -> None:
    text = "\n".join("x" * 99 for _ in range(1000))
    documents = list(split_prose(io.StringIO(text), "x"))
    assert len(documents) > 3
    assert "\n".join(document.text for document in documents) == text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.jsonl", '{"title": "T", "text": "hello"}\n\n{"title": "U", "text": "world"}\n'),
        ("a.json", '[{"title": "T", "text": "hello"}, {"title": "U", "text": "world"}]'),
        ("b.json", '{"data": [{"title": "T", "text": "hello"}, {"title": "U", "text": "world"}]}'),
        ("c.json", '{"title": "T", "text": "hello"}\n{"title": "U", "text": "world"}\n'),
        ("a.csv", "title,text\nT,hello\nU,world\n"),
        ("b.csv", "title;text\nT;hello\nU;world\n"),
        ("a.tsv", "title\ttext\nT\thello\nU\tworld\n"),
        ("a.parquet", parquet_bytes(title=["T", "U"], text=["hello", "world"])),
    ],
)
def test_records_of_every_kind_give_the_same_documents(
    tmp_path: Path, name: str, content: str | bytes
) -> None:
    expected = [Document("hello", "T"), Document("world", "U")]
    assert read(write(tmp_path / name, content)) == expected


def test_gzip_is_unpacked_whatever_lies_inside(tmp_path: Path) -> None:
    packed = gzip.compress(b'{"text": "hello"}\n')
    assert read(write(tmp_path / "a.jsonl.gz", packed)) == [Document("hello")]


def test_a_folder_is_read_in_order_and_hidden_files_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "b.txt", "second")
    write(tmp_path / "a.md", "first")
    write(tmp_path / "image.png", b"\x89PNG\0")
    write(tmp_path / "empty.txt", "")
    (tmp_path / ".git").mkdir()
    write(tmp_path / ".git" / "c.txt", "hidden")
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub" / "d.jsonl", '{"text": "third"}\n')
    assert [d.text for d in read(tmp_path)] == ["first", "second", "third"]


def test_the_text_column_is_the_named_one_a_usual_one_or_the_longest(tmp_path: Path) -> None:
    row = {"kind": "x", "story": "usual", "remark": "a very long remark indeed"}
    file = write(tmp_path / "a.jsonl", json.dumps(row))
    assert read(file)[0].text == "usual"
    assert read(file, "remark")[0].text == "a very long remark indeed"
    odd = write(tmp_path / "b.jsonl", json.dumps({"alpha": "short", "omega": "the longest of all"}))
    assert read(odd)[0].text == "the longest of all"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("utf-8-sig", "naïve"), ("utf-16", "naïve ☃"), ("cp1252", "naïve café")],
)
def test_other_encodings_are_recognised(tmp_path: Path, encoding: str, text: str) -> None:
    assert read(write(tmp_path / "a.txt", text.encode(encoding)))[0].text == text


def test_progress_ends_at_the_size_on_disk(tmp_path: Path) -> None:
    file = write(tmp_path / "a.txt", "words " * 10_000)
    corpus = LocalFiles(file)
    assert corpus.progress().done == 0
    list(corpus.documents())
    assert corpus.progress().done == corpus.progress().total == file.stat().st_size


@pytest.mark.fault(23)
@pytest.mark.parametrize(
    ("name", "content", "error", "sentence"),
    [
        ("a.txt", "", DatasetEmpty, "a.txt is empty"),
        ("a.txt", "  \n\n ", DatasetEmpty, "a.txt is empty"),
        ("a.txt", bytes(range(256)) * 40, DatasetFormatInvalid, "binary file"),
        ("a.txt", b"\x01\x02\x03\x04" * 300, DatasetFormatInvalid, "binary file"),
        ("a.zip", b"PK\x03\x04\0\0", DatasetFormatInvalid, "binary file"),
        ("a.html", "<p>text</p>", DatasetFormatInvalid, "Supported are .txt"),
        ("a.jsonl", "no json\n", DatasetFormatInvalid, "line 1 is not JSON"),
        ("a.jsonl", "[" * 100_000, DatasetFormatInvalid, "line 1 is not JSON"),
        ("a.jsonl", '{"n": 1}\n', DatasetFormatInvalid, "no column that holds text"),
        ("a.parquet", "not parquet at all", DatasetFormatInvalid, "not a Parquet file"),
        ("a.parquet", parquet_bytes(n=[1, 2]), DatasetFormatInvalid, "no column that holds text"),
        ("a.txt.gz", b"\x1f\x8b\x08\0broken", DatasetFormatInvalid, "damaged"),
    ],
)
def test_what_cannot_be_imported_is_refused_with_a_reason(
    tmp_path: Path, name: str, content: str | bytes, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        check_source(write(tmp_path / name, content))


@pytest.mark.fault(23)
@pytest.mark.fault(23)
@pytest.mark.parametrize(
    ("name", "start", "more"),
    [
        ("a.jsonl.gz", b'{"text": "', b"a"),
        ("a.jsonl.gz", b'{"text": "x"}\n{"text": "', b"a"),
        ("a.csv.gz", b"", b"a"),
        ("a.csv.gz", b'text,x\n"', b"a"),
        ("a.csv.gz", b'text,x\n"', b'\n","'),
        ("a.json.gz", b'[{"text": "', b"a"),
        ("a.json.gz", b"{}\n", b"a"),
    ],
)
def test_a_record_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, start: bytes, more: bytes
) -> None:
    """A small packed file may hold a line that no memory holds."""
    monkeypatch.setattr(bounded_lines, "LONGEST_RECORD_CHARACTERS", 100_000)
    monkeypatch.setattr(records, "LARGEST_JSON_BYTES", 100_000)
    path = tmp_path / name
    path.write_bytes(gzip.compress(start + more * 30_000_000))
    tracemalloc.start()
    with pytest.raises(DatasetFormatInvalid, match=r"more than 100,000|larger than"):
        list(LocalFiles(path).documents())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40_000_000, "of 30 MB, which were held twice"


def test_the_first_records_are_looked_at_only_up_to_a_size(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    row = json.dumps({"text": "word " * 60_000, "n": 1})
    path.write_text("\n".join([row] * 90))
    tracemalloc.start()
    check_source(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 15_000_000, "of 27 MB"
    assert len(list(LocalFiles(path).documents())) == 90


def test_a_truncated_gzip_file_is_refused_when_its_end_is_reached(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"text": f"{os.urandom(40).hex()}"}) + "\n" for _ in range(5000))
    packed = gzip.compress(lines.encode())
    file = write(tmp_path / "a.jsonl.gz", packed[: len(packed) // 2])
    check_source(file)
    with pytest.raises(DatasetFormatInvalid, match="damaged"):
        list(LocalFiles(file).documents())


def test_a_missing_path_an_empty_folder_and_a_device_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PathNotReadable, match="does not exist"):
        check_source(tmp_path / "nowhere.txt")
    with pytest.raises(DatasetEmpty, match="No importable file"):
        check_source(tmp_path)
    with pytest.raises(PathNotReadable, match="neither a file nor a folder"):
        check_source(Path("/dev/null"))
    with pytest.raises(PathNotReadable, match="cannot be read"):  # opens, but gives nothing
        check_source(Path("/proc/self/mem"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a.txt", "secret")
    file.chmod(0)
    with pytest.raises(PathNotReadable, match="may not be read"):
        check_source(file)


def test_an_unknown_text_column_names_those_that_exist(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "title,text\nT,hello\n")
    with pytest.raises(DatasetFormatInvalid, match="Its columns are: text, title"):
        check_source(file, "body")
