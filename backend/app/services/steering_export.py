"""A steering run as a file: vectors for other programs, or a program that repeats the text."""

import base64
import contextlib
import json
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save
from sqlalchemy.orm import Session

from app.core.errors import ValidationFailed
from app.db.models import SteeringRun
from app.schemas.steering_run import ExportFormat
from app.services.steering_runs import require_run
from app.services.steering_snippet import SNIPPET

Vector = npt.NDArray[np.float32]
WHY_NOT = {
    "z": ", whose directions have as many numbers as the heads, not the stream",
    "resid_mid": ", which the MLP of the block still reads",
}
_CONSTANT = frozenset({"add", "project"})


@dataclass(frozen=True)
class ExportedRun:
    content: bytes
    media_type: str
    file_name: str


class NotExportable(ValidationFailed):
    """The format cannot say what this run did."""


def export_run(session: Session, run_id: Any, file_format: ExportFormat) -> ExportedRun:
    """
    Raises:
        RunNotFound: No such run.
        NotExportable: The format has no words for one of its operations.
    """
    run = require_run(session, run_id)
    make, media_type, suffix = _FORMATS[file_format]
    return ExportedRun(make(run), media_type, f"steering-{str(run.id)[:8]}.{suffix}")


def directions_of(run: SteeringRun) -> list[Vector]:
    """The decoder rows of the run's features, float32 (D,), in their order."""
    tensors = load(run.directions)
    return [tensors[f"direction.{n}"].astype(np.float32) for n in range(len(tensors))]


def control_vectors(run: SteeringRun) -> dict[int, Vector]:
    """What is added to the residual stream after each block, in activation units.

    Raises:
        NotExportable: Something else than adding was done, or elsewhere.
    """
    vectors: dict[int, Vector] = defaultdict(lambda: np.zeros(1, np.float32))
    edits, resolved = run.payload["edits"], run.result["features"]
    if limits := _beyond_directions(run):
        raise NotExportable(f"A control vector acts at every token; this run {limits}.")
    if where := _limited_to(run.payload["config"]):
        raise NotExportable(
            f"A control vector acts at every token; this run steered {where} only. Export it as a "
            "program, or steer without that limit."
        )
    for edit, feature, direction in zip(edits, resolved, directions_of(run), strict=True):
        strength = feature["strength_in_activation_units"]
        place = edit.get("at_hook_type") or edit["hook_type"]  # runs before it was asked for
        if edit["method"] != "add" or edit["only_active"] or place != "residual":
            raise NotExportable(
                "A control vector can only be added to the residual stream after a block; this run "
                f'does "{edit["method"]}" at {place}{WHY_NOT.get(place, "")}. Export it as JSON or '
                "as a program."
            )
        if strength is None:
            raise NotExportable(
                "The strength of a share of the norm differs from place to place; steer in "
                "activation units, or with one feature, for a control vector."
            )
        layer = edit["at_layer"]
        vectors[layer] = vectors[layer] + np.float32(strength) * direction
    return dict(vectors)


def _limited_to(config: dict[str, Any]) -> str:
    """Which tokens a run was limited to; empty where all were steered.

    That special tokens were left alone is no limit here: every run does so by default.
    """
    limits = {
        "the generated text": not config["steer_prompt"],
        "the prompt": not config["steer_generated"],
        "some positions": config["positions"] or config.get("window"),
        "some tokens": config.get("token_ids"),
    }
    return " and ".join(name for name, applies in limits.items() if applies)


def _beyond_directions(run: SteeringRun) -> str:
    """What a run did that needs whole dictionaries; empty when directions say it all."""
    if run.payload["config"].get("mode") == "reconstruction":
        return "put the dictionary's reconstruction in the place of the activations"
    if "condition" in run.payload:
        return f"acts only where feature {run.payload['condition']['neuron_index']} fires"
    return ""


def _json(run: SteeringRun) -> bytes:
    document = {
        "format": "mistudio-steering-run",
        "version": 1,
        "id": str(run.id),
        "fingerprint": run.fingerprint,
        "created_at": run.created_at.isoformat(),
        "request": run.payload,
        "environment": run.environment,
        "model_facts": run.facts,
        "directions": [direction.tolist() for direction in directions_of(run)],
        "result": run.result,
    }
    return json.dumps(document, indent=1, ensure_ascii=False).encode()


