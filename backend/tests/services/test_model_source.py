import json
import shutil
from pathlib import Path

import pytest

from app.services.corpora.errors import PathNotReadable
from app.services.model_source import ModelFormatInvalid, check_model_source

GLASS_EN = Path(__file__).parents[1] / "data" / "glass-en"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a real model, to be broken."""
    return Path(shutil.copytree(GLASS_EN, tmp_path / "model"))


def test_a_real_folder_and_a_gguf_file_are_accepted(folder: Path, tmp_path: Path) -> None:
    check_model_source(folder)
    gguf = tmp_path / "model.gguf"
    gguf.write_bytes(b"GGUF\x03\0\0\0")
    check_model_source(gguf)


def refused(path: Path) -> str:
    with pytest.raises(ModelFormatInvalid) as caught:
        check_model_source(path)
    assert caught.value.details["value"] == str(path)
    return caught.value.message


def test_what_is_missing_is_named(folder: Path) -> None:
    (folder / "tokenizer.json").rename(folder / "other.json")
    assert "holds no tokenizer" in refused(folder)
    weights = folder / "model.safetensors"
    weights.rename(folder / "pytorch_model.bin")
    assert "pickles" in refused(folder)
    (folder / "pytorch_model.bin").unlink()
    assert "no .safetensors file" in refused(folder)
    (folder / "config.json").write_text("{broken")
    assert "is not JSON" in refused(folder)
    (folder / "config.json").write_text(json.dumps({"hidden_size": 3}))
    assert "names no model_type" in refused(folder)
    (folder / "config.json").unlink()
    assert "holds no config.json" in refused(folder)


def test_a_folder_with_a_gguf_file_points_at_it(tmp_path: Path) -> None:
    (tmp_path / "small.gguf").write_bytes(b"GGUF")
    assert "Give the file" in refused(tmp_path)


def test_another_file_is_no_model(tmp_path: Path) -> None:
    file = tmp_path / "weights.gguf"
    file.write_bytes(b"PK\x03\x04")
    assert "is not a GGUF file" in refused(file)


def test_a_missing_path(tmp_path: Path) -> None:
    with pytest.raises(PathNotReadable, match="does not exist"):
        check_model_source(tmp_path / "nowhere")
