"""Steered runs of a small model by the task itself, and what is exported of them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import torch
from safetensors.torch import save_file

from app.core.enums import JobAction
from app.core.paths import model_dir
from app.db.models import SteeringRun
from app.ml.configs import SteeringConfig
from app.schemas.events import Event, SteeringTokens
from app.services import steering_export
from app.workers.context import JobContext, JobInterrupted, JobOutcome
from app.workers.model_cache import ModelCache
from app.workers.tasks.steering import handle

GLASS = Path(__file__).parents[1] / "data" / "glass-en"
WIDTH, N_LATENTS = 128, 16


class Rows:
    """Takes the one row that a run leaves."""

    def __init__(self) -> None:
        self.run: SteeringRun | None = None

    def merge(self, run: SteeringRun) -> None:
        self.run = run


class Context:
    """A job's context without a database and a broker."""

    def __init__(self, root: Path, payload: dict[str, Any], stop_after: int | None = None) -> None:
        self.payload, self.data_root, self.job_id = payload, root, uuid4()
        self.settings = SimpleNamespace(device="cpu")
        self.events: list[Event] = []
        self.rows = Rows()
        self._stop_after = stop_after

    def report(self, *_: object, **__: object) -> None:
        pass

    def publish(self, event: Event) -> None:
        self.events.append(event)

    def next_seq(self) -> int:
        return len(self.events) + 1

    def stop_requested(self) -> JobAction | None:
        n_steps = sum(isinstance(event, SteeringTokens) for event in self.events)
        wants_stop = self._stop_after is not None and n_steps >= self._stop_after
        return JobAction.CANCEL if wants_stop else None

    def raise_if_stopped(self) -> None:
        if (action := self.stop_requested()) is not None:
            raise JobInterrupted(action)

    def transaction(self, work: Callable[[Any], None]) -> None:
        work(self.rows)


def lay_out(folder: Path) -> Path:
    """Make a data folder with a model and a dictionary of random unit directions."""
    shutil.copytree(GLASS, folder / model_dir(UUID(int=1)))
    lay_out_dictionary_files(folder)
    return folder


def lay_out_dictionary_files(folder: Path, width: int = WIDTH) -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.nn.functional.normalize(torch.randn(N_LATENTS, width, generator=generator), dim=1)
    sae = folder / "sae"
    sae.mkdir(exist_ok=True)
    tensors = {
        "W_enc_DF": rows.T.contiguous(), "W_dec_FD": rows, "b_enc_F": torch.zeros(N_LATENTS),
        "b_dec_D": torch.zeros(width),
    }  # fmt: skip
    save_file(tensors, sae / "sae.safetensors")
    (sae / "metadata.json").write_text(json.dumps({"activation": "relu", "k": None}))


def edit(index: int, **values: Any) -> dict[str, Any]:
    return {
        "id": index + 100, "neuron_index": index, "name": None, "coefficient": 20.0,
        "unit": "activation", "method": "add", "only_active": False, "max_activation": 5.0,
        "layer": 2, "at_layer": 2, "hook_type": "residual", "at_hook_type": "residual",
        "sae_path": "sae",
    } | values  # fmt: skip


def payload(*edits: dict[str, Any], **settings: Any) -> dict[str, Any]:
    config = SteeringConfig(prompt="Alice was beginning to", max_new_tokens=12, seed=3, **settings)
    return {
        "model_id": str(UUID(int=1)),
        "memory_bytes": 0,
        "config": config.to_dict(),
        "edits": list(edits) or [edit(3)],
    }


CACHE = ModelCache(10**9)


def run(
    root: Path, asked: dict[str, Any], stop_after: int | None = None
) -> tuple[JobOutcome, Context, SteeringRun]:
    context = Context(root, asked, stop_after)
    outcome = handle(cast(JobContext, context), CACHE)
    assert context.rows.run is not None
    # As PostgreSQL would give it back.
    kept = context.rows.run
    kept.result = json.loads(json.dumps(kept.result))
    return outcome, context, kept


def conditional(*edits: dict[str, Any], threshold: float = 0.0, **settings: Any) -> dict[str, Any]:
    condition = {
        "id": 105, "neuron_index": 5, "name": "five", "threshold": threshold, "layer": 1,
        "hook_type": "residual", "sae_path": "sae",
    }  # fmt: skip
    return payload(*edits, **settings) | {"condition": condition}


def exported(kept: SteeringRun, file_format: str) -> bytes:
    make = steering_export._FORMATS[file_format][0]
    return make(kept)
