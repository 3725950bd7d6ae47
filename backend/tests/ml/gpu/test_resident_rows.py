"""Rows in a GPU's memory are the rows on disk, in every number format."""

import numpy as np
import pytest
import torch

from app.ml.activation_extraction.activation_store import ActivationRows
from app.ml.activation_extraction.row_format import RowFormat
from app.ml.configs import STORE_DTYPES
from app.ml.sae_training.resident_rows import ResidentRows

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.parametrize("name", STORE_DTYPES)
def test_a_gathered_row_is_the_same_here_and_there(name: str) -> None:
    form = RowFormat(name, 100)
    exact = torch.randn(300, 100, generator=torch.Generator().manual_seed(0))
    rows = ActivationRows([form.encode(exact)], np.array([0, 300]), form)
    there = ResidentRows(rows, 300, torch.device("cuda"))
    numbers = np.random.default_rng(0).permutation(300).astype(np.int64)
    assert torch.equal(there.gather(numbers).cpu(), rows.gather(numbers))
    assert torch.equal(form.encode(exact.cuda()).cpu(), form.encode(exact))
