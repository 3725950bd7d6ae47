"""Compilers are tried in order; what raises or computes something else is taken off again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from app.ml.language_models import (
    LoadedModel,
    capture,
    edit_at,
    load_language_model,
    resolve_hook_point,
)
from app.ml.language_models.acceleration import Compiler, accelerate, compilers_for, tensorrt
from tests.ml.conftest import GLASS

IDS = torch.arange(40)[None]
Forward = Callable[..., Any]


@pytest.fixture
def model() -> LoadedModel:
    return load_language_model(GLASS, dtype="float32")


def stand_in(name: str, wrap: Callable[[Forward], Forward], is_there: bool = True) -> Compiler:
    return Compiler(name, lambda _: is_there, wrap)


def raising(_: Forward) -> Forward:
    def forward(*args: Any, **options: Any) -> Any:
        raise RuntimeError("unsupported operation\nwith a long story")

    return forward


def wrong(forward: Forward) -> Forward:
    def changed(*args: Any, **options: Any) -> Any:
        found = forward(*args, **options)
        return (found[0] * 1.5, *found[1:]) if isinstance(found, tuple) else found * 1.5

    return changed


def test_the_first_that_works_is_taken_and_the_others_say_why_not(model: LoadedModel) -> None:
    calls: list[int] = []

    def counting(forward: Forward) -> Forward:
        def counted(*args: Any, **options: Any) -> Any:
            calls.append(1)
            return forward(*args, **options)

        return counted

    found = accelerate(
        model,
        [
            stand_in("absent", counting, is_there=False),
            stand_in("broken", raising),
            stand_in("careless", wrong),
            stand_in("good", counting),
        ],
    )
    assert (found.name, model.acceleration) == ("good", "good")
    absent, broken, careless = found.failed
    assert absent.startswith("absent: it is not installed")
    assert broken == "broken: unsupported operation"
    assert careless.startswith("careless: its output differs by")
    assert len(calls) == 2 * model.card.n_layers, "attention and MLP of each block, once"


def test_when_none_works_the_model_is_as_it_was(model: LoadedModel) -> None:
    before = model.body(input_ids=IDS).last_hidden_state
    found = accelerate(model, [stand_in("broken", raising), stand_in("careless", wrong)])
    assert (found.name, len(found.failed)) == ("eager", 2)
    assert torch.equal(model.body(input_ids=IDS).last_hidden_state, before)
    assert accelerate(model, []).failed == ()


@pytest.mark.parametrize(
    "hook_type", ["residual", "mlp", "attention", "mlp_input", "resid_mid", "z"]
)
def test_hooks_read_and_edit_the_same_values(model: LoadedModel, hook_type: str) -> None:
    """With PyTorch's own tracing, which must not swallow the hooks."""
    point = resolve_hook_point(model.model, 1, hook_type)
    last = resolve_hook_point(model.model, 2, "residual")

    def read() -> tuple[torch.Tensor, torch.Tensor]:
        plain = capture(model, IDS, [point])[point]
        with edit_at(model.model, point, lambda value: value + 1):
            return plain, capture(model, IDS, [last])[last]

    before = read()
    traced = stand_in("traced", lambda forward: torch.compile(forward, backend="eager"))
    assert accelerate(model, [traced]).name == "traced"
    for one, two in zip(before, read(), strict=True):
        torch.testing.assert_close(one, two)


def test_settings_name_compilers_in_order(tmp_path: Path) -> None:
    def names(wanted: str) -> list[str]:
        return [compiler.name for compiler in compilers_for(wanted, torch.float16, tmp_path)]

    assert names("auto") == names("tensorrt") == ["tensorrt", "compile"]
    assert names("compile") == ["compile"]
    assert names("off") == []
    assert not tensorrt(torch.float16, tmp_path).is_there(torch.device("cpu"))
