"""Writing SAELens folders (version 6), byte by byte from a checkpoint; torch-free.

Our matrices lie as theirs do, so a tensor is copied, never computed: the export is bit-equal and
needs no memory. The one exception is a bias into which a centring is folded.
"""

from __future__ import annotations

import io
import json
import math
import struct
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.ml.interchange.hook_names import lens_name

COPY_BYTES = 1 << 20
VERSION = "6.54.12"
"""Version of SAELens whose format is written and tested by ``make interop``."""
NAMES = {"W_enc_DF": "W_enc", "W_dec_FD": "W_dec", "b_enc_F": "b_enc", "b_dec_D": "b_dec",
         "threshold_F": "threshold", "b_gate_F": "b_gate", "r_mag_F": "r_mag",
         "W_skip_DD": "W_skip"}  # fmt: skip
PLAIN = {"relu": "standard", "topk": "topk", "jumprelu": "jumprelu", "gated": "gated"}
FIRING_FILE = "heldout_firing.safetensors"
DEAD_LOG_SHARE = -10.0


class ExportUnsupported(ValueError):
    """SAELens has no form for this dictionary; the text says which."""


@dataclass(frozen=True)
class SafetensorsFile:
    """The header of a safetensors file, and where its data begins."""

    path: Path
    entries: dict[str, Any]
    data_start: int

    @classmethod
    def open(cls, path: Path) -> SafetensorsFile:
        with path.open("rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            entries = json.loads(file.read(length))
        entries.pop("__metadata__", None)
        return cls(path, entries, 8 + length)

    def array(self, name: str) -> np.ndarray[Any, Any]:
        """Map a float32 or int64 tensor."""
        entry = self.entries[name]
        dtype = {"F32": "<f4", "I64": "<i8"}[entry["dtype"]]
        start = self.data_start + entry["data_offsets"][0]
        return np.memmap(self.path, dtype, "r", start, tuple(entry["shape"]))

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield a tensor's bytes."""
        start, stop = self.entries[name]["data_offsets"]
        with self.path.open("rb") as file:
            file.seek(self.data_start + start)
            left = stop - start
            while left and (block := file.read(min(left, COPY_BYTES))):
                left -= len(block)
                yield block


def architecture_of(metadata: dict[str, Any], has_skip: bool) -> str:
    """Return SAELens' name for a dictionary.

    A transcoder that keeps the k largest latents, or a gated one, has no class of its own there;
    without a skip path the class of the same arithmetic is used, with ``hook_name_out`` beside.

    Raises:
        ExportUnsupported: no class does the same arithmetic.
    """
    activation, kind = metadata["activation"], metadata.get("encoder_type", "sparse")
    if kind == "sparse" and not has_skip:
        return PLAIN[activation]
    if activation in ("relu", "jumprelu"):
        stem = "skip_transcoder" if has_skip else "transcoder"
        return stem if activation == "relu" else f"jumprelu_{stem}"
    if not has_skip and metadata["d_model"] == metadata.get("d_out", metadata["d_model"]):
        return PLAIN[activation]
    what = "with a skip path" if has_skip else "that reads and writes different widths"
    raise ExportUnsupported(
        f"SAELens has no {activation} dictionary {what}. Those with relu, jumprelu or batchtopk "
        "can be exported."
    )


def configuration(
    metadata: dict[str, Any], has_skip: bool, about: dict[str, Any]
) -> dict[str, Any]:
    """Return the content of ``cfg.json``.

    Args:
        metadata: Of the checkpoint.
        has_skip: Whether there is a ``W_skip_DD``.
        about: What else is known: ``model_name``, ``dataset_path``, ``context_size``, …

    Raises:
        ExportUnsupported: see ``architecture_of``.
    """
    architecture = architecture_of(metadata, has_skip)
    transcodes = "transcoder" in architecture
    reads, layer = metadata["hook_type"], metadata["layer"]
    config = {
        "architecture": architecture,
        "d_in": metadata["d_model"],
        "d_sae": metadata["d_sae"],
        "dtype": "float32",
        "device": "cpu",
        "apply_b_dec_to_input": metadata.get("centres_input", True) and not transcodes,
        "normalize_activations": "none",
        "reshape_activations": "hook_z" if reads == "z" else "none",
        "metadata": {
            "sae_lens_version": VERSION,
            "sae_lens_training_version": None,
            "hook_name": lens_name(layer, reads),
            "hook_head_index": None,
            "exported_by": "MechInterp Studio",
            "training_architecture": metadata.get("encoder_type", "sparse"),
            **about,
        },
    }
    if architecture == "topk":
        config |= {"k": metadata["k"], "rescale_acts_by_decoder_norm": False}
    if transcodes:
        config["d_out"] = metadata.get("d_out", metadata["d_model"])
    if metadata.get("encoder_type", "sparse") != "sparse":
        written = metadata.get("target_hook_type") or reads
        config["metadata"]["hook_name_out"] = lens_name(layer, written)
    return config


class SaelensExport:
    """A checkpoint as the files of a SAELens folder, each an iterator of bytes.

    Args:
        folder: Checkpoint of ours.
        about: Passed to ``configuration``.
        beside: Further files by name, e.g. a parity report; no loader reads them.

    Raises:
        ExportUnsupported: SAELens has no form for it.
    """

    def __init__(
        self, folder: Path, about: dict[str, Any], beside: Mapping[str, bytes] | None = None
    ) -> None:
        self.folder = folder
        self.beside = dict(beside or {})
        self.metadata = json.loads((folder / "metadata.json").read_text())
        self.source = SafetensorsFile.open(folder / "sae.safetensors")
        self.has_skip = "W_skip_DD" in self.source.entries
        self.config = configuration(self.metadata, self.has_skip, about)

    def files(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Yield name and content of each file."""
        yield "cfg.json", iter([json.dumps(self.config, indent=2).encode()])
        yield "sae_weights.safetensors", self._weights()
        if (self.folder / FIRING_FILE).is_file():
            yield "sparsity.safetensors", iter([self._sparsity()])
        yield from ((name, iter([content])) for name, content in self.beside.items())

    def write(self, target: Path) -> None:
        """Write the files into an existing folder."""
        for name, content in self.files():
            with (target / name).open("wb") as file:
                file.writelines(content)

    def zipped(self) -> Iterator[bytes]:
        """Yield a zip archive of the files as it grows; nothing is kept."""
        sink = _Sink()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
            for name, content in self.files():
                with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                    for block in content:
                        member.write(block)
                        yield sink.take()
        yield sink.take()

    def _weights(self) -> Iterator[bytes]:
        gated = self.metadata["activation"] == "gated"
        names = NAMES | ({"b_enc_F": "b_mag"} if gated else {})
        folded = self._folded_biases()
        header: dict[str, Any] = {}
        place = 0
        for ours, entry in self.source.entries.items():
            size = entry["data_offsets"][1] - entry["data_offsets"][0]
            header[names[ours]] = {**entry, "data_offsets": [place, place + size]}
            place += size
        yield _header(header)
        for ours in self.source.entries:
            if ours in folded:
                yield folded[ours]
            else:
                yield from self.source.chunks(ours)

    def _folded_biases(self) -> dict[str, bytes]:
        """Move the centring into the encoder's bias where SAELens' class does not centre."""
        if not self.metadata.get("centres_input", True) or self.config["apply_b_dec_to_input"]:
            return {}
        matrix, centre = self.source.array("W_enc_DF"), self.source.array("b_dec_D")
        offset = sum(
            np.float64(c) * row.astype(np.float64) for c, row in zip(centre, matrix, strict=True)
        )
        bias = self.source.array("b_enc_F").astype(np.float64) - offset
        return {"b_enc_F": bias.astype("<f4").tobytes()}

    def _sparsity(self) -> bytes:
        """Return log10 of each latent's share of held-out tokens, -10 where it never fired."""
        firing = SafetensorsFile.open(self.folder / FIRING_FILE)
        n_tokens = int(firing.array("n_tokens")[0])
        shares = firing.array("fires_F") / n_tokens
        logs = [math.log10(share) if share > 0 else DEAD_LOG_SHARE for share in shares.tolist()]
        data = np.array(logs, dtype="<f4").tobytes()
        entry = {"dtype": "F32", "shape": [len(logs)], "data_offsets": [0, len(data)]}
        return _header({"sparsity": entry}) + data


def _header(entries: dict[str, Any]) -> bytes:
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


class _Sink(io.RawIOBase):
    """A file that is only written; ``take`` hands over what came since."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        data, self._parts = b"".join(self._parts), []
        return data
