"""Dictionaries on the hub: the files of one, and what is said where there is none."""

from pathlib import Path

import pytest

from app.services.hub.model_files import download_model_files
from app.services.hub.sae_files import list_sae_files
from app.services.sae_source import SaeFormatInvalid, check_sae_source
from tests.fixtures.hub import COMMIT, Hub

FILES = {
    "README.md": b"# Dictionaries",
    "layer_1/cfg.json": b"{}",
    "layer_1/sae_weights.safetensors": b"weights",
    "layer_1/sparsity.safetensors": b"sparsity",
    "layer_1/run.py": b"print()",
    "layer_2/width_16k/params.npz": b"PK",
    "layer_3/cfg.json": b"{}",
}


def test_the_files_of_one_folder_are_fetched(hub: Hub, tmp_path: Path) -> None:
    hub.add("models", "org/saes", FILES)
    commit, files = list_sae_files("org/saes", None, "layer_1", None)
    names = {"layer_1/cfg.json", "layer_1/sae_weights.safetensors", "layer_1/sparsity.safetensors"}
    assert (commit, {file.name for file in files}) == (COMMIT, names)
    download_model_files("org/saes", commit, files, tmp_path / "d", None, lambda _: None)
    check_sae_source(tmp_path / "d" / "layer_1")
    assert (tmp_path / "d" / "layer_1" / "sae_weights.safetensors").read_bytes() == b"weights"
    assert not (tmp_path / "d" / "README.md").exists()


@pytest.mark.parametrize("subfolder", [None, "layer_3", "layer_9"])
def test_where_there_is_none_the_others_are_named(hub: Hub, subfolder: str | None) -> None:
    hub.add("models", "org/saes", FILES)
    with pytest.raises(SaeFormatInvalid, match="Choose a subfolder: layer_1, layer_2/width_16k"):
        list_sae_files("org/saes", None, subfolder, None)
