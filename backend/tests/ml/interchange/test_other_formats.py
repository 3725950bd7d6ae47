"""dictionary_learning, sparsify and Gemma Scope; and files that mean harm."""

import json
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from app.ml.activation_extraction.npy_files import npy_header
from app.ml.errors import InvalidActivations, ParityFailed, SaeFormatError
from app.ml.interchange import check_parity, import_sae, read_foreign
from app.ml.interchange.foreign import ForeignSae
from tests.ml.interchange.dictionaries import D, F, Made, make


def learned(folder: Path, kind: str, state: dict[str, object], **trainer: object) -> Path:
    folder.mkdir(exist_ok=True)
    config = {"trainer": {"dict_class": kind, "layer": 3, "lm_name": "m", **trainer}}
    (folder / "config.json").write_text(json.dumps(config))
    torch.save(state, folder / "ae.pt")
    return folder


def linear(made: Made, bias: str) -> dict[str, object]:
    t = made.tensors
    return {
        "encoder.weight": t["W_enc_DF"].T, "encoder.bias": t["b_enc_F"],
        "decoder.weight": t["W_dec_FD"].T, bias: t["b_dec_D"],
    }  # fmt: skip


def state_of(kind: str) -> tuple[Made, dict[str, object]]:
    """A state dict of each class, of the dictionary of ours that it should become."""
    if kind == "AutoEncoder":
        return (made := make("relu")), linear(made, "bias")
    if kind == "AutoEncoderTopK":
        made = make("topk")
        return made, linear(made, "b_dec") | {"k": torch.tensor(6), "threshold": torch.tensor(-1.0)}
    if kind == "GatedAutoEncoder":
        made = make("gated")
        state = linear(made, "decoder_bias")
        state["mag_bias"] = state.pop("encoder.bias")
        t = made.tensors
        return made, state | {"r_mag": t["r_mag_F"], "gate_bias": t["b_gate_F"]}
    made = make("jumprelu")
    made.tensors["threshold_F"] = torch.full((F,), 0.4)
    if kind == "BatchTopKSAE":
        return made, linear(made, "b_dec") | {"threshold": torch.tensor(0.4), "k": torch.tensor(6)}
    names = {"W_enc": "W_enc_DF", "W_dec": "W_dec_FD", "b_enc": "b_enc_F", "b_dec": "b_dec_D"}
    matrices: dict[str, object] = {theirs: made.tensors[ours] for theirs, ours in names.items()}
    return made, matrices | {"threshold": torch.tensor(0.4)}


@pytest.mark.parametrize("kind", ["AutoEncoder", "AutoEncoderTopK", "GatedAutoEncoder",
                                  "BatchTopKSAE", "MatryoshkaBatchTopKSAE"])  # fmt: skip
def test_classes_of_dictionary_learning(kind: str, tmp_path: Path) -> None:
    made, state = state_of(kind)
    foreign = read_foreign(learned(tmp_path / "dl", kind, state, k=6))
    report = check_parity(foreign, made.x_ND, made.x_ND)
    assert report.n_tokens == len(made.x_ND)
    assert (foreign.activation, foreign.place.layer) == (made.metadata["activation"], 3)
    for name, tensor in made.tensors.items():
        assert torch.equal(foreign.tensors[name], tensor), name


def test_jumprelu_and_the_plain_autoencoder_do_not_centre(tmp_path: Path) -> None:
    made, state = state_of("MatryoshkaBatchTopKSAE")
    state["threshold"] = torch.full((F,), 0.4)
    jump = read_foreign(learned(tmp_path / "a", "JumpReluAutoEncoder", state))
    new = linear(make("relu"), "decoder.bias")
    plain = read_foreign(learned(tmp_path / "b", "AutoEncoderNew", new))
    assert not jump.centres_input
    assert not plain.centres_input
    for foreign in (jump, plain):
        target = foreign.reference(made.x_ND.double())[1].float()
        assert check_parity(foreign, made.x_ND, target).active_sets_equal


