"""Every place in every family, against values taken without the product's own code."""

from typing import Any

import pytest
import torch
from torch import nn

from app.ml.errors import HookPointNotFound
from app.ml.language_models import LoadedModel, capture, edit_at, resolve_hook_point
from app.ml.language_models.hook_points import find_blocks, offered_hook_types, width_at
from tests.ml.model_families import FAMILIES, IDS, random_model

TYPES = ("residual", "attention", "mlp", "mlp_input")
PATHS = {
    "gpt2": "transformer.h", "neox, parallel": "gpt_neox.layers",
    "neox, in sequence": "gpt_neox.layers", "gptj": "transformer.h", "falcon": "transformer.h",
    "falcon, in sequence": "transformer.h", "bloom": "transformer.h", "mpt": "transformer.blocks",
    "opt": "model.decoder.layers",
    "gemma3 with pictures": "model.language_model.layers",
}  # fmt: skip
PARTS = {
    "gpt2": ("attn", "mlp", "mlp"), "gptj": ("attn", "mlp", "mlp"),
    "neox, parallel": ("attention", "mlp", "mlp"), "neox, in sequence": ("attention", "mlp", "mlp"),
    "falcon": ("self_attention", "mlp", "mlp"),
    "falcon, in sequence": ("self_attention", "mlp", "mlp"), "opt": ("self_attn", "fc2", "fc1"),
    "bloom": ("self_attention.dense", "mlp.dense_4h_to_h", "mlp"),
    "mpt": ("attn", "ffn.down_proj", "ffn"),
    "gemma2": ("post_attention_layernorm", "post_feedforward_layernorm", "mlp"),
    "gemma3": ("post_attention_layernorm", "post_feedforward_layernorm", "mlp"),
    "gemma3 with pictures": ("post_attention_layernorm", "post_feedforward_layernorm", "mlp"),
    "olmo2": ("post_attention_layernorm", "post_feedforward_layernorm", "mlp"),
    "glm4": ("post_self_attn_layernorm", "post_mlp_layernorm", "mlp"),
}  # fmt: skip


PARALLEL = ("neox, parallel", "gptj", "phi", "falcon")
IN_SEQUENCE = [family for family in FAMILIES if family not in PARALLEL]
ATTENTIONS = {"bloom": "self_attention"}
MIXERS = {
    "gpt2": "c_proj", "gptj": "out_proj", "opt": "out_proj", "mpt": "out_proj",
    "neox, parallel": "dense", "neox, in sequence": "dense", "phi": "dense", "falcon": "dense",
    "falcon, in sequence": "dense", "bloom": "dense",
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
        assert found[point].shape == (2, 6, 16), kind
        assert torch.equal(found[point], expected[kind].reshape(2, 6, 16)), kind
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
    total = before + attention + mlp
    torch.testing.assert_close(after, total, atol=1e-5, rtol=1e-5)


def part_of(loaded: LoadedModel, family: str, name: str) -> Any:
    return loaded.model.get_submodule(f"{PATHS.get(family, 'model.layers')}.1.{name}")


def attention_name(family: str) -> str:
    name = PARTS.get(family, ("self_attn",))[0]
    return ATTENTIONS.get(family, "self_attn" if name.startswith("post") else name)


def last_states(loaded: LoadedModel) -> torch.Tensor:
    with torch.no_grad():
        states: torch.Tensor = loaded.body(input_ids=IDS, use_cache=False).last_hidden_state
    return states


@pytest.mark.parametrize("family", FAMILIES)
def test_all_places_are_offered_but_the_one_that_parallel_blocks_lack(family: str) -> None:
    model = random_model(family).model
    offered = offered_hook_types(model)
    if family not in PARALLEL:
        assert set(offered) == {*TYPES, "resid_mid", "z"}
        return
    assert set(offered) == {*TYPES, "z"}
    with pytest.raises(HookPointNotFound, match="read the same stream side by side"):
        resolve_hook_point(model, 1, "resid_mid")


@pytest.mark.parametrize("family", IN_SEQUENCE)
def test_resid_mid_is_the_stream_with_attention_added(family: str) -> None:
    loaded = random_model(family)
    names = [(0, "residual"), (1, "attention"), (1, "resid_mid"), (1, "mlp"), (1, "residual")]
    points = [resolve_hook_point(loaded.model, *name) for name in names]
    found = capture(loaded, IDS, points)
    before, attention, middle, mlp, after = (found[point] for point in points)
    torch.testing.assert_close(middle, before + attention, atol=1e-6, rtol=0)
    torch.testing.assert_close(after, middle + mlp, atol=1e-6, rtol=0)


@pytest.mark.parametrize("family", IN_SEQUENCE)
def test_an_edit_of_resid_mid_is_one_of_what_attention_adds(family: str) -> None:
    """The MLP must read the change, and the stream must carry it past the MLP."""
    loaded = random_model(family)
    delta_BSD = torch.randn(2, 6, 16, generator=torch.Generator().manual_seed(3))
    attention = PARTS.get(family, ("self_attn",))[0]

    def add(_module: nn.Module, _args: Any, value: Any) -> Any:
        first, *rest = value if isinstance(value, tuple) else (value,)
        changed = first + delta_BSD
        return (changed, *rest) if isinstance(value, tuple) else changed

    plain = last_states(loaded)
    handle = part_of(loaded, family, attention).register_forward_hook(add)
    expected = last_states(loaded)
    handle.remove()
    point = resolve_hook_point(loaded.model, 1, "resid_mid")
    with edit_at(loaded.model, point, lambda value: value + delta_BSD):
        edited = last_states(loaded)
    torch.testing.assert_close(edited, expected, atol=1e-5, rtol=1e-5)
    assert (edited - plain).abs().max() > 0.1
    assert torch.equal(last_states(loaded), plain), "nothing is left of it"


def gpt2_rest(block: Any, middle: torch.Tensor) -> torch.Tensor:
    return middle + block.mlp(block.ln_2(middle))


def llama_rest(block: Any, middle: torch.Tensor) -> torch.Tensor:
    return middle + block.mlp(block.post_attention_layernorm(middle))


def gemma2_rest(block: Any, middle: torch.Tensor) -> torch.Tensor:
    read = block.pre_feedforward_layernorm(middle)
    return middle + block.post_feedforward_layernorm(block.mlp(read))


def olmo2_rest(block: Any, middle: torch.Tensor) -> torch.Tensor:
    return middle + block.post_feedforward_layernorm(block.mlp(middle))


RESTS = {"gpt2": gpt2_rest, "llama": llama_rest, "gemma2": gemma2_rest, "olmo2": olmo2_rest}


@pytest.mark.parametrize("family", RESTS)
@pytest.mark.parametrize("replaced", [False, True])
def test_a_changed_resid_mid_goes_through_the_rest_of_the_block(
    family: str, replaced: bool
) -> None:
    """The rest of the block written out by hand, from the changed stream on."""
    loaded = random_model(family)
    change_BSD = torch.randn(2, 6, 16, generator=torch.Generator().manual_seed(4))
    middle, after = (resolve_hook_point(loaded.model, 1, k) for k in ("resid_mid", "residual"))
    stream = capture(loaded, IDS, [middle])[middle]
    wanted = change_BSD if replaced else stream + change_BSD
    expected = RESTS[family](find_blocks(loaded.model)[1][1], wanted)
    with edit_at(loaded.model, middle, lambda _: wanted.clone()):
        found = capture(loaded, IDS, [after])[after]
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-6)


