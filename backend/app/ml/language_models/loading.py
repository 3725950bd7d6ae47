"""Reading a model folder into memory."""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer

from app.ml.devices import coded_memory_errors, is_bf16_faster, pick_device
from app.ml.errors import ModelFormatError
from app.ml.language_models.card import (
    READING_ERRORS,
    check_model_folder,
    first_line,
    read_model_card,
)
from app.ml.language_models.quantisation import (
    loaded_bytes,
    loading_options,
    stored_quantisation,
)
from app.ml.language_models.special_tokens import (
    separator_token_id,
    special_token_ids,
    start_token_id,
)
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
            f"The folder {folder.name!r} has no readable tokenizer (tokenizer.json is needed)."
        ) from error


def load_language_model(folder: Path, *, device: str = "auto", dtype: str = "auto") -> LoadedModel:
    """Load a model folder for reading activations and generating text.

    A folder imported as FP32, Q8 or Q4 is loaded as such; the card's ``memory_bytes`` are
    measured on the loaded weights.

    Args:
        folder: Hugging Face folder with safetensors weights.
        device: "auto" takes a GPU when there is one.
        dtype: "auto" takes bfloat16 where a short measurement shows it to be faster, else
            float32; or a name such as "float32".

    Raises:
        ModelFormatError: missing, pickled, truncated or inconsistent files.
        OutOfMemory: the device cannot hold the weights.
    """
    check_model_folder(folder)
    target = pick_device(device)
    quantisation = stored_quantisation(folder)
    if dtype == "auto" and quantisation == "FP32":
        number_format = torch.float32
    elif dtype == "auto":
        number_format = torch.bfloat16 if is_bf16_faster(target.type) else torch.float32
    else:
        number_format = getattr(torch, dtype)
    tokenizer = load_tokenizer(folder)
    with coded_memory_errors("loading the model"):
        options = loading_options(quantisation, number_format, target)
        model = read_weights(folder, number_format, **options)
        if not options:
            model = model.to(target)
    model.requires_grad_(False)
    return LoadedModel(
        model=model.eval(),
        tokenizer=tokenizer,
        card=dataclasses.replace(
            read_model_card(folder), quantization=quantisation, memory_bytes=loaded_bytes(model)
        ),
        device=target,
        dtype=number_format,
        special_ids=special_token_ids(tokenizer),
        separator_id=separator_token_id(tokenizer),
        start_id=start_token_id(tokenizer),
    )


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
    return f"The model in {folder.name!r} cannot be read: {first_line(error)}"
