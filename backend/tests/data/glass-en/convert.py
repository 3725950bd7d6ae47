"""How this folder was made: ``python convert.py`` with ``pip install --no-deps glassllm==0.1.0``.

glassllm stores matrices transposed and rotates interleaved pairs; LlamaForCausalLM rotates
halves, so the rows of the query and key matrices are permuted per head.
"""

import json
import shutil
from importlib.metadata import files
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

HERE = Path(__file__).parent
SPECIALS = ["<pad>", "<unk>", "<bos>", "<eos>"]
SPACE = "\u2581"
BLOCK_NAMES = {
    "norm1.gamma": "input_layernorm",
    "norm2.gamma": "post_attention_layernorm",
    "attn.W_Q": "self_attn.q_proj",
    "attn.W_K": "self_attn.k_proj",
    "attn.W_V": "self_attn.v_proj",
    "attn.W_O": "self_attn.o_proj",
    "ffn.W1": "mlp.gate_proj",
    "ffn.W3": "mlp.up_proj",
    "ffn.W2": "mlp.down_proj",
}


def halves_from_pairs(weight: torch.Tensor, n_heads: int) -> torch.Tensor:
    d_head = weight.shape[0] // n_heads
    pairs = weight.view(n_heads, d_head // 2, 2, -1)
    return pairs.transpose(1, 2).reshape(n_heads * d_head, -1)


def build_model(arrays: dict[str, np.ndarray]) -> LlamaForCausalLM:
    source = json.loads(str(arrays["__config__"]))
    config = LlamaConfig(
        vocab_size=source["vocab_size"],
        hidden_size=source["d_model"],
        intermediate_size=arrays["blocks.0.ffn.W1"].shape[1],
        num_hidden_layers=source["n_layers"],
        num_attention_heads=source["n_heads"],
        num_key_value_heads=source["n_kv_heads"],
        max_position_embeddings=source["max_len"],
        rms_norm_eps=source["eps"],
        rope_parameters={"rope_type": "default", "rope_theta": source["rope_base"]},
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
    )
    state = {"model.embed_tokens.weight": arrays["E"], "lm_head.weight": arrays["E"]}
    state["model.norm.weight"] = arrays["norm_f.gamma"]
    for layer in range(source["n_layers"]):
        for theirs, ours in BLOCK_NAMES.items():
            state[f"model.layers.{layer}.{ours}.weight"] = arrays[f"blocks.{layer}.{theirs}"].T
    tensors = {name: torch.from_numpy(value.astype(np.float32)) for name, value in state.items()}
    for name, tensor in tensors.items():
        if "q_proj" in name or "k_proj" in name:
            heads = source["n_heads" if "q_proj" in name else "n_kv_heads"]
            tensors[name] = halves_from_pairs(tensor.contiguous(), heads)
    model = LlamaForCausalLM(config)
    model.load_state_dict(tensors)
    model.tie_weights()
    return model


def build_tokenizer(alphabet: list[str], merges: list[list[str]]) -> PreTrainedTokenizerFast:
    vocabulary = SPECIALS + alphabet + [a + b for a, b in merges]
    bpe = models.BPE(
        vocab={token: i for i, token in enumerate(vocabulary)},
        merges=[tuple(pair) for pair in merges],
        unk_token="<unk>",
    )
    tokenizer = Tokenizer(bpe)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(" ", SPACE)]
    )
    chunks = Regex(rf"\n|{SPACE}*[^{SPACE}\n]+|{SPACE}+")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(chunks, "isolated")
    tokenizer.decoder = decoders.Sequence([decoders.Replace(SPACE, " "), decoders.Fuse()])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        bos_token="<bos>",
        eos_token="<eos>",
        clean_up_tokenization_spaces=False,
    )


def main() -> None:
    package = Path((find_spec("glassllm").submodule_search_locations or [""])[0])
    arrays = dict(np.load(package / "weights/en.npz"))
    build_model(arrays).half().save_pretrained(HERE)
    pieces = json.loads((package / "weights/en.tokenizer.json").read_text(encoding="utf-8"))
    build_tokenizer(pieces["alphabet"], pieces["merges"]).save_pretrained(HERE)
    licence = next(f for f in files("glassllm") or [] if f.name == "LICENSE")
    shutil.copy(licence.locate(), HERE / "LICENSE")


if __name__ == "__main__":
    main()
