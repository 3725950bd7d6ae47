"""Turning a Hugging Face folder or a GGUF file into the folder that everything else reads."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch

from app.ml.configs.quantisation import QUANTISED
from app.ml.devices import coded_memory_errors
from app.ml.errors import ModelFormatError
from app.ml.files import replacing_folder, write_json
from app.ml.language_models.card import (
    READING_ERRORS,
    first_line,
    read_model_card,
)
from app.ml.language_models.gguf_reading import parsed_once
from app.ml.language_models.hook_points import (
    offered_hook_types,
    resolve_hook_point,
    width_at,
)
from app.ml.language_models.loading import (
    load_language_model,
    load_tokenizer,
    loaded_format,
    read_weights,
)
from app.ml.language_models.transformers_classes import AutoModelForCausalLM, AutoTokenizer
from app.ml.records import ModelCard, Progress, Report, to_json

GGUF_MAGIC = b"GGUF"
QUANTISATION_KEYS = ("quantization_config", "_name_or_path")
STEPS = 4


def import_language_model(
    source: Path, destination: Path, report: Report, *, quantization: str = "FP16"
) -> ModelCard:
    """Import a local model: read it wholly, write it as safetensors, check it.

    Args:
        source: Hugging Face folder (safetensors) or a ``.gguf`` file. float16 weights stay
            float16, everything else becomes bfloat16; with FP32 all become float32.
        destination: Folder to create; it appears only when the import succeeded.
        report: Gets one ``Progress`` per stage.
        quantization: One of ``configs.QUANTISATIONS``. Q8, Q4 and Q2 are written in 16 bits
            and quantised whenever the folder is loaded; the memory of it is measured here.

    Returns:
        The card of the written folder; it stands there as ``metadata.json`` too.

    Raises:
        ModelFormatError: with one sentence on what is wrong with the source.
        HookPointNotFound: activations could not be read from this model.
        OutOfMemory: the weights do not fit into memory.
    """
    report(Progress(0, STEPS, "steps", "Checking the files"))
    is_gguf = source.is_file()
    if is_gguf:
        _check_gguf(source)
    else:
        read_model_card(source)
    report(Progress(1, STEPS, "steps", "Reading the weights"))
    with coded_memory_errors("importing the model"):
        read = _read_gguf if is_gguf else _read_folder
        model, tokenizer = read(source, torch.float32 if quantization == "FP32" else None)
        places = _places(model)
        report(Progress(2, STEPS, "steps", "Writing safetensors"))
        with replacing_folder(destination) as temporary:
            model.save_pretrained(temporary)
            tokenizer.save_pretrained(temporary)
            report(Progress(3, STEPS, "steps", "Checking what was written"))
            card = dataclasses.replace(
                read_model_card(temporary), quantization=quantization, **places
            )
            del model
            card = _weighed(temporary, card)
            write_json(temporary / "metadata.json", {"source": source.name, **to_json(card)})
    report(Progress(STEPS, STEPS, "steps", "Imported"))
    return card


def _places(model: Any) -> dict[str, Any]:
    """Return which hook types every block has, and how wide the heads are together."""
    offered = offered_hook_types(model)
    if "z" not in offered:
        return {"hook_types": offered}
    width = width_at(model, resolve_hook_point(model, 0, "z"), 0)
    return {"hook_types": offered, "d_z": width}


def _weighed(folder: Path, card: ModelCard) -> ModelCard:
    """Return the card with the memory that the weights take when they are loaded here.

    Plain weights are loaded in the format that is fast on this machine, whatever the file has;
    what quantised ones take is found by loading them.
    """
    if card.quantization not in QUANTISED:
        size = card.params_count * loaded_format(card.quantization).itemsize
        return dataclasses.replace(card, memory_bytes=size)
    write_json(folder / "metadata.json", {"quantization": card.quantization})
    memory_bytes = load_language_model(folder, device="auto").card.memory_bytes
    return dataclasses.replace(card, memory_bytes=memory_bytes)


def _check_gguf(source: Path) -> None:
    with source.open("rb") as file:
        magic = file.read(4)
    if magic != GGUF_MAGIC:
        raise ModelFormatError(
            f"{source.name} is not a GGUF file; choose a .gguf file or a Hugging Face folder."
        )


def _read_folder(source: Path, dtype: torch.dtype | None) -> tuple[Any, Any]:
    tokenizer = load_tokenizer(source)
    half = read_model_card(source).dtype == "float16"
    wanted = dtype or (torch.float16 if half else torch.bfloat16)
    model = read_weights(source, wanted)
    if getattr(model, "is_quantized", False):  # as bitsandbytes stores them
        model = _without_quantisation_mark(model.dequantize()).to(wanted)
    for key in QUANTISATION_KEYS:
        if getattr(model.config, key, None):
            setattr(model.config, key, None)
    return model, tokenizer


def _read_gguf(source: Path, dtype: torch.dtype | None) -> tuple[Any, Any]:
    """Read a GGUF file dequantised."""
    options = {"gguf_file": source.name, "local_files_only": True, "trust_remote_code": False}
    try:
        with parsed_once():
            tokenizer = AutoTokenizer.from_pretrained(source.parent, **options)
            dequantised = AutoModelForCausalLM.from_pretrained(
                source.parent, dtype=torch.float32, **options
            )
        return _without_quantisation_mark(dequantised).to(dtype or torch.bfloat16), tokenizer
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except READING_ERRORS as error:
        raise ModelFormatError(f"{source.name} cannot be read: {first_line(error)}") from error


def _without_quantisation_mark(dequantised: Any) -> Any:
    """Move the weights into a fresh model.

    transformers marks a model that it has dequantised as quantised and refuses to save it,
    although its weights are plain.
    """
    values = dequantised.config.to_dict()
    for key in QUANTISATION_KEYS:
        values.pop(key, None)
    build: Any = AutoModelForCausalLM.from_config
    with torch.device("meta"):  # no memory and no random numbers for weights that are replaced
        model = build(type(dequantised.config)(**values))
    model.load_state_dict(dequantised.state_dict(), assign=True)
    model.tie_weights()
    return model