def test_blocks_that_normalise_the_stream_itself_have_no_resid_mid() -> None:
    model = random_model("opt").model
    find_blocks(model)[1][1].do_layer_norm_before = False
    with pytest.raises(HookPointNotFound, match="normalises the stream itself"):
        resolve_hook_point(model, 1, "resid_mid")


def mixed(mixer: Any, value: torch.Tensor) -> torch.Tensor:
    """The product with the weights written out, without its bias."""
    weight = mixer.weight if type(mixer).__name__ == "Conv1D" else mixer.weight.T
    return value @ weight


@pytest.mark.parametrize("family", FAMILIES)
def test_z_is_what_the_last_product_of_attention_reads(family: str) -> None:
    loaded = random_model(family)
    attention = part_of(loaded, family, attention_name(family))
    mixer = getattr(attention, MIXERS.get(family, "o_proj"))
    outputs: list[torch.Tensor] = []
    handle = mixer.register_forward_hook(lambda _m, _i, output: outputs.append(output.clone()))
    last_states(loaded)
    handle.remove()
    point = resolve_hook_point(loaded.model, 1, "z")
    z_BSD = capture(loaded, IDS, [point])[point]
    assert z_BSD.shape[2] == width_at(loaded.model, point, 16)
    bias = 0 if mixer.bias is None else mixer.bias
    torch.testing.assert_close(mixed(mixer, z_BSD) + bias, outputs[0], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("family", ["gpt2", "llama", "gemma2", "neox, parallel", "bloom"])
def test_an_edit_of_z_reaches_the_stream_through_the_mixing(family: str) -> None:
    loaded = random_model(family)
    point = resolve_hook_point(loaded.model, 1, "z")
    mixer = loaded.model.get_submodule(point.module_name)
    delta_D = torch.randn(16, generator=torch.Generator().manual_seed(5))
    handle = mixer.register_forward_hook(lambda _m, _i, output: output + mixed(mixer, delta_D))
    expected = last_states(loaded)
    handle.remove()
    with edit_at(loaded.model, point, lambda value: value + delta_D):
        torch.testing.assert_close(last_states(loaded), expected, atol=1e-5, rtol=1e-5)


def test_z_may_be_wider_than_the_stream() -> None:
    loaded = random_model("wide heads")
    point = resolve_hook_point(loaded.model, 1, "z")
    assert width_at(loaded.model, point, 16) == 24
    assert capture(loaded, IDS, [point])[point].shape == (2, 6, 24)
    middle = resolve_hook_point(loaded.model, 1, "resid_mid")
    assert width_at(loaded.model, middle, 16) == 16


def test_glm4_norms_attention_before_it_is_added() -> None:
    """It has a norm behind its attention and another, of a misleading name, before its MLP."""
    loaded = random_model("glm4")
    names = {k: resolve_hook_point(loaded.model, 1, k).module_name for k in (*TYPES, "resid_mid")}
    assert names["attention"].endswith("post_self_attn_layernorm")
    assert names["mlp"].endswith("post_mlp_layernorm")
    assert names["resid_mid"].endswith("post_attention_layernorm")


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
