"""Records: JSON lines, JSON, CSV and Parquet, with the column that holds the text."""

import csv
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from app.services.corpora.bounded_lines import LONGEST_RECORD_CHARACTERS, BoundedLines
from app.services.corpora.document import Document
from app.services.corpora.errors import DatasetFormatInvalid

TEXT_COLUMNS = ("text", "content", "document", "body", "article", "passage", "story", "sentence")
TITLE_COLUMNS = ("title", "name", "id", "url", "source")
SNIFFED_RECORDS = 100
# They are read while a request waits: fewer of them where they are large.
SNIFFED_WEIGHT = 4_000_000
LARGEST_JSON_BYTES = 1 << 30
PARQUET_MAGIC = b"PAR1"
PARQUET_BATCH = 512

Record = dict[str, Any]


def documents_of(records: Iterable[Any], text_column: str | None, name: str) -> Iterator[Document]:
    """Turn records into documents.

    Args:
        records: Objects, or bare strings.
        text_column: The column that holds the text; None picks it from the first records.
        name: File or data set, for the error message.

    Raises:
        DatasetFormatInvalid: No such column, or no column that holds text.
    """
    stream = iter(records)
    first = _first_of(stream)
    column = choose_text_column(first, text_column, name)
    for record in itertools.chain(first, stream):
        if isinstance(record, str):
            yield Document(record)
        elif isinstance(record, dict) and isinstance(record.get(column), str):
            yield Document(record[column], _title_of(record, column))


def _first_of(records: Iterator[Any]) -> list[Any]:
    first, weight = [], 0
    for record in itertools.islice(records, SNIFFED_RECORDS):
        first.append(record)
        weight += _weight_of(record)
        if weight > SNIFFED_WEIGHT:
            break
    return first


def _weight_of(record: Any) -> int:
    """Roughly the bytes that a value takes."""
    weight, waiting = 0, [record]
    while waiting:
        part = waiting.pop()
        weight += 50 + (len(part) if isinstance(part, str) else 0)
        if isinstance(part, dict):
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return weight


def choose_text_column(records: list[Any], wanted: str | None, name: str) -> str:
    """The column that holds the text: the wanted one, a usual name, else the longest strings."""
    rows = [record for record in records if isinstance(record, dict)]
    if not rows:
        return wanted or ""
    lengths: dict[str, int] = {}
    for row in rows:
        for key, value in row.items():
            if isinstance(value, str):
                lengths[key] = lengths.get(key, 0) + len(value)
    if wanted is not None and wanted in lengths:
        return wanted
    columns = sorted(str(key) for key in rows[0])
    if wanted is not None or not lengths:
        raise DatasetFormatInvalid(
            f"{name} has no text column {wanted!r}. Its columns are: {', '.join(columns)}."
            if wanted is not None
            else f"{name} has no column that holds text. Its columns are: {', '.join(columns)}.",
            details={"columns": columns, "text_column": wanted},
        )
    usual = next((column for column in TEXT_COLUMNS if column in lengths), None)
    return usual or max(sorted(lengths), key=lambda key: lengths[key])


def _title_of(record: Record, text_column: str) -> str | None:
    for column in TITLE_COLUMNS:
        value = record.get(column)
        if column != text_column and isinstance(value, str | int) and str(value).strip():
            return str(value)[:300]
    return None


def read_json_lines(stream: TextIO, name: str, *read_already: str) -> Iterator[Any]:
    lines = BoundedLines(stream, name, *read_already)
    for number, line in enumerate(lines, start=1):
        lines.begin_record()
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DatasetFormatInvalid(
                f"{name}, line {number} is not JSON: {error}. A .jsonl file holds one JSON object "
                "per line.",
                details={"line": number},
            ) from error


def read_json(stream: TextIO, path: Path) -> Iterator[Any]:
    """Records of a .json file: a list, JSON lines, or an object whose one list holds them."""
    text = stream.readline(LARGEST_JSON_BYTES + 1)
    if _is_json_object(text) and (second := stream.readline(LONGEST_RECORD_CHARACTERS + 1)).strip():
        return read_json_lines(stream, path.name, text, second)
    text += stream.read(LARGEST_JSON_BYTES + 1 - len(text))
    if len(text) > LARGEST_JSON_BYTES:
        raise DatasetFormatInvalid(
            f"{path.name} is larger than 1 GiB. Convert it to .jsonl, one object per line.",
            details={"path": str(path)},
        )
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DatasetFormatInvalid(
            f"{path.name} is not JSON: {error}.", details={"path": str(path)}
        ) from error
    return iter(_records_in(value))


def _is_json_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _records_in(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        lists = [part for part in value.values() if isinstance(part, list) and part]
        if lists:
            return max(lists, key=len)
    return [value]


def read_csv(stream: TextIO, name: str) -> Iterator[Record]:
    csv.field_size_limit(LONGEST_RECORD_CHARACTERS)
    lines = BoundedLines(stream, name)
    sample = next(lines, "")
    delimiter = max(",;\t|", key=sample.count)
    for row in csv.DictReader(itertools.chain((sample,), lines), delimiter=delimiter):
        lines.begin_record()
        yield row


def check_parquet(path: Path, text_column: str | None) -> None:
    """Read the footer only.

    Raises:
        DatasetFormatInvalid: Not a Parquet file, or without a text column.
    """
    import pyarrow
    from pyarrow import parquet

    try:
        schema = parquet.ParquetFile(path).schema_arrow
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise DatasetFormatInvalid(
            f"{path.name} is not a Parquet file: {error}.", details={"path": str(path)}
        ) from error
    probe = {
        field.name: "" for field in schema
        if pyarrow.types.is_string(field.type) or pyarrow.types.is_large_string(field.type)
    }  # fmt: skip
    choose_text_column([probe], text_column, path.name)


def read_parquet(path: Path) -> Iterator[Record]:
    from pyarrow import parquet

    for batch in parquet.ParquetFile(path).iter_batches(batch_size=PARQUET_BATCH):
        yield from batch.to_pylist()
