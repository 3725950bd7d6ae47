"""Reading files of strangers: sizes are checked first, nothing in them is ever executed."""

from __future__ import annotations

import json
import pickle
import pickletools
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib import format as npy
from safetensors import SafetensorError
from safetensors.torch import load_file

from app.ml.errors import SaeFormatError

MAX_JSON_BYTES = 4 << 20
MAX_HEADER_BYTES = 16 << 20
MAX_PICKLE_BYTES = 1 << 20
"""What lists thousands of tensors; looking through it takes a second."""
MAX_GROWTH = 20
"""Unpacked against packed size of an archive; weights hardly pack at all, a bomb 1,000 times."""
ALLOWED_GLOBALS = frozenset(
    {
        "collections OrderedDict",
        "torch._utils _rebuild_tensor_v2",
        "torch._utils _rebuild_parameter",
        *(f"torch {kind}Storage" for kind in ("Float", "Double", "Half", "BFloat16", "Long", "Int",
                                               "Bool", "Byte", "Char", "Short")),
    }
)  # fmt: skip
"""All that a saved dictionary of tensors refers to."""


def read_config(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        SaeFormatError: missing, too large, or no JSON object.
    """
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise SaeFormatError(f"{path.name} is too large for a configuration.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SaeFormatError(f"{path.name} is missing.") from error
    except (ValueError, RecursionError) as error:
        raise SaeFormatError(f"{path.name} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise SaeFormatError(f"{path.name} holds no object.")
    return content


def read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    """Read all tensors of a safetensors file in float32, after a look at its header's length.

    Raises:
        SaeFormatError: missing, damaged, or with values that are no numbers.
    """
    try:
        with path.open("rb") as file:
            start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else MAX_HEADER_BYTES + 1
        if length > min(MAX_HEADER_BYTES, path.stat().st_size):
            raise SaeFormatError(f"{path.name} is no safetensors file: its header is too large.")
        return checked(load_file(path), path.name)
    except FileNotFoundError as error:
        raise SaeFormatError(f"{path.name} is missing.") from error
    except (SafetensorError, ValueError, KeyError) as error:
        raise SaeFormatError(f"{path.name} is no readable safetensors file: {error}") from error


def read_npz(path: Path) -> dict[str, torch.Tensor]:
    """Read the float arrays of an npz archive; never an object array.

    Every array's header is read before its data, so that a small file cannot ask for much memory.

    Raises:
        SaeFormatError: damaged, an object or text array, a shape larger than its data.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_growth(archive.infolist(), path)
            for info in archive.infolist():
                with archive.open(info) as member:
                    _check_npy(member, info)
        with np.load(path, allow_pickle=False) as arrays:
            found = {n: torch.from_numpy(arrays[n].astype(np.float32)) for n in arrays.files}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise SaeFormatError(f"{path.name} is no readable npz archive: {error}") from error
    return checked(found, path.name)


def _check_npy(member: Any, info: zipfile.ZipInfo) -> None:
    version = npy.read_magic(member)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(member)
    if dtype.kind not in "fiu":
        raise SaeFormatError(f"{info.filename} holds {dtype} values, not numbers.")
    if int(np.prod(shape, dtype=object)) * dtype.itemsize > info.file_size:
        raise SaeFormatError(f"{info.filename} claims more values than it holds.")


def read_pickle(path: Path) -> dict[str, torch.Tensor]:
    """Read a torch file that holds tensors and nothing else.

    Its pickle is looked through first: one that names anything but tensors is refused before any
    of it is carried out. Then torch reads it with ``weights_only``.

    Raises:
        SaeFormatError: damaged, or it wants more than tensors.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_stored(archive.infolist(), path)
            for info in archive.infolist():
                if info.filename.endswith(".pkl"):
                    _check_pickle(archive.read(info), path.name)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except SaeFormatError:
        raise
    except zipfile.BadZipFile as error:
        raise SaeFormatError(
            f"{path.name} is not in torch's present format (a zip archive); save it again."
        ) from error
    except (OSError, ValueError, RuntimeError, KeyError, EOFError, AttributeError) as error:
        raise SaeFormatError(f"{path.name} cannot be read: {error}") from error
    except pickle.UnpicklingError as error:
        raise SaeFormatError(f"{path.name} holds more than tensors.") from error
    if not isinstance(content, Mapping):
        raise SaeFormatError(f"{path.name} holds no dictionary of tensors.")
    return checked({n: v for n, v in content.items() if isinstance(v, torch.Tensor)}, path.name)


def _check_growth(entries: list[zipfile.ZipInfo], path: Path) -> None:
    if sum(entry.file_size for entry in entries) > MAX_GROWTH * path.stat().st_size:
        raise SaeFormatError(f"{path.name} would grow more than {MAX_GROWTH} times.")


def _check_stored(entries: list[zipfile.ZipInfo], path: Path) -> None:
    """torch packs nothing, so no entry, and not all of them, can be larger than the file."""
    is_packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if is_packed or sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise SaeFormatError(f"{path.name} is packed, which torch's files never are.")
    for entry in entries:
        if entry.filename.endswith(".pkl") and entry.file_size > MAX_PICKLE_BYTES:
            raise SaeFormatError(f"{path.name} holds no list of tensors: it is too large.")


def _check_pickle(data: bytes, name: str) -> None:
    texts: list[str] = []
    for opcode, argument, _ in pickletools.genops(data):
        if isinstance(argument, str) and "UNICODE" in opcode.name:
            texts.append(argument)
        wanted = argument if opcode.name == "GLOBAL" else None
        if opcode.name == "STACK_GLOBAL":
            wanted = " ".join(texts[-2:])
        if opcode.name in {"INST", "OBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4"}:
            wanted = opcode.name
        if wanted is not None and wanted not in ALLOWED_GLOBALS:
            raise SaeFormatError(
                f"{name} is a pickle that wants {wanted!r}; only tensors are read. Convert it to "
                "safetensors."
            )


def checked(tensors: Mapping[str, torch.Tensor], name: str) -> dict[str, torch.Tensor]:
    """Return the tensors in float32.

    Raises:
        SaeFormatError: one holds NaN or infinity.
    """
    found = {key: tensor.float() for key, tensor in tensors.items()}
    for key, tensor in found.items():
        if not bool(torch.isfinite(tensor).all()):
            raise SaeFormatError(f"{name}: {key} holds NaN or infinity.")
    return found
