"""A tiny random model of every family, three blocks of width 16."""

from typing import Any

import torch
import transformers
from transformers import AutoModelForCausalLM

from app.ml.language_models import LoadedModel
from app.ml.records import ModelCard

SMALL = {
    "vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2,
    "intermediate_size": 32, "max_position_embeddings": 32, "pad_token_id": 0, "bos_token_id": 1,
    "eos_token_id": 1,
}  # fmt: skip
KV = {**SMALL, "num_key_value_heads": 1, "head_dim": 8}
GPT = {"vocab_size": 50, "n_embd": 16, "n_layer": 3, "n_head": 2, "n_positions": 32}
VISION = {
    "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
    "image_size": 28, "patch_size": 14,
}  # fmt: skip
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("GPT2Config", GPT),
    "llama": ("LlamaConfig", SMALL),
    "mistral": ("MistralConfig", KV),
    "mixtral": ("MixtralConfig", {**SMALL, "num_key_value_heads": 1, "num_local_experts": 2}),
    "qwen2": ("Qwen2Config", {**SMALL, "num_key_value_heads": 1}),
    "qwen3": ("Qwen3Config", KV),
    "smollm3": ("SmolLM3Config", {**SMALL, "num_key_value_heads": 1}),
    "neox, parallel": ("GPTNeoXConfig", {**SMALL, "use_parallel_residual": True}),
    "neox, in sequence": ("GPTNeoXConfig", {**SMALL, "use_parallel_residual": False}),
    "gptj": ("GPTJConfig", {**GPT, "rotary_dim": 4}),
    "phi": ("PhiConfig", SMALL),
    "phi3": ("Phi3Config", SMALL),
    "gemma": ("GemmaConfig", KV),
    "gemma2": ("Gemma2Config", KV),
    "gemma3": ("Gemma3TextConfig", KV),
    "gemma3 with pictures": (
        "Gemma3Config",
        {
            "text_config": {**KV, "model_type": "gemma3_text"}, "vision_config": VISION,
            "mm_tokens_per_image": 4, "image_token_index": 49, "boi_token_index": 48,
            "eoi_token_index": 47,
        },
    ),
    "olmo2": ("Olmo2Config", SMALL),
    "glm4": ("Glm4Config", {**KV, "eos_token_id": 1}),
    "wide heads": ("Qwen3Config", {**KV, "head_dim": 12}),
    "falcon": (
        "FalconConfig",
        {"vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2},
    ),
    "falcon, in sequence": (
        "FalconConfig",
        {
            "vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2,
            "parallel_attn": False,
        },
    ),
    "opt": (
        "OPTConfig",
        {
            "vocab_size": 50, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2,
            "ffn_dim": 32, "max_position_embeddings": 32, "word_embed_proj_dim": 16,
        },
    ),
    "bloom": ("BloomConfig", {"vocab_size": 50, "hidden_size": 16, "n_layer": 3, "n_head": 2}),
    "mpt": (
        "MptConfig",
        {"vocab_size": 50, "d_model": 16, "n_layers": 3, "n_heads": 2, "max_seq_len": 32},
    ),
}  # fmt: skip
IDS = torch.arange(12).reshape(2, 6) + 3


def random_model(family: str) -> LoadedModel:
    """Build the model with the same weights at every call."""
    torch.manual_seed(0)
    name, settings = FAMILIES[family]
    config = getattr(transformers, name)(**settings)
    build: Any = AutoModelForCausalLM.from_config
    model = build(config, attn_implementation="eager").eval().requires_grad_(False)
    card = ModelCard("x", family, 0, 3, 16, 2, 2, 32, 50, 32, True, "float32", 0, 0)
    return LoadedModel(model, None, card, torch.device("cpu"), torch.float32)
