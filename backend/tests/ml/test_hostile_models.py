"""Fault 23: model folders that want memory, time or code are refused before they get any of it."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.ml.errors import ModelFormatError
from app.ml.language_models.importing import import_language_model
from tests.ml.conftest import GLASS

pytestmark = pytest.mark.fault(23)
MOST_GROWTH_BYTES = 200_000_000
HUGE = 10**9
BOMB = "import pathlib; pathlib.Path(__file__).with_name('harmed').touch()"


def claim(**values: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | values))

    return change


def code_of_its_own(folder: Path) -> None:
    classes = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}
    claim(auto_map=classes, model_type="evil", architectures=["Evil"])(folder)
    (folder / "evil.py").write_text(BOMB)


def tokenizer_with_code(folder: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    settings = {"auto_map": {"AutoTokenizer": ["evil.Tok", None]}, "tokenizer_class": "Tok"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "evil.py").write_text(BOMB)


def deep_config(folder: Path) -> None:
    (folder / "config.json").write_text("[" * 100_000 + "]" * 100_000)


def large_tokenizer(folder: Path) -> None:
    with (folder / "tokenizer.json").open("wb") as file:
        file.truncate(100_000_000)


def header(declared: int, text: bytes, data: bytes = b"") -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        content = struct.pack("<Q", declared) + text + data
        (folder / "model.safetensors").write_bytes(content)

    return write


def tensors(**entries: tuple[list[int], list[int]]) -> Callable[[Path], None]:
    described = {
        name: {"dtype": "F32", "shape": shape, "data_offsets": offsets}
        for name, (shape, offsets) in entries.items()
    }
    text = json.dumps(described).encode()
    return header(len(text), text, bytes(64))


def shards(where: str, name: str = "model.safetensors.index.json") -> Callable[[Path], None]:
    """The real weights lie at ``where``; beside the index lie others of the same shapes."""

    def move(folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        (folder / "model.safetensors").unlink()
        target = folder / where
        target.parent.mkdir(exist_ok=True)
        if target.suffix == ".safetensors":
            save_file(weights, target)
        else:
            torch.save(weights, target)
        decoys = {key: torch.zeros_like(value) for key, value in weights.items()}
        save_file(decoys, folder / "decoy.safetensors")
        content = {"metadata": {}, "weight_map": dict.fromkeys(weights, where)}
        (folder / name).write_text(json.dumps(content))

    return move


def index(text: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "model.safetensors.index.json").write_text(text)

    return write


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (claim(hidden_size=HUGE), "hidden_size = 1,000,000,000"),
        (claim(num_hidden_layers=HUGE), "num_hidden_layers"),
        (claim(vocab_size=HUGE), "vocab_size"),
        (claim(intermediate_size=HUGE), "intermediate_size"),
        (claim(num_attention_heads=HUGE), "num_attention_heads"),
        (claim(max_position_embeddings=HUGE), "max_position_embeddings"),
        (claim(hidden_size=-5), "hidden_size = -5"),
        (claim(num_hidden_layers=0), "num_hidden_layers = 0"),
        (claim(num_attention_heads=0), "num_attention_heads = 0"),
        (claim(vocab_size=0), "vocab_size = 0"),
        (claim(vocab_size="many"), "wrong kind"),
        (claim(num_key_value_heads=[2, 2]), "wrong kind"),
        (claim(text_config=[1]), "wrong kind"),
        (claim(architectures={"a": 1}), "wrong kind"),
        (claim(initializer_range=float("inf")), "initializer_range"),
        (deep_config, "not valid JSON"),
        (shards("weights.bin"), "names 'weights.bin' as weights"),
        (shards("../elsewhere/secret.safetensors"), "names '../elsewhere/secret.safetensors'"),
        (shards("weights.pt", "other.safetensors.index.json"), "names 'weights.pt' as weights"),
        (index('{"weight_map": {"a": "gone.safetensors"}}'), "gone.safetensors, which"),
        (index('{"weight_map": {"a": ["x"]}}'), "names .* as weights"),
        (index('{"weight_map": ["x"]}'), "has no weight_map"),
        (index("[]"), "is not a JSON object"),
        (claim(transformers_weights="adapter_model.bin"), "names 'adapter_model.bin'"),
        (claim(transformers_weights="../x.safetensors"), "names '../x.safetensors'"),
        (claim(text_config={"transformers_weights": "x.bin"}), "names 'x.bin'"),
        (code_of_its_own, "cannot be read|not known"),
        (tokenizer_with_code, "tokenizer"),
        (large_tokenizer, "tokenizer.json has 100 MB"),
        (header(1 << 63, b"{}"), "damaged or incomplete"),
        (header((1 << 63) - 1, b"{}"), "damaged or incomplete"),
        (tensors(a=([4], [0, 16]), b=([4], [8, 24])), "damaged or incomplete"),
        (tensors(a=([HUGE, HUGE], [0, 16])), "damaged or incomplete"),
        (tensors(a=([4], [16, 0])), "damaged or incomplete"),
        (tensors(a=([400], [0, 1600])), "damaged or incomplete"),
    ],
)
def test_a_hostile_folder_is_refused_and_stays_small(
    tmp_path: Path, damage: Callable[[Path], None], words: str
) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    for path in GLASS.iterdir():
        if path.suffix in {".json", ".safetensors"}:
            (folder / path.name).write_bytes(path.read_bytes())
    damage(folder)
    before = _resident_bytes(reset_peak=True)
    with pytest.raises(ModelFormatError, match=words):
        import_language_model(folder, tmp_path / "out", lambda _progress: None)
    assert _resident_bytes("VmHWM") - before < MOST_GROWTH_BYTES
    assert not (folder / "harmed").exists()
    assert not (tmp_path / "out").exists()


def _resident_bytes(field: str = "VmRSS", *, reset_peak: bool = False) -> int:
    """Of this process, now or at its peak since the last reset."""
    if reset_peak:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024