def _safetensors(run: SteeringRun) -> bytes:
    """``direction.N`` per feature as it is; ``control.L`` what is added after block L."""
    tensors = {f"direction.{n}": vector for n, vector in enumerate(directions_of(run))}
    with contextlib.suppress(NotExportable):  # other operations are said by the directions alone
        tensors |= {f"control.{layer}": vector for layer, vector in control_vectors(run).items()}
    metadata = {
        "format": "mistudio-steering",
        "run_id": str(run.id),
        "model": str(run.environment["model"]),
        "features": json.dumps(run.result["features"]),
    }
    return save(tensors, metadata)


def _gguf(run: SteeringRun) -> bytes:
    """A control vector for llama.cpp; its ``direction.N`` is added after block N, from 1 on."""
    from gguf import GGUFWriter

    vectors = control_vectors(run)
    if 0 in vectors:
        raise NotExportable("llama.cpp has no control vector after block 0; steer a later layer.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vector.gguf"
        writer = GGUFWriter(path, "controlvector")
        writer.add_string("controlvector.model_hint", str(run.facts["family"]))
        writer.add_uint32("controlvector.layer_count", len(vectors))
        writer.add_name(f"MechInterp Studio run {run.id}")
        for layer, vector in sorted(vectors.items()):
            writer.add_tensor(f"direction.{layer}", vector)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path.read_bytes()


def _python(run: SteeringRun) -> bytes:
    """A program that repeats the steered text without this project."""
    edits = run.payload["edits"]
    refused = [edit for edit in edits if edit["method"] not in _CONSTANT or edit["only_active"]]
    if refused:
        raise NotExportable(
            f'"{refused[0]["method"]}" reads the feature at every token, for which the program '
            "would need the whole dictionary. Export it as JSON, or use add or project."
        )
    if limits := _beyond_directions(run):
        raise NotExportable(
            f"This run {limits}, for which the program would need the whole dictionary. Export it "
            "as JSON."
        )
    quantization = run.facts.get("quantization", "FP16")  # runs before it was kept
    if quantization == "Q2":
        raise NotExportable(
            "This run's model is in 2 bits, which transformers cannot load. Export it as JSON, or "
            "repeat it with the model in more bits."
        )
    expected_ids = [t["token_id"] for t in run.result["steered_output"]["tokens"]]
    # A cancelled run ends where it was cancelled.
    shorter = {"max_new_tokens": len(expected_ids)} if run.result["stopped"] else {}
    columns = zip(
        edits, run.result["features"], run.facts["places"], directions_of(run), strict=True
    )
    data = {
        "run": str(run.id),
        "prompt_ids": [token["token_id"] for token in run.result["prompt_tokens"]],
        "prompt_steered": [token["steered"] for token in run.result["prompt_tokens"]],
        "settings": run.payload["config"] | shorter,
        "quantization": quantization,
        **{key: run.environment[key] for key in ("dtype", "device", "torch", "transformers")},
        "special_ids": run.facts["special_ids"],
        "end_ids": run.facts["end_ids"],
        "edits": [_edit(*column) for column in columns],
        "expected": run.result["steered_output"]["text"],
        "expected_ids": expected_ids,
    }
    return SNIPPET.replace("@RUN@", repr(json.dumps(data))).encode()


def _edit(
    edit: dict[str, Any], feature: dict[str, Any], place: dict[str, Any], direction: Vector
) -> dict[str, Any]:
    is_share = edit["method"] == "add" and edit["unit"] == "norm_fraction"
    is_factor = is_share or edit["method"] == "project"
    return {
        "method": "share" if is_share else edit["method"],
        "amount": edit["coefficient"] if is_factor else feature["strength_in_activation_units"],
        "module": place["module"],
        "reads_input": place["reads_input"],
        "in_place": place.get("in_place", False),
        "direction": base64.b64encode(direction.tobytes()).decode(),
    }


_FORMATS = {
    "json": (_json, "application/json", "json"),
    "safetensors": (_safetensors, "application/octet-stream", "safetensors"),
    "gguf": (_gguf, "application/octet-stream", "gguf"),
    "python": (_python, "text/x-python", "py"),
}
