"""Weights in 8 or 4 bits: what bitsandbytes is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from app.ml.configs.quantisation import QUANTISATIONS

REPACKS = "support_avx512bf16_for_cpu"


def stored_quantisation(folder: Path) -> str:
    """Return what an imported folder asks to be loaded as; FP16 for any other folder."""
    try:
        content = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "FP16"
    found = content.get("quantization") if isinstance(content, dict) else None
    return str(found) if found in QUANTISATIONS else "FP16"


def loading_options(quantisation: str, dtype: torch.dtype, device: torch.device) -> dict[str, Any]:
    """Return the options of ``from_pretrained`` that quantise the blocks' products to Q8 or Q4.

    Embedding, norms and unembedding stay in ``dtype``. Q8: a scale per row, outlier columns in
    16 bits. Q4: NF4 in groups of 64 with a float32 scale, products in ``dtype``.
    """
    from transformers import BitsAndBytesConfig  # bitsandbytes takes seconds to import

    if device.type == "cpu":
        # Where there is a compiler, bitsandbytes compiles its CPU products: most of a minute at
        # the first one, for products that are no faster.
        torch.compiler.set_stance("force_eager")

    build: Any = BitsAndBytesConfig
    config = (
        build(load_in_8bit=True)
        if quantisation == "Q8"
        else build(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)
    )
    return {"quantization_config": config, "device_map": {"": device}}


def keep_plain_products(model: torch.nn.Module) -> None:
    """Let every CPU compute 4-bit products in the number format that was asked for.

    On CPUs with AVX512-BF16 bitsandbytes would repack the weights at the first product: for a
    kernel that rounds to bfloat16, and with an error where a width is no multiple of 32.
    """
    for module in model.modules():
        if hasattr(module, REPACKS):
            setattr(module, REPACKS, False)
