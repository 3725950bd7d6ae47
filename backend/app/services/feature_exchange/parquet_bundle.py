"""The bundle that brings everything back: three tables, a Parquet file to a part, and a manifest.

Whoever reads a table as a whole names its folder, as with every Parquet data set.
"""

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy.orm import Session

from app.db.models import Feature
from app.db.models.feature import NUMERIC_COLUMNS
from app.db.repositories import features
from app.db.repositories.context_rows import ContextRow
from app.services.feature_exchange.archives import BundleInvalid, file_hash
from app.services.feature_exchange.parts import FeaturePart
from app.services.feature_exchange.selection import Origin

FORMAT, VERSION = "mistudio-features", 2
MANIFEST = "manifest.json"
_NUMBERS = tuple((name, pa.int64() if name == "n_fires" else pa.float64())
                 for name in NUMERIC_COLUMNS)  # fmt: skip
SCHEMAS = {
    "features": pa.schema(
        [("neuron_index", pa.int32()), ("layer", pa.int32()), ("label", pa.string()),
         ("label_source", pa.string()), ("top_token", pa.string()), *_NUMBERS,
         ("map_x", pa.float64()), ("map_y", pa.float64()), ("cluster", pa.int32()),
         ("name", pa.string()), ("description", pa.string()), ("tags", pa.list_(pa.string())),
         ("is_favorite", pa.bool_()), ("metadata", pa.string())]
    ),
    "words": pa.schema(
        [("neuron_index", pa.int32()), ("kind", pa.string()), ("rank", pa.int16()),
         ("token", pa.string()), ("weight", pa.float64())]
    ),
    "examples": pa.schema(
        [("neuron_index", pa.int32()), ("kind", pa.string()), ("rank", pa.int32()),
         ("octave", pa.int16()), ("margin", pa.float64()), ("split", pa.string()),
         ("document", pa.int32()), ("position", pa.int32()), ("token_index", pa.int64()),
         ("window_position", pa.int32()), ("max_activation", pa.float64()),
         ("sample_text", pa.string()), ("token_ids", pa.list_(pa.int32())),
         ("token_lengths", pa.list_(pa.uint16())), ("activations", pa.list_(pa.float32()))]
    ),
}  # fmt: skip
PACKED = {"token_ids": ">i4", "token_lengths": ">u2", "activations": ">f4"}
"""How ``db.packed`` writes the lists; ``token_lengths`` cut ``sample_text`` into tokens."""
NOTES = ("description", "tags", "is_favorite")


def write_bundle_part(
    session: Session, _origin: Origin, page: list[Feature], folder: Path, number: int
) -> list[Path]:
    """Write features with their contexts and words, a file to each table."""
    written = []
    for name, table in _tables(session, page).items():
        path = folder / name / f"part-{number:05}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(table, path, compression="zstd")
        written.append(path)
    return written


def describe_bundle(folder: Path, origin: Origin) -> None:
    """Write the manifest: version, dictionary, rows and hash of every file."""
    files = {
        path.relative_to(folder).as_posix(): {
            "sha256": file_hash(path), "rows": pq.read_metadata(path).num_rows,
        }
        for path in sorted(folder.glob("*/part-*.parquet"))
    }  # fmt: skip
    dictionary = {key: value for key, value in origin.items() if key != "exported_at"}
    manifest = {
        "format": FORMAT, "version": VERSION, "exported_at": origin["exported_at"],
        "dictionary": dictionary, "files": files,
    }  # fmt: skip
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))


def _tables(session: Session, chosen: list[Feature]) -> dict[str, pa.Table]:
    index_of = {feature.id: feature.neuron_index for feature in chosen}
    words = features.words_of(session, list(index_of))
    details = features.metadata_of(session, list(index_of))
    rows = [_feature(feature, details[feature.id]) for feature in chosen]
    return {
        "features": pa.Table.from_pylist(rows, SCHEMAS["features"]),
        "words": pa.Table.from_pylist(
            [{"neuron_index": index_of[word.feature_id], "kind": word.kind, "rank": word.rank,
              "token": word.token, "weight": word.weight} for word in words],
            SCHEMAS["words"],
        ),
        "examples": _examples(session, index_of),
    }  # fmt: skip


def _feature(feature: Feature, details: dict[str, Any]) -> dict[str, Any]:
    plain = {name: getattr(feature, name) for name in SCHEMAS["features"].names if
             name != "metadata"}  # fmt: skip
    known = {key: value for key, value in details.items() if key != "imported"}
    return plain | {"metadata": json.dumps(known, sort_keys=True)}


