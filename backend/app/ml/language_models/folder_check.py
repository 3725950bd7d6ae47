"""What a folder must hold, and what it must not, before anything opens it as a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.ml.errors import ModelFormatError

PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".h5")
MAX_JSON_BYTES = 64_000_000
INDEX_SUFFIX = ".safetensors.index.json"
WEIGHTS_KEY = "transformers_weights"


def check_model_folder(folder: Path) -> None:
    """Refuse a folder that cannot be a model, saying what is missing.

    Raises:
        ModelFormatError: no folder, no configuration, no safetensors weights, or an index that
            names other files.
    """
    if not folder.is_dir():
        raise ModelFormatError(f"{folder.name!r} is not a folder.")
    if not (folder / "config.json").is_file():
        raise ModelFormatError(
            f"The folder {folder.name!r} has no config.json; choose the folder that holds a "
            "Hugging Face model, or a .gguf file."
        )
    _refuse_large_texts(folder)
    if any(folder.glob("*.safetensors")):
        _check_indexes(folder)
        return
    pickled = sorted(p.name for p in folder.iterdir() if p.suffix in PICKLE_SUFFIXES)
    if pickled:
        raise ModelFormatError(
            f"The weights are in {pickled[0]}, a pickle that may run code when opened; convert "
            "them to model.safetensors first (save_pretrained does)."
        )
    raise ModelFormatError(f"The folder {folder.name!r} holds no *.safetensors weights.")


def read_config(folder: Path) -> dict[str, Any]:
    """Return ``config.json`` as a dictionary.

    Raises:
        ModelFormatError: it is not a JSON object that names a causal language model, or it names
            weights that are no safetensors beside it.
    """
    config = _read_object(folder / "config.json")
    if "model_type" not in config:
        raise ModelFormatError(f"config.json of {folder.name!r} names no model_type.")
    for name in _values_of(config, WEIGHTS_KEY):
        _check_weights_name(name, "config.json", (".safetensors", INDEX_SUFFIX))
    return config


def _refuse_large_texts(folder: Path) -> None:
    """Reading JSON takes ten times its size; the largest real tokenizer has half of this."""
    for path in folder.glob("*.json"):
        if path.stat().st_size > MAX_JSON_BYTES:
            raise ModelFormatError(
                f"{path.name} has {path.stat().st_size / 1e6:,.0f} MB. No model's is larger than "
                f"{MAX_JSON_BYTES / 1e6:.0f} MB."
            )


def _check_indexes(folder: Path) -> None:
    """Hold every index of shards to the folder's own safetensors files.

    transformers opens whatever file an index names, wherever it lies, and one that is no
    safetensors as a pickle, even when it was told to use safetensors.
    """
    for path in sorted(folder.glob(f"*{INDEX_SUFFIX}")):
        shards = _read_object(path).get("weight_map")
        if not isinstance(shards, dict):
            raise ModelFormatError(f"{path.name} has no weight_map; download or copy it again.")
        for name in shards.values():
            _check_weights_name(name, path.name, (".safetensors",))
        absent = sorted(name for name in set(shards.values()) if not (folder / name).is_file())
        if absent:
            raise ModelFormatError(
                f"{absent[0]}, which {path.name} names, is not in {folder.name!r}; the copy or "
                "download is incomplete."
            )


def _check_weights_name(name: Any, where: str, suffixes: tuple[str, ...]) -> None:
    if not isinstance(name, str) or Path(name).name != name or not name.endswith(suffixes):
        raise ModelFormatError(
            f"{where} names {str(name)[:100]!r} as weights. Only .safetensors files that lie "
            "beside it are read."
        )


def _values_of(config: dict[str, Any], key: str) -> list[Any]:
    """What a key holds anywhere in a configuration; parts of a model have their own inside."""
    found, waiting = [], [config]
    while waiting:
        part = waiting.pop()
        found += [part[key]] if key in part else []
        waiting += [value for value in part.values() if isinstance(value, dict)]
    return found


def _read_object(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFormatError(f"{path.name} of {path.parent.name!r} is not valid JSON.") from error
    if not isinstance(content, dict):
        raise ModelFormatError(f"{path.name} of {path.parent.name!r} is not a JSON object.")
    return content
