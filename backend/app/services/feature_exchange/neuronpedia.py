"""Neuronpedia's folder of features, activations and explanations, in and out.

Contexts are lists of strings there; those of features without explanations come too. Near misses
have no place in it and stay behind.
"""

import gzip
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.db.models import Feature
from app.services.feature_exchange.archives import BundleInvalid
from app.services.feature_exchange.dashboard import (
    activations_of,
    entry_of,
    part_of_entries,
    with_details,
)
from app.services.feature_exchange.parts import FeaturePart
from app.services.feature_exchange.selection import Origin

HUMAN, RULE = "mistudio-human", "mistudio-rule"
KINDS = ("features", "activations", "explanations")
_BATCH = re.compile(r"batch-(\d+)\.jsonl\.gz")
_MOST_LINE_BYTES = 64 << 20
_TO_CAMEL = {"bin_min": "binMin", "bin_max": "binMax", "bin_contains": "binContains",
             "qualifying_token_index": "qualifyingTokenIndex"}  # fmt: skip


def write_neuronpedia_part(
    session: Session, origin: Origin, page: list[Feature], folder: Path, number: int
) -> list[Path]:
    """Write a batch of features with their activations and explanations."""
    place = _place(origin)
    home = _home(folder, place)
    lines = [_lines(session, *found, place) for found in with_details(session, page)]
    written = []
    for kind in KINDS:
        path = home / kind / f"batch-{number}.jsonl.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, (line for found in lines for line in found[kind]))
        written.append(path)
    return written


def describe_neuronpedia(folder: Path, origin: Origin) -> None:
    """Write the lines that say what ``{model}/{layer}-{set}/`` holds."""
    place = _place(origin)
    model, source = place["modelId"], place["layer"]
    source_set = source.partition("-")[2]
    described = {
        "release": {"name": source_set, "description": f"Features of {origin['name']}"},
        "model": {"id": model, "displayName": origin["model"]},
        "sourceset": {"modelId": model, "name": source_set, "type": origin["hook_type"]},
        "source": {"id": source, "modelId": model, "setName": source_set,
                   "dataset": origin["dataset"], "fingerprint": origin["fingerprint"]},
    }  # fmt: skip
    for name, line in described.items():
        (_home(folder, place) / f"{name}.jsonl").write_text(json.dumps(line) + "\n")


def _place(origin: Origin) -> dict[str, str]:
    source_set = _safe(origin["name"] or "mistudio")
    return {"modelId": _safe(origin["model"]), "layer": f"{origin['layer']}-{source_set}"}


def _home(folder: Path, place: dict[str, str]) -> Path:
    return folder / place["modelId"] / place["layer"]


