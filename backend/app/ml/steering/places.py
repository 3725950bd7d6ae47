"""Which values of a forward pass are steered. B batch rows, S tokens of the pass, N of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from app.ml.language_models.hook_points import HookPoint


@dataclass
class ForwardPass:
    """What the hooks must know of the coming forward pass; set by whoever runs it.

    ``mask`` says, for the tokens of this pass in each batch row, where to steer; ``first`` is the
    absolute position of the first of them, ``plans`` the plan of each batch row and ``texts`` the
    text that its evidence belongs to. Positions are thereby absolute whether or not a cache holds
    the earlier tokens. All of it is known to the host, so nothing has to be fetched to find out.

    A condition adds ``is_open``, bool (B x S), in the course of the pass: where it holds.
    """

    mask: tuple[tuple[bool, ...], ...]
    first: int
    plans: tuple[int, ...]
    texts: tuple[int, ...]
    counts: bool = True
    captured: dict[HookPoint, torch.Tensor] = field(default_factory=dict)
    is_open: torch.Tensor | None = None


@dataclass(frozen=True, eq=False)
class Places:
    """The steered values in the order of rows and tokens.

    ``flat_N`` index into (B x S), ``plans_N`` the plan of each; ``of_plan`` the values of a plan,
    None where all are. ``fresh_N`` are those to be counted, None where all are.
    """

    flat_N: torch.Tensor
    plans_N: torch.Tensor
    texts_N: torch.Tensor
    plans: tuple[int, ...]
    of_plan: dict[int, torch.Tensor | None]
    fresh_N: torch.Tensor | None


def find_places(
    now: ForwardPass, acts: Sequence[bool], counted_until: int, device: torch.device
) -> Places | None:
    """Return where a pass is steered by plans that act; None where nothing is.

    Args:
        now: The pass.
        acts: Whether each plan does anything at the hook's place.
        counted_until: Earlier absolute positions were counted in an earlier pass.
        device: Where the states are.
    """
    length = len(now.mask[0])
    chosen = [
        (row, column)
        for row, steered in enumerate(now.mask)
        if acts[now.plans[row]]
        for column, is_steered in enumerate(steered)
        if is_steered
    ]
    if not chosen:
        return None
    plans = tuple(now.plans[row] for row, _ in chosen)
    fresh = [now.first + column >= counted_until for _, column in chosen]

    def tensor(values: Sequence[int]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.int64, device=device)

    return Places(
        flat_N=tensor([row * length + column for row, column in chosen]),
        plans_N=tensor(plans),
        texts_N=tensor([now.texts[row] for row, _ in chosen]),
        plans=plans,
        of_plan={
            plan: None
            if len(set(plans)) == 1
            else tensor([n for n, other in enumerate(plans) if other == plan])
            for plan in set(plans)
        },
        fresh_N=None if all(fresh) else tensor([n for n, is_fresh in enumerate(fresh) if is_fresh]),
    )


class PlacesOfPasses:
    """Finds places, once for passes that are alike: most are one token for the same rows."""

    def __init__(self, acts: Sequence[bool], device: torch.device) -> None:
        self._acts, self._device = list(acts), device
        self._known: tuple[object, Places | None] | None = None
        self._counted_until = 0

    def of(self, now: ForwardPass) -> Places | None:
        offset = max(self._counted_until - now.first, 0)
        key = (now.mask, now.plans, now.texts, offset)
        if self._known is None or self._known[0] != key:
            found = find_places(now, self._acts, self._counted_until, self._device)
            self._known = (key, found)
        return self._known[1]

    def note_counted(self, now: ForwardPass) -> None:
        """Positions of this pass are not counted again when it is repeated."""
        self._counted_until = now.first + len(now.mask[0])
