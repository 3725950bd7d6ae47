"""Rows on disk: what each number format keeps of them."""

import numpy as np
import pytest
import torch

from app.ml.activation_extraction.row_format import RowFormat


def test_codes_and_scales_by_hand() -> None:
    """Two blocks, the second of two numbers; 254 / 127 = 2 and 0.5 / 127 rounded up to bfloat16."""
    row = torch.zeros(1, 34)
    row[0, :3] = torch.tensor([254.0, -3.1, 1.0])
    row[0, 32:] = torch.tensor([0.5, -0.5])
    eight = RowFormat("int8", 34)
    kept = eight.encode(row)
    assert (eight.n_columns, eight.row_bytes, kept.shape) == (38, 38, (1, 38))
    assert kept[0, :4].tolist() == [127, -2, 0, 0]  # 0.5 rounds to even
    scales = kept[0, 34:].view(torch.bfloat16).tolist()
    assert scales == [2.0, pytest.approx(0.5 / 127, rel=2**-7)]
    assert scales[1] * 127 >= 0.5
    decoded = eight.decode(kept)
    assert decoded[0, :3].tolist() == [254.0, -4.0, 0.0]
    assert decoded[0, 32:].tolist() == [pytest.approx(0.5, rel=0.008), -decoded[0, 32].item()]


@pytest.mark.parametrize("width", [576, 100])
def test_gaussian_rows_keep_their_variance_to_five_digits(width: int) -> None:
    rows = torch.randn(2000, width, generator=torch.Generator().manual_seed(0))
    rows[:, 7] *= 300  # a dimension such as many models have
    eight = RowFormat("int8", width)
    error = (eight.decode(eight.encode(rows)) - rows).square()
    spread = rows.square().mean(dim=0)
    unexplained = (error.mean(dim=0) / spread)[40:]
    assert unexplained.max() < 6e-5
    assert unexplained.mean() > 1e-5


@pytest.mark.parametrize("name", ["bfloat16", "float16", "float32", "int8"])
def test_what_is_read_is_what_was_kept(name: str) -> None:
    rows = torch.randn(5, 40, generator=torch.Generator().manual_seed(1))
    rows[2] = 0
    form = RowFormat(name, 40)
    kept = form.encode(rows)
    array = form.to_file(kept)
    assert array.dtype == form.file_dtype
    assert array.nbytes == 5 * form.row_bytes
    again = form.from_file(np.array(array))
    assert torch.equal(form.decode(again), form.decode(kept))
    assert form.decode(again)[2].abs().max() == 0


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_codes_hold_any_size(size: float) -> None:
    rows = torch.linspace(-1, 1, 64).view(1, 64) * size
    eight = RowFormat("int8", 64)
    decoded = eight.decode(eight.encode(rows))
    torch.testing.assert_close(decoded, rows, rtol=0, atol=size / 200)