def _lines(
    session: Session, feature: Feature, known: dict[str, Any], place: dict[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    key = {**place, "index": str(feature.neuron_index)}
    near = known.get("decoder_neighbours") or []
    line = {
        **key, **entry_of(feature, known), "maxActApprox": feature.max_activation or 0.0,
        "topkCosSimIndices": [found["index"] for found in near],
        "topkCosSimValues": [found["cosine"] for found in near],
        "umap_x": feature.map_x, "umap_y": feature.map_y, "umap_cluster": feature.cluster,
    }  # fmt: skip
    named = ((feature.name, HUMAN, feature.description), (feature.label, RULE, None))
    return {
        "features": [line],
        "activations": [
            _activation(key, number, activation)
            for number, activation in enumerate(activations_of(session, feature, known))
        ],
        "explanations": [
            {"id": f"{key['index']}-{kind}", **key, "description": text, "typeName": kind,
             "explanationModelName": None, "notes": notes}
            for text, kind, notes in named
            if text
        ],
    }  # fmt: skip


def _activation(key: dict[str, Any], number: int, found: dict[str, Any]) -> dict[str, Any]:
    values = found["values"]
    place = values.index(max(values)) if values else 0
    renamed = {_TO_CAMEL.get(name, name): value for name, value in found.items()}
    return {
        "id": f"{key['index']}-{number}", **key, **renamed, "maxValue": max(values, default=0.0),
        "maxValueTokenIndex": place, "minValue": min(values, default=0.0),
    }  # fmt: skip


class NeuronpediaFolder:
    """An unpacked folder, read batch by batch.

    Raises:
        BundleInvalid: There are no batches of features.
    """

    def __init__(self, folder: Path) -> None:
        found = sorted(folder.rglob("features/batch-*.jsonl.gz"), key=_number_of)
        homes = {path.parent.parent for path in found}
        if len(homes) != 1:
            raise BundleInvalid(
                "The archive holds no folder features/ with batch-N.jsonl.gz, or several."
            )
        self._home, self._batches = homes.pop(), found
        self.part_sizes = [sum(1 for _ in _read(path)) for path in found]
        source = next(_read(self._home / "source.jsonl"), {})
        self.fingerprint = source.get("fingerprint")

    def read(self, part: int) -> FeaturePart:
        """Read one batch of features with the activations and explanations of that number."""
        name = self._batches[part].name
        try:
            entries = {str(line["index"]): _entry(line) for line in _read(self._batches[part])}
            for line in _read(self._home / "activations" / name):
                entries[str(line["index"])]["activations"].append(_snake(line))
            found = part_of_entries(list(entries.values()), "neuronpedia")
            self._explain(found, name)
        except (KeyError, TypeError) as error:
            raise BundleInvalid(f"{name} cannot be read: {error} is missing or wrong.") from error
        for row in found.rows:
            entry = entries[str(row["neuron_index"])]
            row |= entry["figures"]
            row["metadata"]["decoder_neighbours"] = entry["neighbours"]
        return found

    def _explain(self, part: FeaturePart, name: str) -> None:
        rows = {row["neuron_index"]: row for row in part.rows}
        for line in _read(self._home / "explanations" / name):
            row, text = rows.get(int(line["index"])), str(line["description"])
            if row is None:  # refused
                continue
            if line.get("typeName") == HUMAN:
                row["name"] = text[:255]
                part.notes[row["neuron_index"]] = {"description": line.get("notes")}
            else:
                row |= {"label": text[:500], "label_source": "imported"}


def _entry(line: dict[str, Any]) -> dict[str, Any]:
    near = zip(line.get("topkCosSimIndices") or [], line.get("topkCosSimValues") or [], strict=True)
    neighbours = [{"index": int(index), "cosine": float(cosine)} for index, cosine in near]
    return line | {
        "feature_index": line["index"],
        "activations": [],
        "neighbours": neighbours,
        "figures": {
            "max_activation": line.get("maxActApprox"), "map_x": line.get("umap_x"),
            "map_y": line.get("umap_y"), "cluster": line.get("umap_cluster"),
            "nearest_cosine": neighbours[0]["cosine"] if neighbours else None,
        },
    }  # fmt: skip


def _snake(line: dict[str, Any]) -> dict[str, Any]:
    """An activation in SAEDashboard's names; without a bin it counts as one of the strongest."""
    values = {name: line.get(camel) for name, camel in _TO_CAMEL.items()}
    place = values.pop("qualifying_token_index")
    place = line["maxValueTokenIndex"] if place is None else place
    low = values.pop("bin_min")
    return {"tokens": line["tokens"], "values": line["values"],
            "bin_min": -1 if low is None else low, "qualifying_token_index": place}  # fmt: skip


def _read(path: Path) -> Iterator[dict[str, Any]]:
    """Lines of a file; of a missing one none."""
    if not path.is_file():
        return
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            while line := file.readline(_MOST_LINE_BYTES):
                if line.strip():
                    yield json.loads(line)
    except (OSError, EOFError, ValueError, RecursionError) as error:
        raise BundleInvalid(f"{path.name} cannot be read: {error}.") from error


def _write(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as file:
        for line in lines:
            file.write(json.dumps(line, allow_nan=False).encode() + b"\n")


def _number_of(path: Path) -> int:
    found = _BATCH.fullmatch(path.name)
    return int(found[1]) if found else -1


def _safe(name: str) -> str:
    """A name that is a folder's on every system."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.").lower() or "unnamed"
