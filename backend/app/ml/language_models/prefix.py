"""The first blocks of a model, run once for several readings of the same text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import nn

from app.ml.language_models.hook_points import HookPoint, find_blocks


class SharedPrefix:
    """Blocks that an edit further up cannot change: computed by one pass, reused by the next.

    Readings that differ from some block on spend their time there only; the output is the same
    to the last bit.
    """

    def __init__(self, model: nn.Module, n_blocks: int) -> None:
        self._blocks = list(find_blocks(model)[1])[:n_blocks]
        self._output: Any = None

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Keep what the last of these blocks answers during the block."""
        if not self._blocks:
            yield
            return
        handle = self._blocks[-1].register_forward_hook(self._keep)
        try:
            yield
        finally:
            handle.remove()

    @contextmanager
    def reused(self) -> Iterator[None]:
        """Answer with what was recorded, without computing; hooks on these blocks still run."""
        with ExitStack() as stack:
            for block in self._blocks:
                stack.enter_context(_answering(block, self._output))
            yield

    def _keep(self, _module: nn.Module, _inputs: Any, output: Any) -> None:
        self._output = output


def blocks_before(*points: HookPoint) -> int:
    """Number of blocks that are complete before the first edit at one of ``points`` acts."""
    return min(point.layer + (point.hook_type == "residual") for point in points)


@contextmanager
def _answering(block: nn.Module, output: Any) -> Iterator[None]:
    own = vars(block).get("forward")
    block.forward = lambda *_args, **_kwargs: output
    try:
        yield
    finally:
        del block.forward
        if own is not None:
            block.forward = own
