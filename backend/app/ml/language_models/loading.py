"""Reading a model folder into memory."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from app.ml.configs.quantisation import QUANTISED
from app.ml.devices import coded_memory_errors, is_bf16_faster, pick_device
from app.ml.errors import ModelFormatError
from app.ml.language_models.card import (
    READING_ERRORS,
    first_line,
    read_model_card,
)
from app.ml.language_models.folder_check import check_model_folder, read_config
from app.ml.language_models.fused_gelu import fuse_gelu
from app.ml.language_models.placement import Room, resident_bytes, spread_options
from app.ml.language_models.quantisation import (
    keep_plain_products,
    loading_options,
    stored_quantisation,
)
from app.ml.language_models.special_tokens import (
    separator_token_id,
    special_token_ids,
    start_token_id,
)
from app.ml.language_models.transformers_classes import AutoModelForCausalLM, AutoTokenizer
from app.ml.language_models.two_bits import quantise_to_two_bits
from app.ml.records import ModelCard


@dataclass
class LoadedModel:
    """A model ready to read text: evaluation mode, no gradients, on ``device`` in ``dtype``."""

    model: Any
    tokenizer: Any
    card: ModelCard
    device: torch.device
    dtype: torch.dtype
    special_ids: list[int] = field(default_factory=list)
    separator_id: int | None = None
    start_id: int | None = None
    acceleration: str = "eager"

    @property
    def body(self) -> nn.Module:
        """The model without its unembedding, for passes that need no logits."""
        base: nn.Module = self.model.base_model
        return base


def load_tokenizer(folder: Path) -> Any:
    """Load a folder's tokenizer offline; never runs code from the folder.

    Raises:
        ModelFormatError: the folder has no tokenizer that can be read.
    """
    if not folder.is_dir():
        raise ModelFormatError(f"The model folder {folder.name!r} does not exist.")
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except READING_ERRORS as error:
        raise ModelFormatError(
            f"The folder {folder.name!r} has no readable tokenizer (tokenizer.json is needed): "
            f"{first_line(error)}"
        ) from error


def load_language_model(
    folder: Path, *, device: str = "auto", dtype: str = "auto", room: Room | None = None
) -> LoadedModel:
    """Load a model folder for reading activations and generating text.

    A folder imported as FP32, Q8, Q4 or Q2 is loaded as such; the card's ``memory_bytes`` are
    measured on the loaded weights. A model that does not fit is spread over GPU, memory and
    disk: slower, with the same activations. Quantised ones must fit, since their weights are
    made while loading.

    Args:
        folder: Hugging Face folder with safetensors weights.
        device: "auto" takes a GPU when there is one.
        dtype: "auto" takes bfloat16 where a short measurement shows it to be faster, else
            float32; or a name such as "float32".
        room: What the weights may take; by default 80 % of what is free.

    Raises:
        ModelFormatError: missing, pickled, truncated or inconsistent files.
        OutOfMemory: the device cannot hold the weights.
    """
    check_model_folder(folder)
    target = pick_device(device)
    quantisation = stored_quantisation(folder)
    number_format = _number_format(dtype, quantisation, target)
    tokenizer = load_tokenizer(folder)
    card = read_model_card(folder)
    with coded_memory_errors("loading the model"):
        if quantisation in QUANTISED:
            model = _read_quantised(folder, quantisation, number_format, target)
        else:
            needed = card.params_count * number_format.itemsize
            model = _read_plain(folder, number_format, target, needed, room or Room.on(target))
    model.requires_grad_(False)
    fuse_gelu(model)
    return LoadedModel(
        model=model.eval(),
        tokenizer=tokenizer,
        card=dataclasses.replace(
            card, quantization=quantisation, memory_bytes=resident_bytes(model)
        ),
        device=target,
        dtype=number_format,
        special_ids=special_token_ids(tokenizer),
        separator_id=separator_token_id(tokenizer),
        start_id=start_token_id(tokenizer),
    )


def _number_format(dtype: str, quantisation: str, device: torch.device) -> torch.dtype:
    if dtype != "auto":
        named: torch.dtype = getattr(torch, dtype)
        return named
    if quantisation == "FP32":
        return torch.float32
    return torch.bfloat16 if is_bf16_faster(device.type) else torch.float32


def loaded_format(quantisation: str) -> torch.dtype:
    """Return the number format in which a folder's weights are loaded on this machine."""
    return _number_format("auto", quantisation, pick_device())


def _read_plain(
    folder: Path, dtype: torch.dtype, device: torch.device, needed: int, room: Room
) -> Any:
    if room.holds(needed):
        return read_weights(folder, dtype).to(device)
    with spread_options(room, device) as options:
        return read_weights(folder, dtype, **options)


def _read_quantised(
    folder: Path, quantisation: str, dtype: torch.dtype, device: torch.device
) -> Any:
    if quantisation == "Q2":
        return quantise_to_two_bits(read_weights(folder, dtype), dtype, device)
    model = read_weights(folder, dtype, **loading_options(quantisation, dtype, device))
    if device.type == "cpu":
        keep_plain_products(model)
    return model


def read_weights(folder: Path, dtype: torch.dtype, **options: Any) -> Any:
    """Build the causal language model of a folder; refuses weights that do not fill it."""
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
            **options,
        )
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except READING_ERRORS as error:
        raise ModelFormatError(_loading_message(folder, error)) from error
    model, info = loaded
    missing = sorted(set(info["missing_keys"]) - _tied_names(model))
    if missing:
        raise ModelFormatError(
            f"The weights of {folder.name!r} lack {len(missing)} tensors (first: {missing[0]}); "
            "the download is incomplete or belongs to another configuration."
        )
    return model


def _tied_names(model: Any) -> set[str]:
    keys = copy.copy(getattr(model, "all_tied_weights_keys", None) or {})
    return set(keys)


def _loading_message(folder: Path, error: Exception) -> str:
    quantised = read_config(folder).get("quantization_config")
    if isinstance(error, ImportError) and isinstance(quantised, dict):
        return (
            f"The weights in {folder.name!r} are quantised by {quantised.get('quant_method')!r}, "
            "which cannot be read here. Import the model that they were made from and choose Q8, "
            "Q4 or Q2, or import a GGUF file of it."
        )
    return f"The model in {folder.name!r} cannot be read: {first_line(error)}"