def test_a_batch_topk_without_a_threshold_keeps_k(tmp_path: Path) -> None:
    _, state = state_of("BatchTopKSAE")
    state["threshold"] = torch.tensor(-1.0)
    foreign = read_foreign(learned(tmp_path / "dl", "BatchTopKSAE", state))
    assert (foreign.activation, foreign.k) == ("topk", 6)
    assert "never set" in foreign.notes[0]


@pytest.mark.parametrize("kind", ["topk", "topk transcoder"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_sparsify(kind: str, dtype: torch.dtype, tmp_path: Path) -> None:
    made = make(kind)
    folder = tmp_path / "layers.5.mlp"
    folder.mkdir()
    t = made.tensors
    state = {
        "encoder.weight": t["W_enc_DF"].T, "encoder.bias": t["b_enc_F"],
        "W_dec": t["W_dec_FD"], "b_dec": t["b_dec_D"], "W_skip": torch.eye(D) * 0.01,
    }  # fmt: skip
    save_file({n: v.to(dtype).contiguous() for n, v in state.items()}, folder / "sae.safetensors")
    transcode = "transcoder" in kind
    config = {"activation": "topk", "k": 6, "num_latents": 0, "expansion_factor": 32,
              "transcode": transcode, "d_in": D, "skip_connection": True}  # fmt: skip
    (folder / "cfg.json").write_text(json.dumps(config))
    foreign = read_foreign(folder)
    places = (foreign.place.hook_type, foreign.place.target_hook_type)
    assert places == (("mlp_input", "mlp") if transcode else ("mlp", None))
    assert foreign.encoder_type == ("transcoder" if transcode else "skip")
    assert check_parity(foreign, made.x_ND, made.target_ND).max_latent_difference < 1e-9


def npz(path: Path, **changes: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    t = make("jumprelu").tensors
    names = {"W_enc": "W_enc_DF", "W_dec": "W_dec_FD", "b_enc": "b_enc_F", "b_dec": "b_dec_D",
             "threshold": "threshold_F"}  # fmt: skip
    arrays = {theirs: t[ours].numpy() for theirs, ours in names.items()}
    np.savez(path, **(arrays | changes))
    return path


def test_gemma_scope(tmp_path: Path) -> None:
    path = npz(tmp_path / "layer_12" / "width_16k" / "params.npz")
    foreign = read_foreign(path.parent)
    assert (foreign.place.layer, foreign.centres_input) == (12, False)
    x = make("jumprelu").x_ND
    target = foreign.reference(x.double())[1].float()
    assert check_parity(foreign, x, target).fvu < 1e-9


@pytest.mark.parametrize(
    ("repository", "place"),
    [("gemma-scope-2b-pt-att", "z"), ("gemma-scope-9b-it-res", "residual"),
     ("gemma-scope-2b-pt-mlp", "mlp"), ("something-att", None)],
)  # fmt: skip
def test_gemma_scope_says_its_place_by_its_repository(
    tmp_path: Path, repository: str, place: str | None
) -> None:
    path = npz(tmp_path / repository / "layer_12" / "width_16k" / "params.npz")
    found = read_foreign(path.parent).place
    assert (found.layer, found.hook_type) == (12, place)


def test_a_transposed_dictionary_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    """Square, so that every shape fits: only the activations tell."""
    x = torch.randn(500, D) + 5
    square = torch.linalg.qr(torch.randn(D, D))[0]
    arrays = {"W_enc": square, "W_dec": square, "b_enc": torch.zeros(D), "b_dec": torch.zeros(D),
              "threshold": torch.zeros(D)}  # fmt: skip
    np.savez(tmp_path / "params.npz", **{n: a.numpy() for n, a in arrays.items()})
    foreign = read_foreign(tmp_path / "params.npz")
    with pytest.raises(ParityFailed, match="explains nothing"):
        import_sae(foreign, (0, "residual", "residual"), x, x, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_wrong_conversion_is_found() -> None:
    made = make("topk")

    def other(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        latents = made.sae.double().encode(x + 0.001)
        return latents, made.sae.decode(latents)

    foreign = ForeignSae("x", "x", made.tensors, "topk", 6, True, "sparse", other)
    with pytest.raises(ParityFailed, match="not its source"):
        check_parity(foreign, made.x_ND, made.x_ND)


def test_another_width_is_told(tmp_path: Path) -> None:
    foreign = read_foreign(npz(tmp_path / "params.npz"))
    with pytest.raises(InvalidActivations, match="width 12, not 7"):
        check_parity(foreign, torch.randn(20, 7), torch.randn(20, 7))


class Harm:
    """Pickles to a call of the shell."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch harmed",)


@pytest.mark.fault(23)
def test_a_pickle_that_wants_more_is_refused_before_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = learned(tmp_path / "dl", "AutoEncoder", {"encoder.weight": Harm()})
    with pytest.raises(SaeFormatError, match="wants 'posix system'"):
        read_foreign(folder)
    (folder / "ae.pt").write_bytes(b"\x80\x04.")
    with pytest.raises(SaeFormatError, match="present format"):
        read_foreign(folder)
    assert not (tmp_path / "harmed").exists()


@pytest.mark.fault(23)
def test_hostile_arrays(tmp_path: Path) -> None:
    nan = np.full(F, np.nan, dtype=np.float32)
    for changes, words in (
        ({"threshold": np.array([Harm()] * F, dtype=object)}, "not numbers"),
        ({"threshold": nan}, "NaN or infinity"),
        ({"W_dec": np.zeros((F + 1, D), dtype=np.float32)}, "W_dec has shape"),
        ({"threshold": np.zeros((2, F), dtype=np.float32)}, "threshold has shape"),
    ):
        path = npz(tmp_path / "params.npz", **changes)
        with pytest.raises(SaeFormatError, match=words):
            read_foreign(path)
    (tmp_path / "params.npz").write_bytes(b"PK\x03\x04rubbish")
    with pytest.raises(SaeFormatError, match="no readable npz"):
        read_foreign(tmp_path / "params.npz")


def packed(path: Path, entry: str, start: bytes, size: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry, start + bytes(size))


@pytest.mark.fault(23)
def test_what_would_grow_without_measure_is_not_unpacked(tmp_path: Path) -> None:
    """A file of 20 kB may say that it holds 20 MB, and one of 10 MB 10 GB."""
    size = 20 << 20
    folder = learned(tmp_path / "dl", "AutoEncoder", {})
    for entry in ("ae/data.pkl", "ae/data/0"):
        packed(folder / "ae.pt", entry, b"", size)
        with pytest.raises(SaeFormatError, match="packed"):
            read_foreign(folder)
    with zipfile.ZipFile(folder / "ae.pt", "w") as archive:
        archive.writestr("ae/data.pkl", b"N0" * (1 << 20))
    with pytest.raises(SaeFormatError, match="no list of tensors"):
        read_foreign(folder)
    header = npy_header((size,), np.dtype("u1"))
    packed(tmp_path / "params.npz", "W_enc.npy", header, size)
    with pytest.raises(SaeFormatError, match="would grow"):
        read_foreign(tmp_path / "params.npz")


@pytest.mark.fault(23)
def test_hostile_safetensors_and_configurations(tmp_path: Path) -> None:
    config, weights = tmp_path / "cfg.json", tmp_path / "sae_weights.safetensors"
    config.write_text(json.dumps({"architecture": "standard", "metadata": {}}))
    weights.write_bytes(struct.pack("<Q", 1 << 60) + b"{}")
    with pytest.raises(SaeFormatError, match="header is too large"):
        read_foreign(tmp_path)
    weights.write_bytes(b"\x10\0\0\0\0\0\0\0{broken")
    with pytest.raises(SaeFormatError):
        read_foreign(tmp_path)
    save_file({"W_enc": torch.zeros(2, 3)}, weights)
    with pytest.raises(SaeFormatError, match="W_dec is missing"):
        read_foreign(tmp_path)
    for text, words in (
        ("[" * 100_000, "not JSON"),
        ("[]", "no object"),
        (json.dumps({"architecture": "temporal", "metadata": {}}), "'temporal' cannot"),
    ):
        config.write_text(text)
        with pytest.raises(SaeFormatError, match=words):
            read_foreign(tmp_path)
    with pytest.raises(SaeFormatError, match="no dictionary of a known form"):
        read_foreign(tmp_path / "nowhere")
