"""Checkpoints: whole or absent, checked when read, safetensors only."""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from app.ml.configs import TrainingHyperparameters
from app.ml.errors import CheckpointInvalid, CheckpointMismatch
from app.ml.files import file_sha256, folder_size_bytes, read_json, replacing_folder, write_json
from app.ml.records import CheckpointInfo, StepMetrics
from app.ml.sae_training.folding import InferenceForm
from app.ml.sae_training.quality import Quality
from app.ml.sae_training.retention import drop_old
from app.ml.sae_training.state import RunIdentity, TrainingState

FORMAT = "mistudio-sae-1"
TENSOR_FILES = ("sae.safetensors", "state.safetensors", "optimizer.safetensors")
Reason = Literal["interval", "request", "stop", "final"]


@dataclass(frozen=True)
class CheckpointContent:
    """What is written: the dictionary as others read it, and all that training goes on from."""

    state: TrainingState
    form: InferenceForm
    identity: RunIdentity
    hyperparameters: TrainingHyperparameters
    metrics: StepMetrics
    quality: Quality
    reason: Reason

    def metadata(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "step": self.state.step,
            "reason": self.reason,
            "activation": self.form.activation,
            "k": self.form.k,
            "centres_input": self.form.centres_input,
            **asdict(self.identity),
            "scale": self.state.read.scale,
            "target_scale": self.state.written.scale,
            "smoothed_variance": self.state.smoothed_variance,
            "block_rows": self.state.block_rows,
            "hyperparameters": self.hyperparameters.to_dict(),
            "metrics": asdict(self.metrics),
            "quality": asdict(self.quality),
        }


def save_checkpoint(
    folder: Path, content: CheckpointContent, recorded: int | None = None
) -> CheckpointInfo:
    """Write ``step_{step}`` into ``folder`` in one step and drop old automatic checkpoints.

    ``sae.safetensors`` holds the weights folded into the original space, ``state.safetensors``
    the raw ones with means, scales, thresholds and dead counters, so that continuing is
    bit-identical. ``recorded`` is the step of an old one that must stay, see ``drop_old``.

    Raises:
        OSError: the disk is full; older checkpoints are untouched then.
    """
    began = time.perf_counter()
    target = folder / f"step_{content.state.step}"
    with replacing_folder(target) as temporary:
        save_file(_on_cpu(content.form.tensors), temporary / TENSOR_FILES[0])
        save_file(_on_cpu(content.state.tensors()), temporary / TENSOR_FILES[1])
        save_file(_on_cpu(content.state.optimiser_tensors()), temporary / TENSOR_FILES[2])
        sums = {name: file_sha256(temporary / name) for name in TENSOR_FILES}
        metadata = {**content.metadata(), "sha256": sums}
        write_json(temporary / "metadata.json", metadata)
    keep = content.hyperparameters.keep_checkpoints
    dropped = drop_old(list_checkpoints(folder), target, keep, recorded)
    info = _info(target, metadata, dropped)
    return replace(info, seconds=time.perf_counter() - began)


def restore_checkpoint(
    path: Path,
    state: TrainingState,
    identity: RunIdentity,
    hyperparameters: TrainingHyperparameters,
) -> None:
    """Fill ``state`` from a checkpoint folder.

    Raises:
        CheckpointInvalid: a file is missing, truncated or altered.
        CheckpointMismatch: it belongs to another run, width or configuration.
    """
    metadata = verify_checkpoint(path)
    saved = TrainingHyperparameters.from_dict(metadata["hyperparameters"])
    mine = identity.describe(hyperparameters)
    other = RunIdentity.of(metadata).describe(saved)
    different = sorted(k for k in mine if mine[k] != other[k])
    if different:
        raise CheckpointMismatch(
            f"{path.name} cannot continue this run: it differs in {', '.join(different)}."
        )
    state.restore(
        metadata,
        load_file(path / "state.safetensors"),
        load_file(path / "optimizer.safetensors"),
    )


def verify_checkpoint(path: Path) -> dict[str, Any]:
    """Return a checkpoint's metadata after comparing every checksum.

    Raises:
        CheckpointInvalid: naming the file that is missing, truncated or altered.
    """
    try:
        metadata: dict[str, Any] = read_json(path / "metadata.json")
    except (OSError, ValueError) as error:
        raise CheckpointInvalid(f"{path.name} holds no finished checkpoint.") from error
    if metadata.get("format") != FORMAT:
        raise CheckpointInvalid(f"{path.name} is not a checkpoint of this version.")
    for name, digest in metadata["sha256"].items():
        file = path / name
        if not file.is_file() or file_sha256(file) != digest:
            raise CheckpointInvalid(f"{path.name}/{name} is missing or was altered.")
    try:
        load_file(path / "state.safetensors")
    except (SafetensorError, OSError) as error:
        raise CheckpointInvalid(f"{path.name}/state.safetensors is damaged.") from error
    return metadata


def list_checkpoints(folder: Path) -> list[CheckpointInfo]:
    """Return the finished checkpoints in a training's folder, oldest first."""
    found = []
    for path in folder.glob("step_*"):
        if re.fullmatch(r"step_\d+", path.name) and (path / "metadata.json").is_file():
            found.append(_info(path, read_json(path / "metadata.json"), []))
    return sorted(found, key=lambda info: info.step)


def _info(path: Path, metadata: dict[str, Any], removed: list[Path]) -> CheckpointInfo:
    metrics = metadata["metrics"]
    quality = metadata.get("quality", {})
    return CheckpointInfo(
        path=path,
        step=metadata["step"],
        loss=metrics["loss"],
        l0=metrics["l0"],
        explained_variance=metrics["explained_variance"],
        size_bytes=folder_size_bytes(path),
        reason=metadata["reason"],
        removed=removed,
        quality=quality.get("explained_variance"),
        quality_split=quality.get("split", "training"),
    )


def _on_cpu(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
