"""Checkpoints: whole or absent, checked when read, safetensors only."""

from __future__ import annotations

import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from app.ml.configs import TrainingHyperparameters
from app.ml.errors import CheckpointInvalid, CheckpointMismatch
from app.ml.files import file_sha256, folder_size_bytes, read_json, replacing_folder, write_json
from app.ml.records import CheckpointInfo, StepMetrics
from app.ml.sae_training.weights import Normalisation, Weights, fold

FORMAT = "mistudio-sae-1"
TENSOR_FILES = ("sae.safetensors", "state.safetensors", "optimizer.safetensors")
FREE_SETTINGS = ("log_every", "checkpoint_every", "keep_checkpoints", "training_steps")
"""Settings that may differ between a checkpoint and the run that continues it."""
OPTIMISER_KEYS = ("exp_avg", "exp_avg_sq", "step", "momentum_buffer")


@dataclass
class TrainingState:
    """Everything that the next step depends on."""

    weights: Weights
    normalisation: Normalisation
    optimiser: torch.optim.Optimizer
    tokens_since_fired_F: torch.Tensor
    step: int = 0


@dataclass(frozen=True)
class RunIdentity:
    """What a checkpoint belongs to; compared before a run continues from it."""

    encoder_type: str
    layer: int
    hook_type: str
    d_model: int
    d_sae: int
    n_train_rows: int

    def describe(self, hyperparameters: TrainingHyperparameters) -> dict[str, Any]:
        settings = hyperparameters.to_dict()
        fixed = {k: v for k, v in settings.items() if k not in FREE_SETTINGS}
        return {**asdict(self), "hyperparameters": fixed}


def save_checkpoint(
    folder: Path,
    state: TrainingState,
    identity: RunIdentity,
    hyperparameters: TrainingHyperparameters,
    metrics: StepMetrics,
    reason: Literal["interval", "request", "stop", "final"],
) -> CheckpointInfo:
    """Write ``step_{step}`` into ``folder`` in one step and drop old interval checkpoints.

    ``sae.safetensors`` holds the weights folded into the original space, ``state.safetensors``
    the raw ones with mean, scale and dead counters, so that continuing is bit-identical.

    Raises:
        OSError: the disk is full; older checkpoints are untouched then.
    """
    target = folder / f"step_{state.step}"
    with replacing_folder(target) as temporary:
        save_file(_on_cpu(fold(state.weights, state.normalisation)), temporary / TENSOR_FILES[0])
        save_file(_on_cpu(_state_tensors(state)), temporary / TENSOR_FILES[1])
        save_file(_on_cpu(_optimiser_tensors(state)), temporary / TENSOR_FILES[2])
        metadata = {
            "format": FORMAT,
            "step": state.step,
            "reason": reason,
            "activation": hyperparameters.activation,
            "k": hyperparameters.k if hyperparameters.activation == "topk" else None,
            **asdict(identity),
            "scale": state.normalisation.scale,
            "hyperparameters": hyperparameters.to_dict(),
            "metrics": asdict(metrics),
            "sha256": {name: file_sha256(temporary / name) for name in TENSOR_FILES},
        }
        write_json(temporary / "metadata.json", metadata)
    removed = _drop_old(folder, target, hyperparameters.keep_checkpoints)
    return _info(target, metadata, removed)


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
    theirs = RunIdentity(**{k: metadata[k] for k in RunIdentity.__dataclass_fields__})
    mine, other = identity.describe(hyperparameters), theirs.describe(saved)
    different = sorted(k for k in mine if mine[k] != other[k])
    if different:
        raise CheckpointMismatch(
            f"{path.name} cannot continue this run: it differs in {', '.join(different)}."
        )
    tensors = load_file(path / "state.safetensors")
    for name, parameter in state.weights.named_parameters():
        parameter.copy_(tensors[name])
    state.tokens_since_fired_F.copy_(tensors["tokens_since_fired_F"])
    device = state.weights.b_dec_D.device
    state.normalisation = Normalisation(tensors["mean_D"].to(device), metadata["scale"])
    state.step = metadata["step"]
    _restore_optimiser(state, load_file(path / "optimizer.safetensors"))


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
    return CheckpointInfo(
        path=path,
        step=metadata["step"],
        loss=metrics["loss"],
        l0=metrics["l0"],
        explained_variance=metrics["explained_variance"],
        size_bytes=folder_size_bytes(path),
        reason=metadata["reason"],
        removed=removed,
    )


def _drop_old(folder: Path, newest: Path, keep: int) -> list[Path]:
    """Delete interval and stop checkpoints beyond the newest ``keep``; requested ones stay."""
    automatic = [c for c in list_checkpoints(folder) if c.reason in ("interval", "stop")]
    others = [c for c in automatic if c.path != newest]
    surplus = others[: max(len(automatic) - keep, 0)]
    for checkpoint in surplus:
        shutil.rmtree(checkpoint.path, ignore_errors=True)
    return [checkpoint.path for checkpoint in surplus]


def _state_tensors(state: TrainingState) -> dict[str, torch.Tensor]:
    tensors = {name: p.detach() for name, p in state.weights.named_parameters()}
    tensors["mean_D"] = state.normalisation.mean_D
    tensors["tokens_since_fired_F"] = state.tokens_since_fired_F
    return tensors


def _optimiser_tensors(state: TrainingState) -> dict[str, torch.Tensor]:
    tensors = {}
    for name, parameter in state.weights.named_parameters():
        for key in OPTIMISER_KEYS:
            value = state.optimiser.state[parameter].get(key)
            if isinstance(value, torch.Tensor):
                tensors[f"{name}.{key}"] = value
    return tensors


def _restore_optimiser(state: TrainingState, tensors: dict[str, torch.Tensor]) -> None:
    parameters = dict(state.weights.named_parameters())
    for full_name, value in tensors.items():
        name, key = full_name.split(".")
        parameter = parameters[name]
        device = torch.device("cpu") if key == "step" and value.ndim == 0 else parameter.device
        state.optimiser.state[parameter][key] = value.to(device)


def _on_cpu(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
