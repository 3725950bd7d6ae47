"""What a model folder says of itself, read from its configuration and the weights' header."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError, safe_open

from app.ml.errors import ModelFormatError
from app.ml.files import folder_size_bytes
from app.ml.language_models.folder_check import check_model_folder, read_config
from app.ml.records import LayerCard, ModelCard

DTYPE_BYTES = {"F32": 4, "F16": 2, "BF16": 2, "F64": 8, "I8": 1, "U8": 1, "I64": 8, "I32": 4}
READING_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    ImportError,
    AssertionError,
    ArithmeticError,
    RuntimeError,
    SafetensorError,
    StrictDataclassError,
    struct.error,
)
"""What the readers of foreign files raise, depending on where a file is broken."""
D_MODEL_KEYS = ("hidden_size", "n_embd", "d_model", "dim", "emb_dim")
N_LAYERS_KEYS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")
N_HEADS_KEYS = ("num_attention_heads", "n_head", "n_heads", "num_heads")
D_MLP_KEYS = ("intermediate_size", "n_inner", "ffn_dim", "d_ff")
EXPERT_KEYS = ("num_experts", "num_local_experts", "n_routed_experts")
NEEDED_KEYS = frozenset((*D_MODEL_KEYS, *N_LAYERS_KEYS, *N_HEADS_KEYS, "vocab_size"))
POSITION_KEYS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len")

MAX_POSITIONS = 100_000_000
# Packed weights are narrower than the layers they are of, and layers may share weights.
MOST_TIMES_LARGER = 16


def first_line(error: Exception) -> str:
    """Return the first line of an error's text, cut to a sentence's length."""
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else type(error).__name__


def read_model_card(folder: Path) -> ModelCard:
    """Describe a model without loading its weights.

    Raises:
        ModelFormatError: the folder or one of its files is broken.
    """
    check_model_folder(folder)
    raw = read_config(folder)
    tensors = _read_tensor_headers(folder)
    try:
        return _describe(folder, raw, tensors)
    except READING_ERRORS as error:
        raise ModelFormatError(
            f"config.json of {folder.name!r} holds a value of the wrong kind: {first_line(error)}."
        ) from error


def _describe(
    folder: Path, raw: dict[str, Any], tensors: dict[str, tuple[tuple[int, ...], str]]
) -> ModelCard:
    config = {**raw, **(raw.get("text_config") or {})}
    d_model = _first_int(config, D_MODEL_KEYS, "hidden size")
    _refuse_implausible_sizes(config, tensors)
    n_heads = _first_int(config, N_HEADS_KEYS, "number of attention heads")
    weight_bytes = sum(math.prod(s) * DTYPE_BYTES.get(d, 2) for s, d in tensors.values())
    return ModelCard(
        architecture=(raw.get("architectures") or [raw["model_type"]])[0],
        family=str(raw["model_type"]),
        params_count=sum(math.prod(shape) for shape, _ in tensors.values()),
        n_layers=_first_int(config, N_LAYERS_KEYS, "number of layers"),
        d_model=d_model,
        n_heads=n_heads,
        n_kv_heads=int(config.get("num_key_value_heads") or n_heads),
        d_mlp=next((int(config[k]) for k in D_MLP_KEYS if config.get(k)), 4 * d_model),
        vocab_size=int(config.get("vocab_size", 0)),
        max_positions=next((int(config[k]) for k in POSITION_KEYS if config.get(k)), 0),
        tied=bool(config.get("tie_word_embeddings", not any("lm_head" in n for n in tensors))),
        dtype=_main_dtype(tensors),
        size_bytes=folder_size_bytes(folder),
        memory_bytes=weight_bytes,
        layers=_layer_cards(tensors),
    )


def _refuse_implausible_sizes(
    config: dict[str, Any], tensors: dict[str, tuple[tuple[int, ...], str]]
) -> None:
    """Compare what the configuration claims with the weights' headers, before memory is taken.

    Raises:
        ModelFormatError: A model of these sizes is not what the files hold.
    """
    widest = max((side for shape, _ in tensors.values() for side in shape), default=0)
    numbers = {int(part) for name in tensors for part in name.split(".") if part.isdigit()}
    blocks = len(numbers) or len(tensors)
    bounds = {
        **dict.fromkeys((*D_MODEL_KEYS, *D_MLP_KEYS, "vocab_size"), MOST_TIMES_LARGER * widest),
        **dict.fromkeys((*N_LAYERS_KEYS, *EXPERT_KEYS), MOST_TIMES_LARGER * blocks),
        **dict.fromkeys((*N_HEADS_KEYS, "num_key_value_heads", "head_dim"), widest),
        **dict.fromkeys(POSITION_KEYS, MAX_POSITIONS),
    }
    for key, most in bounds.items():
        claimed = config.get(key)
        if not isinstance(claimed, int):
            continue
        if claimed < 1 and key in NEEDED_KEYS:
            raise ModelFormatError(f"config.json claims {key} = {claimed}; no model has that.")
        if claimed > most:
            raise ModelFormatError(
                f"config.json claims {key} = {claimed:,}, which the weights do not bear out."
            )


def _first_int(config: dict[str, Any], keys: tuple[str, ...], what: str) -> int:
    for key in keys:
        if isinstance(config.get(key), int):
            return int(config[key])
    raise ModelFormatError(f"config.json does not tell the {what}; is it a language model?")


def _read_tensor_headers(folder: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    tensors: dict[str, tuple[tuple[int, ...], str]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="numpy") as file:
                for name in file.keys():  # noqa: SIM118  (not a mapping)
                    header = file.get_slice(name)
                    tensors[name] = (tuple(header.get_shape()), str(header.get_dtype()))
        except (SafetensorError, OSError) as error:
            raise ModelFormatError(
                f"{path.name} is damaged or incomplete; download or copy it again."
            ) from error
    return tensors


def _main_dtype(tensors: dict[str, tuple[tuple[int, ...], str]]) -> str:
    sizes: dict[str, int] = {}
    for shape, dtype in tensors.values():
        sizes[dtype] = sizes.get(dtype, 0) + math.prod(shape)
    names = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}
    main = max(sizes, key=lambda d: sizes[d], default="F32")
    return names.get(main, main.lower())


def _layer_cards(tensors: dict[str, tuple[tuple[int, ...], str]]) -> list[LayerCard]:
    """Group tensors by their module: blocks by number, the rest by name, in model order."""
    cards: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    for name, (shape, _) in tensors.items():
        parts = name.split(".")
        numbered = next((i for i, part in enumerate(parts) if part.isdigit()), None)
        end = len(parts) - 1 if numbered is None else numbered + 1
        cards.setdefault(".".join(parts[: max(end, 1)]), []).append((name, shape))
    ordered = sorted(cards.items(), key=lambda item: _model_order(item[0]))
    return [
        LayerCard(
            name=name,
            kind=_layer_kind(name),
            shape=" + ".join("x".join(map(str, s)) for _, s in members)
            if len(members) <= 2
            else f"{len(members)} tensors",
            params=sum(math.prod(shape) for _, shape in members),
        )
        for name, members in ordered
    ]


def _layer_kind(name: str) -> str:
    leaf = name.rsplit(".", 1)[-1]
    if leaf.isdigit():
        return "block"
    if any(part in leaf for part in ("head", "embed_out", "output")):
        return "unembedding"
    if any(part in leaf for part in ("embed", "wte", "wpe")):
        return "embedding"
    return "norm" if any(part in leaf for part in ("norm", "ln")) else "other"


def _model_order(name: str) -> tuple[int, int, str]:
    rank = {"embedding": 0, "block": 1, "other": 2, "norm": 3, "unembedding": 4}
    leaf = name.rsplit(".", 1)[-1]
    return rank[_layer_kind(name)], int(leaf) if leaf.isdigit() else 0, name
