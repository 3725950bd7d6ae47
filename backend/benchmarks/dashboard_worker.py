"""SAEDashboard's own run, for ``benchmarks.discovery``; run by a Python that has sae-dashboard.

Reads one JSON line with paths and settings and answers one with the seconds of two batches of
features, by the clock and of the processor: the first runs the model and fills the cache of its
activations, the second reads it. It is a process of its own since sae-dashboard pins other
packages. The model is rebuilt as TransformerLens has it and refused if its activations are not the
ones that were stored.
"""

import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sae_dashboard.sae_vis_data import SaeVisConfig  # type: ignore[import-not-found]
from sae_dashboard.sae_vis_runner import SaeVisRunner  # type: ignore[import-not-found]
from sae_lens import SAE, HookedSAETransformer  # type: ignore[import-not-found]
from transformer_lens import HookedTransformerConfig  # type: ignore[import-not-found]
from transformer_lens.pretrained.weight_conversions import (  # type: ignore[import-not-found]
    convert_llama_weights,
)
from transformers import AutoModelForCausalLM

TOLERANCE = 1e-2
"""Largest difference of an activation, as a share of the largest."""


def load_model(folder: str) -> Any:
    """Rebuild a LLaMA folder as TransformerLens would have downloaded it, weights unchanged."""
    theirs = AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32)
    shape = theirs.config
    config = HookedTransformerConfig(
        n_layers=shape.num_hidden_layers, d_model=shape.hidden_size, n_ctx=256,
        d_head=shape.head_dim, n_heads=shape.num_attention_heads,
        n_key_value_heads=shape.num_key_value_heads, d_mlp=shape.intermediate_size,
        d_vocab=shape.vocab_size, act_fn="silu", eps=shape.rms_norm_eps, normalization_type="RMS",
        positional_embedding_type="rotary", rotary_dim=shape.head_dim, rotary_base=10_000,
        gated_mlp=True, final_rms=True, original_architecture="LlamaForCausalLM", device="cpu",
    )  # fmt: skip
    model = HookedSAETransformer(config)
    model.load_and_process_state_dict(
        convert_llama_weights(theirs, config), fold_ln=False, center_writing_weights=False,
        center_unembed=False, fold_value_biases=False,
    )  # fmt: skip
    return model


def measure(options: dict[str, Any]) -> dict[str, Any]:
    torch.set_num_threads(options["threads"])
    model = load_model(options["model"])
    tokens = torch.from_numpy(np.load(options["windows"])).long()
    expected = torch.from_numpy(np.load(options["states"]))
    hook = f"blocks.{options['layer']}.hook_resid_post"
    _, cache = model.run_with_cache(tokens[:1], names_filter=hook)
    error = ((cache[hook][0] - expected).abs().max() / expected.abs().max()).item()
    if error > TOLERANCE:
        return {"error": f"the model rebuilt for TransformerLens differs by {error:.3f}"}
    sae = SAE.load_from_disk(options["sae"], device="cpu")
    # Decoder rows are of norm 1 here; folding again would refuse TopK without their rescaling.
    sae.fold_W_dec_norm = lambda: None
    seconds, processor = [], []
    for first in (0, options["features"]):
        config = SaeVisConfig(
            hook_point=hook, features=list(range(first, first + options["features"])),
            device="cpu", minibatch_size_features=options["features"], minibatch_size_tokens=64,
            cache_dir=Path(options["cache"]),
        )  # fmt: skip
        began, began_processor = time.perf_counter(), time.process_time()
        SaeVisRunner(config).run(sae, model, tokens)
        seconds.append(time.perf_counter() - began)
        processor.append(time.process_time() - began_processor)
    return {"seconds": seconds, "processor": processor, "difference": error}


if __name__ == "__main__":
    given = json.loads(sys.stdin.readline())
    with contextlib.redirect_stdout(sys.stderr):  # it prints its progress
        answer = measure(given)
    print(json.dumps(answer), flush=True)