def _examples(session: Session, index_of: dict[int, int]) -> pa.Table:
    schema = SCHEMAS["examples"]
    rows = features.packed_contexts(session, list(index_of))
    columns: dict[str, Sequence[Any]] = {}
    if rows:
        columns = dict(zip(ContextRow._fields, zip(*rows, strict=True), strict=True))
    columns["neuron_index"] = [index_of[feature_id] for feature_id in columns.get("feature_id", [])]
    arrays = [
        _lists(columns.get(field.name, []), PACKED[field.name], field.type)
        if field.name in PACKED
        else pa.array(columns.get(field.name, []), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _lists(packed: Sequence[Any], code: str, kind: pa.DataType) -> pa.Array:
    dtype = np.dtype(code)
    ends = np.cumsum([0, *(len(data) // dtype.itemsize for data in packed)], dtype=np.int32)
    numbers = np.frombuffer(b"".join(map(bytes, packed)), dtype).astype(dtype.newbyteorder("="))
    values = pa.array(numbers, kind.value_type)
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values)


class ParquetBundle:
    """A bundle unpacked in a folder, read part by part.

    Raises:
        BundleInvalid: Something is missing, damaged or of a later version.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.manifest = _manifest(folder)
        for name, facts in self.manifest["files"].items():
            if file_hash(folder / name) != facts.get("sha256"):
                raise BundleInvalid(f"{name} is not what the manifest says: it was changed.")
        try:
            self.part_sizes = [
                pq.read_metadata(path).num_rows
                for path in sorted((folder / "features").glob("part-*.parquet"))
            ]
        except pa.ArrowException as error:
            raise BundleInvalid(f"The features cannot be read: {error}.") from error
        self.fingerprint = self.manifest.get("dictionary", {}).get("fingerprint")

    def read(self, part: int) -> FeaturePart:
        """Read one part."""
        try:
            rows = self._table("features", part).to_pylist()
            return FeaturePart(
                rows=[_row(row) for row in rows],
                notes={row["neuron_index"]: {name: row[name] for name in NOTES}
                       for row in rows if any(row[name] for name in NOTES)},
                words=[(row["neuron_index"],
                        (row["kind"], row["rank"], row["token"], row["weight"]))
                       for row in self._table("words", part).to_pylist()],
                contexts=list(_contexts(self._table("examples", part))),
            )  # fmt: skip
        except (pa.ArrowException, KeyError, ValueError, OSError, RecursionError) as error:
            raise BundleInvalid(f"Part {part} of the bundle cannot be read: {error}.") from error

    def _table(self, name: str, part: int) -> pa.Table:
        return pq.read_table(self._folder / name / f"part-{part:05}.parquet")


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        known = manifest["format"], manifest["version"], list(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise BundleInvalid("The bundle's manifest is missing or unreadable.") from error
    if known[0] != FORMAT or known[1] != VERSION:
        raise BundleInvalid(
            f"The bundle is {known[0]!r}, version {known[1]!r}; this program reads {FORMAT!r}, "
            f"version {VERSION}."
        )
    n_parts = sum(name.startswith("features/") for name in known[2])
    expected = [f"{name}/part-{part:05}.parquet" for name in SCHEMAS for part in range(n_parts)]
    if sorted(expected) != sorted(known[2]) or not all((folder / n).is_file() for n in expected):
        raise BundleInvalid("The bundle lacks files of its features, words or examples.")
    return manifest


def _row(row: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in row.items() if name not in NOTES}
    return kept | {"metadata": json.loads(row["metadata"])}


def _contexts(table: pa.Table) -> Iterator[tuple[int, dict[str, Any]]]:
    packed = {name: _bytes(table.column(name), code) for name, code in PACKED.items()}
    plain = table.drop_columns(list(PACKED)).to_pylist()
    for row, *lists in zip(plain, *packed.values(), strict=True):
        index = row.pop("neuron_index")
        yield index, row | dict(zip(packed, lists, strict=True))


def _bytes(column: pa.ChunkedArray, code: str) -> list[bytes]:
    """Each list of a column as ``db.packed`` has it."""
    merged = column.combine_chunks()
    dtype = np.dtype(code)
    data = merged.flatten().to_numpy(zero_copy_only=False).astype(dtype).tobytes()
    lengths: npt.NDArray[np.int64] = np.diff(merged.offsets.to_numpy())
    ends = np.cumsum(np.r_[0, lengths]) * dtype.itemsize
    return [data[start:end] for start, end in itertools.pairwise(ends.tolist())]
