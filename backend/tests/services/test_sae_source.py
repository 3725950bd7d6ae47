from pathlib import Path

import pytest

from app.services.corpora.errors import PathNotReadable
from app.services.sae_source import SaeFormatInvalid, check_sae_source


def touch(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    "names",
    [
        ("cfg.json", "sae_weights.safetensors"),
        ("cfg.json", "sae.safetensors"),
        ("config.json", "ae.pt", "more.txt"),
        ("params.npz",),
    ],
)
def test_every_known_form_is_accepted(names: tuple[str, ...], tmp_path: Path) -> None:
    check_sae_source(touch(tmp_path / "sae", *names))
    if names == ("params.npz",):
        check_sae_source(tmp_path / "sae" / "params.npz")


def test_what_is_no_dictionary_is_told_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(PathNotReadable, match=r"does not exist.*sae_weights\.safetensors"):
        check_sae_source(tmp_path / "nowhere")
    with pytest.raises(SaeFormatInvalid, match="is no dictionary"):
        check_sae_source(touch(tmp_path / "half", "cfg.json"))
    with pytest.raises(SaeFormatInvalid, match=r"ae\.pt is no dictionary by itself"):
        check_sae_source(touch(tmp_path / "dl", "config.json", "ae.pt") / "ae.pt")


def test_a_folder_of_several_names_them(tmp_path: Path) -> None:
    for layer in range(7):
        touch(tmp_path / "all" / f"layers.{layer}", "cfg.json", "sae.safetensors")
    with pytest.raises(SaeFormatInvalid, match=r"layers\.0, .*layers\.4 and 2 more"):
        check_sae_source(tmp_path / "all")
