"""What is taken away of a steered run: vectors for other programs, a program of its own, JSON."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import gguf
import numpy as np
import pytest
import torch
from safetensors.numpy import load
from transformers import OPTConfig, OPTForCausalLM

from app.core.config import Settings
from app.core.paths import model_dir
from app.ml.language_models import import_language_model
from app.services.steering_export import NotExportable, control_vectors, directions_of
from tests.workers.steering_runs import (
    GLASS,
    WIDTH,
    edit,
    exported,
    lay_out,
    lay_out_dictionary_files,
    payload,
    run,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("data"))


def test_vectors_for_other_programs(root: Path, tmp_path: Path) -> None:
    _, _, kept = run(root, payload(edit(3), edit(4, unit="max_multiple", coefficient=-1.0)))
    three, four = directions_of(kept)
    expected = 20 * three - 5 * four
    np.testing.assert_allclose(control_vectors(kept)[2], expected, rtol=1e-5)
    tensors = load(exported(kept, "safetensors"))
    np.testing.assert_allclose(tensors["control.2"], expected, rtol=1e-5)
    np.testing.assert_array_equal(tensors["direction.0"], three)
    path = tmp_path / "vector.gguf"
    path.write_bytes(exported(kept, "gguf"))
    reader = gguf.GGUFReader(path)
    [tensor] = reader.tensors
    assert tensor.name == "direction.2"
    np.testing.assert_allclose(tensor.data, expected, rtol=1e-5)
    assert reader.fields["general.architecture"].contents() == "controlvector"
    assert reader.fields["controlvector.model_hint"].contents() == "llama"


def test_what_a_format_cannot_say_is_refused(root: Path) -> None:
    _, _, clamped = run(root, payload(edit(3, method="clamp", coefficient=9.0)))
    for file_format in ("gguf", "python"):
        with pytest.raises(NotExportable, match="JSON"):
            exported(clamped, file_format)
    assert "control.2" not in load(exported(clamped, "safetensors"))
    _, _, low = run(root, payload(edit(3, at_layer=0)))
    with pytest.raises(NotExportable, match="block 0"):
        exported(low, "gguf")
    reasons = {"z": "as many numbers as the heads", "resid_mid": "still reads"}
    for site, reason in reasons.items():
        _, _, inside = run(root, payload(edit(3, hook_type=site, at_hook_type=site)))
        with pytest.raises(NotExportable, match=reason):
            exported(inside, "gguf")
        assert set(load(exported(inside, "safetensors"))) == {"direction.0"}


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"steer_prompt": False}, "the generated text only"),
        ({"steer_generated": False}, "the prompt only"),
        ({"window": (2, 3)}, "some positions only"),
        ({"positions": (2,), "token_ids": ()}, "some positions only"),
    ],
)
def test_a_run_of_some_tokens_is_no_control_vector(
    root: Path, limit: dict[str, Any], words: str
) -> None:
    """It would act everywhere and write another text; as conditions, which are refused too."""
    _, _, kept = run(root, payload(**limit))
    with pytest.raises(NotExportable, match=words):
        exported(kept, "gguf")
    assert set(load(exported(kept, "safetensors"))) == {"direction.0"}
    assert exported(kept, "python")


def test_a_run_that_names_no_place_is_one_at_the_dictionarys_own(root: Path) -> None:
    """As runs were saved before a place could be named: they must still be replayed."""
    now, _, _ = run(root, payload(edit(3)))
    before = edit(3)
    del before["at_hook_type"]
    then, _, kept = run(root, payload(before))
    assert now.result is not None
    assert then.result is not None
    assert then.result["steered_output"] == now.result["steered_output"]
    assert 2 in control_vectors(kept)


PROGRAMS: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
    ([edit(3), edit(4, unit="norm_fraction", coefficient=0.2, at_layer=1)], {}),
    ([edit(3, method="project", coefficient=0.0), edit(5)], {"temperature": 0.0}),
    ([edit(3)], {"top_k": 40, "top_p": 0.9, "repetition_penalty": 1.2}),
    ([edit(3)], {"window": [2, 12]}),
    ([edit(3, hook_type="z", at_hook_type="z", coefficient=3.0)], {}),
    ([edit(3, at_hook_type="resid_mid"), edit(4, hook_type="z", at_hook_type="z")], {}),
]
# One interpreter for all programs, because starting torch takes most of the time.
DRIVER = (
    "import runpy, sys\nfor name in sys.argv[2:]:\n    runpy.run_path(name, run_name='__main__')"
)


def test_the_exported_program_repeats_the_text_with_transformers_alone(
    root: Path, tmp_path: Path
) -> None:
    texts, names = [], []
    for number, (edits, values) in enumerate(PROGRAMS):
        outcome, _, kept = run(root, payload(*edits, **values))
        assert outcome.result is not None
        kept.id = uuid4()
        program = tmp_path / f"steer_{number}.py"
        program.write_bytes(exported(kept, "python"))
        assert "app." not in program.read_text()
        names.append(str(program))
        texts.append(outcome.result["steered_output"]["text"])
    # -I: neither this project's path nor its environment variables reach the programs.
    done = subprocess.run(
        [sys.executable, "-I", "-c", DRIVER, str(GLASS), *names],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stderr.count("identical to the run") == len(PROGRAMS)
    assert done.stdout == "".join(f"{text}\n" for text in texts)


def test_the_exported_program_loads_the_model_as_the_run_had_it(tmp_path: Path) -> None:
    """The folder of a quantised model holds its weights unquantised: 4 bits are made on loading."""
    for number, bits in enumerate(("Q8", "Q4"), start=2):
        folder = tmp_path / model_dir(UUID(int=number))
        folder.parent.mkdir(parents=True, exist_ok=True)
        import_language_model(GLASS, folder, lambda _: None, quantization=bits)
        lay_out_dictionary_files(tmp_path)
        asked = payload() | {"model_id": str(UUID(int=number))}
        _, _, kept = run(tmp_path, asked)
        _, _, cancelled = run(tmp_path, asked, stop_after=5)
        for name, one in (("whole", kept), ("cancelled", cancelled)):
            (tmp_path / f"{name}.py").write_bytes(exported(one, "python"))
        done = subprocess.run(
            [sys.executable, "-I", "-c", DRIVER, str(folder), "whole.py", "cancelled.py"],
            capture_output=True, text=True, check=True, cwd=tmp_path,
        )  # fmt: skip
        assert done.stderr.count("identical to the run") == 2
    kept.facts["quantization"] = "Q2"
    with pytest.raises(NotExportable, match="2 bits"):
        exported(kept, "python")


def test_the_exported_program_steers_where_a_block_flattens_its_tokens(tmp_path: Path) -> None:
    """OPT's feed-forward part sees tokens without a batch."""
    config = {
        "vocab_size": 1024, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2,
        "ffn_dim": 32, "max_position_embeddings": 64, "word_embed_proj_dim": 16,
    }  # fmt: skip
    folder = tmp_path / model_dir(UUID(int=9))  # the cache knows the first
    torch.manual_seed(0)
    OPTForCausalLM(OPTConfig(**config)).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(GLASS / name, folder)
    lay_out_dictionary_files(tmp_path, 16)
    names, share = [], {"unit": "norm_fraction", "coefficient": 2.0}
    for site in ("mlp", "resid_mid", "residual"):
        asked = payload(edit(3, layer=1, at_layer=1, hook_type=site, at_hook_type=site, **share))
        _, _, kept = run(tmp_path, asked | {"model_id": str(UUID(int=9))})
        names.append(f"steer_{site}.py")
        (tmp_path / names[-1]).write_bytes(exported(kept, "python"))
    done = subprocess.run(
        [sys.executable, "-I", "-c", DRIVER, str(folder), *names],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.stderr.count("identical to the run") == 3


def test_the_json_of_a_run_is_whole(root: Path, settings: Settings) -> None:
    outcome, _, kept = run(root, payload())
    kept.created_at = cast(Any, SimpleNamespace(isoformat=lambda: "2026-11-25"))
    document = json.loads(exported(kept, "json"))
    assert document["result"] == outcome.result
    assert len(document["directions"][0]) == WIDTH
