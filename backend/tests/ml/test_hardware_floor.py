import pytest
import torch

from app.ml.configs import METRIC_DEFINITIONS
from app.ml.sae_training.hardware_floor import floor_share, product_rate


def test_the_share_by_hand() -> None:
    """1,000 tokens x 2 x 8 x 64 = 1.024 MFLOP; at 10.24 MFLOP/s that is 0.1 s of the 0.4 s."""
    assert floor_share(1000, 0.4, 8, 64, 10.24e6) == pytest.approx(0.25)
    assert "2 x d_in x latents" in METRIC_DEFINITIONS["floor_share"]


def test_the_rate_is_that_of_a_product_timed_here() -> None:
    rate = product_rate(torch.device("cpu"), torch.float32, 128, 64, 512)
    assert 1e8 < rate < 1e14
    assert rate == product_rate(torch.device("cpu"), torch.float32, 128, 64, 512)
