"""SAELens folders: written and read again, written by hand, written by older versions."""

import io
import json
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.ml.errors import SaeFormatError
from app.ml.interchange import check_parity, import_sae, read_foreign
from app.ml.interchange.saelens_export import ExportUnsupported, SaelensExport
from app.ml.sae_training.sparse_autoencoder import load_sae
from tests.ml.interchange.dictionaries import KINDS, LAYER, Made, make


def exported(made: Made, folder: Path) -> Path:
    target = folder / "saelens"
    target.mkdir()
    SaelensExport(made.save(folder / "ours"), {"model_name": "glass-en"}).write(target)
    return target


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_comes_back_bit_equal(kind: str, tmp_path: Path) -> None:
    made = make(kind)
    foreign = read_foreign(exported(made, tmp_path))
    reads, writes = str(made.metadata["hook_type"]), str(made.metadata["target_hook_type"])
    place = foreign.place
    assert (place.layer, place.hook_type, place.target_hook_type or reads) == (LAYER, reads, writes)
    imported = import_sae(
        foreign, (LAYER, reads, writes), made.x_ND, made.target_ND, tmp_path / "again"
    )
    tensors = load_file(tmp_path / "again" / "sae.safetensors")
    assert tensors.keys() == made.tensors.keys()
    assert all(torch.equal(tensors[name], made.tensors[name]) for name in tensors)
    assert imported.encoder_type == made.metadata["encoder_type"]
    again = load_sae(tmp_path / "again")
    assert torch.equal(again(made.x_ND), made.sae(made.x_ND))
    assert imported.parity.active_sets_equal
    assert imported.parity.max_latent_difference < 1e-9
    assert 0 < imported.parity.explained_variance < 1


def test_a_folder_written_by_hand(tmp_path: Path) -> None:
    """Latents of x = (2, 1): topk keeps 2 of 3 - 0.5, 1 + 0, 0; the answer is worked by hand."""
    save_file(
        {
            "W_enc": torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
            "W_dec": torch.tensor([[1.0, 0.0], [0.0, 2.0], [5.0, 5.0]]),
            "b_enc": torch.tensor([-0.5, 0.0, 0.0]),
            "b_dec": torch.tensor([-1.0, 0.0]),
        },
        tmp_path / "sae_weights.safetensors",
    )
    config = {"architecture": "topk", "k": 1, "d_in": 2, "d_sae": 3, "apply_b_dec_to_input": True,
              "metadata": {"hook_name": "blocks.4.hook_resid_pre"}}  # fmt: skip
    (tmp_path / "cfg.json").write_text(json.dumps(config))
    foreign = read_foreign(tmp_path)
    latents, output = foreign.reference(torch.tensor([[2.0, 1.0]]).double())
    assert latents.tolist() == [[2.5, 0, 0]]
    assert output.tolist() == [[1.5, 0]]
    assert (foreign.place.layer, foreign.place.hook_type) == (3, "residual")


@pytest.mark.parametrize(
    ("hook_type", "name", "shape"),
    [
        ("residual", "blocks.3.hook_resid_post", "none"),
        ("resid_mid", "blocks.3.hook_resid_mid", "none"),
        ("z", "blocks.3.attn.hook_z", "hook_z"),
        ("attention", "blocks.3.hook_attn_out", "none"),
    ],
)
def test_places_have_their_names_there(
    tmp_path: Path, hook_type: str, name: str, shape: str
) -> None:
    made = make("topk")
    made.metadata.update(hook_type=hook_type, target_hook_type=hook_type)
    folder = exported(made, tmp_path)
    config = json.loads((folder / "cfg.json").read_text())
    assert (config["metadata"]["hook_name"], config["reshape_activations"]) == (name, shape)
    foreign = read_foreign(folder)
    assert (foreign.place.layer, foreign.place.hook_type) == (3, hook_type)
    assert any("side by side" in note for note in foreign.notes) is (hook_type == "z")


@pytest.mark.fault(23)
@pytest.mark.parametrize("value", [-1, 1e999, True, [1], {"a": 1}, 10**30])
def test_a_place_of_another_kind_is_the_files_fault(tmp_path: Path, value: object) -> None:
    folder = exported(make("topk"), tmp_path)
    config = json.loads((folder / "cfg.json").read_text())
    config["metadata"]["hook_name"] = value
    (folder / "cfg.json").write_text(json.dumps(config))
    with pytest.raises(SaeFormatError, match="wrong kind"):
        read_foreign(folder)


