"""Readings that share their first blocks give the bits of readings that do not."""

import pytest
import torch

from app.ml.language_models import resolve_hook_point
from app.ml.language_models.forward import edit_at
from app.ml.language_models.hook_points import find_blocks, offered_hook_types
from app.ml.language_models.prefix import SharedPrefix, blocks_before
from tests.ml.model_families import FAMILIES, IDS, random_model


@pytest.mark.parametrize("hook_type", ["residual", "mlp", "resid_mid", "z"])
@pytest.mark.parametrize("family", FAMILIES)
def test_an_edited_reading_is_the_same_with_and_without(family: str, hook_type: str) -> None:
    model = random_model(family).model
    if hook_type not in offered_hook_types(model):
        pytest.skip("a parallel block")
    point = resolve_hook_point(model, 1, hook_type)
    prefix = SharedPrefix(model, blocks_before(point))
    with torch.no_grad(), prefix.recorded():
        clean = model(IDS, use_cache=False).logits
    with torch.no_grad(), edit_at(model, point, lambda value: value * 2):
        whole = model(IDS, use_cache=False).logits
        with prefix.reused():
            shared = model(IDS, use_cache=False).logits
    assert torch.equal(shared, whole)
    assert not torch.equal(shared, clean)
    with torch.no_grad():
        assert torch.equal(model(IDS, use_cache=False).logits, clean)


def test_the_blocks_below_do_not_run_again() -> None:
    model = random_model("llama").model
    ran: list[int] = []
    for number, block in enumerate(find_blocks(model)[1]):
        block.get_submodule("mlp").register_forward_pre_hook(lambda *_, n=number: ran.append(n))
    points = [resolve_hook_point(model, 2, kind) for kind in ("residual", "mlp_input")]
    prefix = SharedPrefix(model, blocks_before(*points))
    with torch.no_grad(), prefix.recorded():
        model(IDS)
    with torch.no_grad(), prefix.reused():
        model(IDS)
    assert ran == [0, 1, 2, 2]
    assert blocks_before(points[0]) == 3


def test_the_first_block_has_nothing_below_it() -> None:
    model = random_model("gpt2").model
    prefix = SharedPrefix(model, blocks_before(resolve_hook_point(model, 0, "mlp")))
    with torch.no_grad(), prefix.recorded():
        first = model(IDS, use_cache=False).logits
    with torch.no_grad(), prefix.reused():
        assert torch.equal(model(IDS, use_cache=False).logits, first)
