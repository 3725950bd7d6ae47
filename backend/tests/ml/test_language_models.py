"""Folders in, activations out: the same values as transformers itself reports."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from app.ml.configs import HOOK_TYPES
from app.ml.errors import HookPointNotFound, ModelFormatError
from app.ml.feature_discovery.logit_lens import direct_logits, gain_of, to_stream
from app.ml.language_models import (
    LoadedModel,
    capture,
    edit_at,
    import_language_model,
    load_language_model,
    read_model_card,
    resolve_hook_point,
)
from app.ml.language_models.fused_gelu import fuse_gelu
from app.ml.language_models.special_tokens import separator_token_id, start_token_id
from app.ml.records import Progress
from tests.ml.conftest import GLASS, ignore
from tests.ml.model_families import IDS, random_model


def test_the_forward_pass_stops_at_the_last_hooked_layer(glass: LoadedModel) -> None:
    calls: list[int] = []
    handles = [
        block.register_forward_hook(lambda *_, i=i: calls.append(i))
        for i, block in enumerate(glass.model.model.layers)
    ]
    point = resolve_hook_point(glass.model, 1, "residual")
    early = capture(glass, IDS, [point])[point]
    for handle in handles:
        handle.remove()
    assert calls[-1] <= 1
    states = glass.model(IDS, output_hidden_states=True).hidden_states
    assert torch.equal(early, states[2])


def test_hooks_are_gone_afterwards_even_after_an_error(glass: LoadedModel) -> None:
    clean = glass.model(IDS).logits
    point = resolve_hook_point(glass.model, 1, "residual")
    with edit_at(glass.model, point, lambda value: value * 0):
        assert not torch.equal(glass.model(IDS).logits, clean)

    def fail(_: torch.Tensor) -> None:
        raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"), edit_at(glass.model, point, fail):
        glass.model(IDS)
    assert torch.equal(glass.model(IDS).logits, clean)


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_inputs_can_be_edited_too(family: str) -> None:
    loaded = random_model(family)
    point = resolve_hook_point(loaded.model, 0, "mlp_input")
    clean = loaded.model(IDS).logits
    with edit_at(loaded.model, point, lambda value: value * 2):
        assert not torch.equal(loaded.model(IDS).logits, clean)
    with edit_at(loaded.model, point, lambda _: None):
        assert torch.equal(loaded.model(IDS).logits, clean)


def test_places_that_do_not_exist_are_named(glass: LoadedModel) -> None:
    with pytest.raises(HookPointNotFound, match="layers 0 to 3"):
        resolve_hook_point(glass.model, 4, "residual")
    with pytest.raises(HookPointNotFound, match="choose residual"):
        resolve_hook_point(glass.model, 0, "logits")
    with pytest.raises(HookPointNotFound, match="list of transformer blocks"):
        resolve_hook_point(torch.nn.Linear(2, 2), 0, "residual")


def test_logit_lens_folds_the_final_norm() -> None:
    llama, gpt2, gemma = (random_model(f) for f in ("llama", "gpt2", "gemma2"))
    llama.model.model.norm.weight.copy_(torch.arange(16.0))
    gain, removes_mean = gain_of(llama.model.model.norm)
    assert gain is not None
    assert torch.equal(gain, torch.arange(16.0))
    assert not removes_mean
    direction = torch.randn(1, 16)
    expected = (direction * torch.arange(16.0)) @ llama.model.lm_head.weight.T
    torch.testing.assert_close(direct_logits(llama, direction, 1, "residual"), expected)
    assert gain_of(gpt2.model.transformer.ln_f)[1]
    constant = direct_logits(gpt2, torch.ones(1, 16), 1, "mlp")
    torch.testing.assert_close(constant, torch.zeros_like(constant))
    gemma_gain = gain_of(gemma.model.model.norm)[0]
    assert gemma_gain is not None
    assert torch.equal(gemma_gain, torch.ones(16))  # its weight is zero, applied as 1 + weight


@pytest.mark.parametrize("family", ["llama", "gpt2", "gemma2", "wide heads"])
def test_directions_of_z_reach_the_stream_as_their_edit_does(family: str) -> None:
    """Through the mixing of the heads, without its bias, and Gemma's norm behind attention."""
    loaded = random_model(family)
    point, added = (resolve_hook_point(loaded.model, 1, kind) for kind in ("z", "attention"))
    direction_1D = torch.randn(1, 24 if family == "wide heads" else 16)
    if family == "gemma2":
        loaded.model.model.layers[1].post_attention_layernorm.weight.copy_(torch.randn(16))
    found = to_stream(loaded, direction_1D, 1, "z")[0]
    # A norm divides by the size of what it reads, so the edit is made alone there.
    with edit_at(loaded.model, point, lambda value: torch.zeros_like(value)):
        without = capture(loaded, IDS, [added])[added]
    with edit_at(loaded.model, point, lambda value: direction_1D.expand_as(value)):
        change = capture(loaded, IDS, [added])[added] - without
    if family == "gemma2":
        change = change * found.norm() / change[0, 0].norm()
    torch.testing.assert_close(change[0, 0], found, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(
        direct_logits(loaded, direction_1D, 1, "z"),
        direct_logits(loaded, found[None], 1, "attention"),
    )


def test_card_of_the_committed_model() -> None:
    card = read_model_card(GLASS)
    assert (card.family, card.n_layers, card.d_model, card.vocab_size) == ("llama", 4, 128, 1024)
    assert (card.n_heads, card.n_kv_heads, card.d_mlp, card.tied) == (4, 2, 341, True)
    assert card.params_count == 852_608
    assert card.memory_bytes == 2 * card.params_count
    assert [layer.kind for layer in card.layers] == ["embedding", *["block"] * 4, "norm"]
    assert sum(layer.params for layer in card.layers) == card.params_count


def test_import_of_a_folder_keeps_the_logits(tmp_path: Path, glass: LoadedModel) -> None:
    seen: list[Progress] = []
    card = import_language_model(GLASS, tmp_path / "copy", seen.append)
    assert card.dtype == "float16"
    assert (set(card.hook_types), card.d_z) == (set(HOOK_TYPES), 128)
    loaded = load_language_model(tmp_path / "copy")
    assert card.memory_bytes == pytest.approx(loaded.card.memory_bytes, rel=0.01)
    assert [p.done for p in seen] == [0, 1, 2, 3, 4]
    assert json.loads((tmp_path / "copy" / "metadata.json").read_text())["n_layers"] == 4
    copy = load_language_model(tmp_path / "copy", dtype="float32")
    assert torch.equal(copy.model(IDS).logits, glass.model(IDS).logits)
    assert copy.tokenizer("Alice ran").input_ids == glass.tokenizer("Alice ran").input_ids


def test_float32_models_are_stored_in_bfloat16(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(GLASS, source)
    weights = {name: t.float() for name, t in load_file(GLASS / "model.safetensors").items()}
    save_file(weights, source / "model.safetensors", metadata={"format": "pt"})
    assert import_language_model(source, tmp_path / "out", ignore).dtype == "bfloat16"


def copy_of_glass(tmp_path: Path) -> Path:
    folder = tmp_path / "broken"
    shutil.copytree(GLASS, folder)
    return folder


def drop_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def garble_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def nameless_config(folder: Path) -> None:
    (folder / "config.json").write_text("{}")


def sizeless_config(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "llama"}')


def truncate_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:100_000])


