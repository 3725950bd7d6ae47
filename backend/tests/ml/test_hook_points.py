"""Every place in every family, against values taken without the product's own code."""

from typing import Any

import pytest
import torch
from torch import nn

from app.ml.errors import HookPointNotFound
from app.ml.language_models import capture, resolve_hook_point
from app.ml.language_models.hook_points import find_blocks
from tests.ml.model_families import FAMILIES, IDS, random_model

TYPES = ("residual", "attention", "mlp", "mlp_input")
PATHS = {
    "gpt2": "transformer.h", "neox, parallel": "gpt_neox.layers",
    "neox, in sequence": "gpt_neox.layers", "gptj": "transformer.h", "falcon": "transformer.h",
    "bloom": "transformer.h", "mpt": "transformer.blocks", "opt": "model.decoder.layers",
    "gemma3 with pictures": "model.language_model.layers",
}  # fmt: skip
PARTS = {
    "gpt2": ("attn", "mlp", "mlp"), "gptj": ("attn", "mlp", "mlp"),
    "neox, parallel": ("attention", "mlp", "mlp"), "neox, in sequence": ("attention", "mlp", "mlp"),
    "falcon": ("self_attention", "mlp", "mlp"), "opt": ("self_attn", "fc2", "fc1"),
    "bloom": ("self_attention.dense", "mlp.dense_4h_to_h", "mlp"),
    "mpt": ("attn", "ffn.down_proj", "ffn"),
    "gemma2": ("post_attention_layernorm", "post_feedforward_layernorm", "mlp"),
    "gemma3": ("post_attention_layernorm", "post_feedforward_layernorm", "mlp"),
    "gemma3 with pictures": ("post_attention_layernorm", "post_feedforward_layernorm", "mlp"),
    "olmo2": ("post_attention_layernorm", "post_feedforward_layernorm", "mlp"),
}  # fmt: skip


def full_forward(model: nn.Module, block: str, parts: tuple[str, str, str]) -> dict[str, Any]:
    """Run the whole model with plain hooks on one block and its parts, by literal names."""
    seen: dict[str, Any] = {}

    def output(name: str) -> Any:
        def hook(_module: nn.Module, _args: Any, value: Any) -> None:
            seen[name] = (value[0] if isinstance(value, tuple) else value).clone()

        return hook

    def entry(name: str) -> Any:
        def hook(_module: nn.Module, args: Any, kwargs: Any) -> None:
            seen[name] = (args[0] if args else kwargs["hidden_states"]).clone()

        return hook

    named = dict(model.named_modules())
    attention, mlp, mlp_input = (named[f"{block}.{part}"] for part in parts)
    handles = [
        named[block].register_forward_hook(output("residual")),
        named[block].register_forward_pre_hook(entry("block_input"), with_kwargs=True),
        attention.register_forward_hook(output("attention")),
        mlp.register_forward_hook(output("mlp")),
        mlp_input.register_forward_pre_hook(entry("mlp_input"), with_kwargs=True),
    ]
    with torch.no_grad():
        model(IDS)
    for handle in handles:
        handle.remove()
    return seen


@pytest.mark.parametrize("family", FAMILIES)
def test_all_four_places_equal_those_of_a_full_forward_pass(family: str) -> None:
    loaded = random_model(family)
    parts = PARTS.get(family, ("self_attn", "mlp", "mlp"))
    expected = full_forward(loaded.model, f"{PATHS.get(family, 'model.layers')}.1", parts)
    points = {kind: resolve_hook_point(loaded.model, 1, kind) for kind in TYPES}
    before = resolve_hook_point(loaded.model, 0, "residual")
    found = capture(loaded, IDS, [*points.values(), before])
    for kind, point in points.items():
        assert torch.equal(found[point], expected[kind]), kind
    assert torch.equal(found[before], expected["block_input"])


@pytest.mark.parametrize("family", FAMILIES)
def test_residual_is_the_hidden_state_and_attention_and_mlp_add_up_to_it(family: str) -> None:
    loaded = random_model(family)
    states = loaded.model(IDS, output_hidden_states=True).hidden_states
    names = [(0, "residual"), (1, "attention"), (1, "mlp"), (1, "residual")]
    points = [resolve_hook_point(loaded.model, *name) for name in names]
    before, attention, mlp, after = (capture(loaded, IDS, points)[point] for point in points)
    assert torch.equal(before, states[1])
    assert torch.equal(after, states[2])
    total = before + attention.reshape(2, 6, 16) + mlp.reshape(2, 6, 16)
    torch.testing.assert_close(after, total, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("family", ["gpt2", "neox, parallel", "gemma3 with pictures"])
def test_early_exit_changes_no_value_and_runs_no_later_block(family: str) -> None:
    loaded = random_model(family)
    point = resolve_hook_point(loaded.model, 1, "residual")
    blocks = find_blocks(loaded.model)[1]
    ran: list[int] = []
    handles = [
        block.register_forward_pre_hook(lambda *_, i=i: ran.append(i))
        for i, block in enumerate(blocks)
    ]
    early = capture(loaded, IDS, [point])[point]
    assert ran == [0, 1]
    last = resolve_hook_point(loaded.model, 2, "residual")
    assert torch.equal(capture(loaded, IDS, [point, last])[point], early)
    for handle in handles:
        handle.remove()


def test_a_model_without_a_recognisable_block_list_names_the_lists_it_has() -> None:
    class Strange(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.experts = nn.ModuleList([nn.Linear(2, 2)] * 5)
            self.stages = nn.ModuleList([nn.Linear(2, 2)] * 2)

    with pytest.raises(HookPointNotFound, match=r"experts \(5\), stages \(2\)"):
        resolve_hook_point(Strange(), 0, "residual")
    with pytest.raises(HookPointNotFound, match="Module lists in it: none"):
        resolve_hook_point(nn.Linear(2, 2), 0, "residual")


def test_an_unknown_list_of_the_right_length_is_taken() -> None:
    model = random_model("llama").model
    wrapped = nn.Module()
    wrapped.trunk = model.model  # type: ignore[assignment]
    wrapped.config = model.config
    assert find_blocks(wrapped)[0] == "trunk.layers"
