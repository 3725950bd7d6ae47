"""Reading latents where their dictionaries read, during a forward pass of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from app.ml.language_models.forward import PARTS, Edit
from app.ml.language_models.hook_points import HookPoint, resolve_hook_point
from app.ml.language_models.loading import LoadedModel
from app.ml.steering.latents import Latent, LatentReader


@dataclass(frozen=True)
class PlacedReader:
    point: HookPoint
    places: list[int]
    reader: LatentReader


def placed_readers(
    loaded: LoadedModel, latents: Sequence[tuple[int, Latent]]
) -> list[PlacedReader]:
    """Group latents by dictionary and place, so that each state is read once."""
    groups: dict[tuple[int, HookPoint], list[tuple[int, Latent]]] = {}
    for place, latent in latents:
        point = resolve_hook_point(loaded.model, latent.layer, latent.hook_type)
        groups.setdefault((id(latent.dictionary), point), []).append((place, latent))
    return [
        PlacedReader(
            point,
            [place for place, _ in members],
            LatentReader(members[0][1].dictionary, [m.index for _, m in members], loaded.device),
        )
        for (_, point), members in groups.items()
    ]


class Watcher:
    """Reads latents at the last position of every row, after all edits; see ``values_BE``."""

    def __init__(self, loaded: LoadedModel, latents: Sequence[Latent]) -> None:
        self._readers = placed_readers(loaded, list(enumerate(latents)))
        self._n_latents = len(latents)
        self._states: dict[HookPoint, torch.Tensor] = {}

    def edits(self) -> list[tuple[HookPoint, Edit]]:
        return [(reader.point, self._keep(reader.point)) for reader in self._readers]

    def _keep(self, point: HookPoint) -> Edit:
        def keep(value_BSD: torch.Tensor) -> None:
            last_BD = value_BSD[:, -1]
            # Falcon adds the attention to the MLP's output in place, after this hook.
            self._states[point] = last_BD.clone() if point.hook_type in PARTS else last_BD

        return keep

    def values(self, n_rows: int) -> torch.Tensor:
        """Return the latents of the last forward pass, float32 (B, E) on the CPU."""
        values_BE = torch.zeros(n_rows, self._n_latents)
        for reader in self._readers:
            values_BE[:, reader.places] = reader.reader.read(self._states[reader.point]).cpu()
        return values_BE


@contextmanager
def last_states(loaded: LoadedModel, keep: Callable[[torch.Tensor], None]) -> Iterator[None]:
    """Hand over what the unembedding reads at the last position, (B, D), during the block."""

    def hook(_module: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        keep(inputs[0][:, -1].float())

    handle = loaded.model.get_output_embeddings().register_forward_pre_hook(hook)
    try:
        yield
    finally:
        handle.remove()
