"""Telling at request time whether a path can be a language model."""

import json
from pathlib import Path

from app.core.enums import ErrorCode
from app.core.errors import AppError
from app.services.corpora.errors import PathNotReadable

GGUF_MAGIC = b"GGUF"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
# The API reads it before anything else; the largest real one has some tens of kilobytes.
MAX_CONFIG_BYTES = 4_000_000
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "spiece.model", "vocab.txt")


class ModelFormatInvalid(AppError):
    code = ErrorCode.MODEL_FORMAT_INVALID
    status = 400


def check_model_source(path: Path) -> None:
    """Accept a Hugging Face folder with safetensors, or a .gguf file.

    Raises:
        PathNotReadable: Missing or not readable.
        ModelFormatInvalid: What is missing in it, and what to do.
    """
    try:
        if path.is_dir():
            _check_folder(path)
        elif path.is_file():
            _check_gguf(path)
        else:
            raise PathNotReadable(
                f"{path} does not exist on this machine. Give the full path of a model folder or "
                "a .gguf file.",
                details={"field": "path", "value": str(path)},
            )
    except PermissionError as error:
        raise PathNotReadable(
            f"{path} may not be read by the user that runs MechInterp Studio.",
            details={"field": "path", "value": str(path)},
        ) from error


def _check_gguf(path: Path) -> None:
    with path.open("rb") as file:
        magic = file.read(4)
    if magic != GGUF_MAGIC:
        _refuse(
            path,
            f"{path.name} is not a GGUF file. Give a .gguf file, or the folder that holds "
            "config.json and the .safetensors files.",
        )


def _check_folder(path: Path) -> None:
    config = path / "config.json"
    if not config.is_file():
        ggufs = sorted(path.glob("*.gguf"))
        hint = f" Give the file {ggufs[0]} itself." if ggufs else ""
        _refuse(path, f"{path} holds no config.json, so it is not a model folder.{hint}")
    _check_config(config)
    if not any(path.glob("*.safetensors")):
        if any(next(path.glob(pattern), None) for pattern in PICKLES):
            _refuse(
                path,
                f"{path} holds its weights as pickles (.bin, .pt), which can run code and are "
                "never loaded. Convert them to safetensors first.",
            )
        _refuse(path, f"{path} holds no .safetensors file, so there are no weights to import.")
    if not any((path / name).is_file() for name in TOKENIZER_FILES):
        _refuse(path, f"{path} holds no tokenizer (tokenizer.json). Add the model's tokenizer.")


def _check_config(config: Path) -> None:
    if config.stat().st_size > MAX_CONFIG_BYTES:
        _refuse(config.parent, f"{config} is too large for the configuration of a model.")
    try:
        values = json.loads(config.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        _refuse(config.parent, f"{config} is not JSON: {error}.")
    else:
        if not isinstance(values, dict) or not values.get("model_type"):
            _refuse(config.parent, f"{config} names no model_type, so its kind is unknown.")


def _refuse(path: Path, sentence: str) -> None:
    raise ModelFormatInvalid(sentence, details={"field": "path", "value": str(path)})