def lose_a_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def pickle_weights(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def drop_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def drop_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()


def other_width(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "hidden_size": 64}))


@pytest.mark.fault(23)
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (drop_config, "no config.json"),
        (garble_config, "not valid JSON"),
        (nameless_config, "model_type"),
        (sizeless_config, "hidden size"),
        (truncate_weights, "damaged or incomplete"),
        (lose_a_tensor, "lack 1 tensors"),
        (pickle_weights, "pickle"),
        (drop_weights, "no \\*.safetensors"),
        (drop_tokenizer, "tokenizer"),
        (other_width, "cannot be read"),
    ],
)
def test_broken_folders_are_refused_with_a_helpful_sentence(
    tmp_path: Path, damage: Any, words: str
) -> None:
    folder = copy_of_glass(tmp_path)
    damage(folder)
    with pytest.raises(ModelFormatError, match=words):
        import_language_model(folder, tmp_path / "out", ignore)
    assert not (tmp_path / "out").exists()


@pytest.mark.fault(23)
def test_files_that_are_no_models_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.gguf"
    text.write_text("hello")
    with pytest.raises(ModelFormatError, match="not a GGUF file"):
        import_language_model(text, tmp_path / "out", ignore)
    text.write_bytes(b"GGUF" + b"\0" * 40)
    with pytest.raises(ModelFormatError, match="cannot be read"):
        import_language_model(text, tmp_path / "out", ignore)
    with pytest.raises(ModelFormatError, match="not a folder"):
        load_language_model(tmp_path / "nowhere")


def test_special_tokens_with_id_zero_are_not_taken_for_none(glass: LoadedModel) -> None:
    assert (separator_token_id(glass.tokenizer), start_token_id(glass.tokenizer)) == (3, 3)
    tokenizer = AutoTokenizer.from_pretrained(GLASS, eos_token="<pad>")
    assert separator_token_id(tokenizer) == 0


def test_the_fused_gelu_gives_the_same_logits() -> None:
    model = random_model("gpt2").model
    ids = torch.arange(20).unsqueeze(0)
    with torch.no_grad():
        written_out = model(ids).logits
        kinds = {type(module).__name__ for module in model.modules()}
        assert "NewGELUActivation" in kinds
        fuse_gelu(model)
        assert "NewGELUActivation" not in {type(module).__name__ for module in model.modules()}
        torch.testing.assert_close(model(ids).logits, written_out, atol=1e-6, rtol=1e-5)
