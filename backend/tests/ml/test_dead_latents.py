"""Dead latents are found at the same steps as by looking at every one of them."""

import torch

from app.ml.sae_training.dead_latents import DeadLatents


def test_no_step_is_missed() -> None:
    generator = torch.Generator().manual_seed(0)
    batch, window = 10, 75
    finder, counters = DeadLatents(window, batch), torch.zeros(6, dtype=torch.int64)
    seen = 0
    for step in range(300):
        found = finder.find(counters, step)
        assert torch.equal(found, (counters >= window).nonzero().flatten())
        seen += len(found)
        counters += batch
        counters[torch.rand(6, generator=generator) < 0.2] = 0
    assert seen > 0


def test_a_restored_counter_is_seen_at_once() -> None:
    counters = torch.tensor([0, 80, 20])
    assert DeadLatents(75, 10).find(counters, 123).tolist() == [1]


def test_counters_are_left_alone_until_one_can_be_dead() -> None:
    finder = DeadLatents(75, 10)
    assert len(finder.find(torch.tensor([5]), 4)) == 0
    # 7 steps later the counter can have reached 75 at most; before, it is not even read.
    unread = torch.tensor([1000])
    assert len(finder.find(unread, 10)) == 0
    assert finder.find(unread, 11).tolist() == [0]