@pytest.mark.parametrize(
    ("changes", "metadata", "words"),
    [
        ({}, {"hook_name": "blocks.3.attn.hook_z", "hook_head_index": 2}, "reads head 2"),
        ({"reshape_activations": "hook_z"}, {"hook_name": "blocks.3.hook_q"}, "reshapes"),
        ({}, {"hook_name": "blocks.0.hook_resid_pre"}, "embeddings before block 0"),
    ],
)
def test_places_that_are_none_here_are_refused(
    tmp_path: Path, changes: dict[str, str], metadata: dict[str, object], words: str
) -> None:
    folder = exported(make("topk"), tmp_path)
    config = json.loads((folder / "cfg.json").read_text()) | changes
    config["metadata"] |= metadata
    (folder / "cfg.json").write_text(json.dumps(config))
    with pytest.raises(SaeFormatError, match=words):
        read_foreign(folder)


def test_decoder_norms_are_folded_where_selection_depends_on_them(tmp_path: Path) -> None:
    made = make("topk")
    folder = exported(made, tmp_path)
    weights = load_file(folder / "sae_weights.safetensors")
    config = json.loads((folder / "cfg.json").read_text()) | {"rescale_acts_by_decoder_norm": True}
    (folder / "cfg.json").write_text(json.dumps(config))
    foreign = read_foreign(folder)
    norms = foreign.tensors["W_dec_FD"].norm(dim=1)
    assert torch.allclose(norms, torch.ones_like(norms))
    assert not torch.allclose(weights["W_dec"].norm(dim=1), norms)
    x = torch.randn(200, 12) + made.x_ND.mean(0)
    target = foreign.reference(x.double())[1].float()
    assert check_parity(foreign, x, target).active_sets_equal


def test_a_legacy_configuration(tmp_path: Path) -> None:
    made = make("topk")
    folder = exported(made, tmp_path)
    legacy = {
        "d_in": 12, "d_sae": 40, "hook_point": "blocks.3.hook_resid_post", "hook_point_layer": 3,
        "activation_fn_str": "topk", "activation_fn_kwargs": {"k": 6}, "model_name": "gpt2-small",
        "apply_b_dec_to_input": True, "normalize_activations": False,
    }  # fmt: skip
    (folder / "cfg.json").write_text(json.dumps(legacy))
    foreign = read_foreign(folder)
    assert (foreign.activation, foreign.k, foreign.model_name) == ("topk", 6, "gpt2-small")
    assert (foreign.place.layer, foreign.place.hook_type) == (3, "residual")
    assert check_parity(foreign, made.x_ND, made.x_ND).explained_variance > 0


def test_a_scale_of_the_input_is_folded_only_where_it_is_known(tmp_path: Path) -> None:
    made = make("relu")
    folder = exported(made, tmp_path)
    config = json.loads((folder / "cfg.json").read_text())
    config["normalize_activations"] = "expected_average_only_in"
    (folder / "cfg.json").write_text(json.dumps(config))
    with pytest.raises(SaeFormatError, match="normalises activations"):
        read_foreign(folder)
    (folder / "activation_scaler.json").write_text('{"scaling_factor": 0.5}')
    foreign = read_foreign(folder)
    assert torch.equal(foreign.tensors["W_enc_DF"], made.tensors["W_enc_DF"] * 0.5)
    assert torch.equal(foreign.tensors["b_dec_D"], made.tensors["b_dec_D"] / 0.5)


def test_what_saelens_cannot_hold_is_refused(tmp_path: Path) -> None:
    made = make("skip")
    made.metadata.update(activation="topk", k=4)
    with pytest.raises(ExportUnsupported, match="no topk dictionary with a skip path"):
        SaelensExport(made.save(tmp_path), {})


def test_a_centring_that_saelens_does_not_do_goes_into_the_bias(tmp_path: Path) -> None:
    made = make("skip")
    made.metadata["centres_input"] = True
    made.sae.centres_input = True
    foreign = read_foreign(exported(made, tmp_path))
    assert not foreign.centres_input
    latents = foreign.reference(made.x_ND.double())[0]
    assert torch.allclose(latents.float(), made.sae.encode(made.x_ND), atol=1e-5)


def test_the_zip_is_the_folder_with_the_measured_sparsity(tmp_path: Path) -> None:
    made = make("gated")
    fires = torch.arange(40)
    firing = {"fires_F": fires, "n_tokens": torch.tensor([100])}
    save_file(firing, made.save(tmp_path / "ours") / "heldout_firing.safetensors")
    folder = exported(made, tmp_path)
    data = b"".join(SaelensExport(tmp_path / "ours", {"model_name": "glass-en"}).zipped())
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {n: archive.read(n) for n in archive.namelist()} == {
            path.name: path.read_bytes() for path in folder.iterdir()
        }
    sparsity = load_file(folder / "sparsity.safetensors")["sparsity"]
    assert sparsity[0] == -10
    assert sparsity[10].item() == pytest.approx(-1)
    weights = load_file(folder / "sae_weights.safetensors")
    assert torch.equal(weights["b_mag"], made.tensors["b_enc_F"])
    assert "b_enc" not in weights
