"""What each activation and each extra tensor of a dictionary means, on numbers done by hand."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.ml.errors import CheckpointInvalid
from app.ml.files import write_json
from app.ml.sae_training import SparseAutoencoder, load_sae

# Two latents that read x[0] and x[1]; they write to three outputs.
TENSORS = {
    "W_enc_DF": torch.tensor([[1.0, 0.0], [0.0, 1.0]]),
    "W_dec_FD": torch.tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]),
    "b_enc_F": torch.tensor([0.5, -1.0]),
    "b_dec_D": torch.tensor([10.0, 20.0, 30.0]),
}
X = torch.tensor([[1.0, 3.0], [0.25, 1.5], [-2.0, 0.0]])


def dictionary(activation: str, k: int | None = None, **extra: torch.Tensor) -> SparseAutoencoder:
    return SparseAutoencoder(TENSORS | extra, activation, k, centres_input=False)


def test_jumprelu_keeps_the_whole_value_above_its_threshold() -> None:
    sae = dictionary("jumprelu", threshold_F=torch.tensor([0.75, 1.0]))
    # pre-activations: (1.5, 2.0), (0.75, 0.5), (-1.5, -1.0); equal to the threshold is not above
    assert sae.encode(X).tolist() == [[1.5, 2.0], [0.0, 0.0], [0.0, 0.0]]


def test_the_gate_decides_whether_and_the_magnitude_how_much() -> None:
    sae = dictionary(
        "gated", b_gate_F=torch.tensor([-0.5, -2.0]), r_mag_F=torch.tensor([2.0, 1.0]).log()
    )
    # gates: (0.5, 1.0), (-0.25, -0.5), (-2.5, -2.0); magnitudes: (2 * 1 + 0.5, 3 - 1), ...
    torch.testing.assert_close(sae.encode(X), torch.tensor([[2.5, 2.0], [0.0, 0.0], [0.0, 0.0]]))


def test_a_skip_path_adds_what_was_read() -> None:
    skip = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 100.0]])
    sae = dictionary("relu", W_skip_DD=skip)
    expected = torch.tensor([[1.5 + 10 + 1, 2 * 2.0 + 20, 30 + 300]])
    torch.testing.assert_close(sae(X[:1]), expected)
    active = sae.encode_active(X)
    torch.testing.assert_close(sae.decode_active(active, len(X), X), sae(X))
    with pytest.raises(ValueError, match="skip path"):
        sae.decode_active(active, len(X))


def test_input_and_output_may_differ_in_width() -> None:
    sae = dictionary("topk", 1)
    assert (sae.d_model, sae.d_out, sae.d_sae) == (2, 3, 2)
    assert sae(X[:1]).tolist() == [[10.0, 24.0, 30.0]]


def test_a_folder_without_what_its_activation_needs_is_refused(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "sae.safetensors")
    write_json(tmp_path / "metadata.json", {"activation": "jumprelu", "centres_input": False})
    with pytest.raises(CheckpointInvalid, match="threshold_F"):
        load_sae(tmp_path)
    save_file(TENSORS | {"threshold_F": torch.ones(3)}, tmp_path / "sae.safetensors")
    with pytest.raises(CheckpointInvalid, match="threshold_F has shape"):
        load_sae(tmp_path)
