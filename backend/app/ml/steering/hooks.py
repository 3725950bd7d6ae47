"""Hooks that steer and watch, by absolute position. B batch rows, N steered values, D width."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from app.ml.errors import SteeringInvalid
from app.ml.language_models.forward import Edit
from app.ml.language_models.hook_points import HookPoint, resolve_hook_point, width_at
from app.ml.language_models.loading import LoadedModel
from app.ml.steering.conditions import Gate
from app.ml.steering.edits import FeatureEdit, check_edit
from app.ml.steering.evidence import Evidence
from app.ml.steering.operations import ConstantDeltas, PreparedDeltas, state_delta
from app.ml.steering.places import ForwardPass, Places, PlacesOfPasses
from app.ml.steering.reconstruction import Replacement
from app.ml.steering.watching import PlacedReader, Watcher, placed_readers

Plan = Sequence[FeatureEdit | Replacement]


class SteeringHook:
    """Adds the deltas of all plans at one hook point, in the masked places only.

    A token costs a handful of small operations here, and none for which the host waits.
    """

    def __init__(
        self,
        point: HookPoint,
        plans: Sequence[Sequence[FeatureEdit]],
        loaded: LoadedModel,
        evidence: Evidence,
        replaced: Mapping[int, Replacement] | None = None,
        gate: Gate | None = None,
    ) -> None:
        self.point, self.evidence, self.gate = point, evidence, gate
        self.replaced = {
            place: (resolve_hook_point(loaded.model, r.layer, r.reads), r.dictionary)
            for place, r in (replaced or {}).items()
        }
        for _, dictionary in self.replaced.values():
            dictionary.to(loaded.device)
        self.acts = [bool(plan) or place in self.replaced for place, plan in enumerate(plans)]
        width = width_at(loaded.model, point, loaded.card.d_model)
        self.constant = ConstantDeltas(plans, width, loaded.device)
        self.special = {
            place: edits
            for place, plan in enumerate(plans)
            if (edits := [edit for edit in plan if not edit.is_constant])
        }
        self.readers = {
            place: _edit_readers(loaded, edits) for place, edits in self.special.items()
        }
        self.current: ForwardPass | None = None
        self._places = PlacesOfPasses(self.acts, loaded.device)
        self._prepared: tuple[Places, PreparedDeltas] | None = None

    def read_points(self) -> set[HookPoint]:
        """Return other places whose state this hook needs in the same pass."""
        points = {reader.point for readers in self.readers.values() for reader in readers}
        points |= {point for point, _ in self.replaced.values()}
        return points - {self.point}

    def steer(self, value_BSD: torch.Tensor) -> torch.Tensor | None:
        now = self.current
        places = None if now is None else self._places.of(now)
        if now is None or places is None:
            return None
        width = value_BSD.shape[2]
        state_ND = value_BSD.reshape(-1, width).index_select(0, places.flat_N).float()
        norm_N1 = torch.linalg.vector_norm(state_ND, dim=1, keepdim=True)
        deltas = self._prepare(places)
        delta_ND, delta_N = deltas.of(norm_N1)
        is_special = any(plan in self.special or plan in self.replaced for plan in places.of_plan)
        if is_special:
            delta_ND = self._add_special(delta_ND, state_ND, places, now)
            delta_N = torch.linalg.vector_norm(delta_ND, dim=1)
        opened_N = None
        if self.gate is not None:
            opened_N = self.gate.opened(now, places.flat_N, self.point.name)
            delta_ND = torch.where(opened_N.unsqueeze(1), delta_ND, 0.0)
            delta_N = torch.where(opened_N, delta_N, 0.0)
        self._count(now, places, (delta_N, norm_N1.squeeze(1), opened_N))
        if deltas.is_zero and not is_special:
            return None  # so that a strength of 0 leaves every bit as it was
        steered_ND = state_ND + delta_ND
        if is_special or deltas.has_zero or opened_N is not None:
            steered_ND = torch.where(delta_ND == 0, state_ND, steered_ND)  # -0 + 0 is another 0
        changed_BSD = value_BSD.clone(memory_format=torch.contiguous_format)
        changed_BSD.view(-1, width).index_copy_(0, places.flat_N, steered_ND.to(value_BSD.dtype))
        return changed_BSD

    def _prepare(self, places: Places) -> PreparedDeltas:
        """Return the constant deltas of these places, made once for as long as they stay."""
        if self._prepared is None or self._prepared[0] is not places:
            self._prepared = (places, self.constant.prepare(places.plans_N, places.plans))
        return self._prepared[1]

    def _add_special(
        self, delta_ND: torch.Tensor, state_ND: torch.Tensor, places: Places, now: ForwardPass
    ) -> torch.Tensor:
        delta_ND = delta_ND.clone()
        for plan, chosen in places.of_plan.items():
            if plan in self.special or plan in self.replaced:
                states = state_ND if chosen is None else state_ND[chosen]
                flat = places.flat_N if chosen is None else places.flat_N[chosen]
                found = self._special_delta(plan, states, now, flat)
                if chosen is None:
                    delta_ND += found
                else:
                    delta_ND.index_add_(0, chosen, found)
        return delta_ND

    def _special_delta(
        self, plan: int, state_ND: torch.Tensor, now: ForwardPass, flat_N: torch.Tensor
    ) -> torch.Tensor:
        """Return what one plan adds beside its constant edits, a replacement as a difference."""
        base_ND = state_ND
        if plan in self.replaced:
            point, dictionary = self.replaced[plan]
            base_ND = dictionary(self._states(point, state_ND, now, flat_N))
        delta_ND = base_ND - state_ND
        if plan in self.special:
            latents_NE = self._latents(plan, state_ND, now, flat_N)
            delta_ND = delta_ND + state_delta(self.special[plan], state_ND, latents_NE, base_ND)
        return delta_ND

    def _states(
        self, point: HookPoint, state_ND: torch.Tensor, now: ForwardPass, flat_N: torch.Tensor
    ) -> torch.Tensor:
        """Return the states at a place, this or an earlier one, float32 (N, D)."""
        if point == self.point:
            return state_ND
        captured_BSD = now.captured[point]
        return captured_BSD.reshape(-1, captured_BSD.shape[2])[flat_N].float()

    def _latents(
        self, plan: int, state_ND: torch.Tensor, now: ForwardPass, flat_N: torch.Tensor
    ) -> torch.Tensor:
        """Return the latent of each special edit, read where its dictionary reads."""
        latents_NE = torch.full(
            (len(state_ND), len(self.special[plan])), torch.nan, device=state_ND.device
        )
        for reader in self.readers[plan]:
            read_ND = self._states(reader.point, state_ND, now, flat_N)
            latents_NE[:, reader.places] = reader.reader.read(read_ND)
        return latents_NE

    def _count(
        self,
        now: ForwardPass,
        places: Places,
        found: tuple[torch.Tensor, torch.Tensor, torch.Tensor | None],
    ) -> None:
        """Note norms of deltas and states, and where the condition held, of what is new."""
        if not now.counts:
            return
        (delta_N, norm_N, opened_N), texts_N, fresh_N = found, places.texts_N, places.fresh_N
        if fresh_N is not None:
            texts_N, delta_N, norm_N = texts_N[fresh_N], delta_N[fresh_N], norm_N[fresh_N]
            opened_N = None if opened_N is None else opened_N[fresh_N]
        self.evidence.add(self.point.name, texts_N, delta_N, norm_N, opened_N)
        self._places.note_counted(now)


def _edit_readers(loaded: LoadedModel, edits: Sequence[FeatureEdit]) -> list[PlacedReader]:
    latents = [(n, edit.latent) for n, edit in enumerate(edits) if edit.latent is not None]
    return placed_readers(loaded, latents)


def steering_hooks(
    loaded: LoadedModel,
    plans: Sequence[Plan],
    evidence: Evidence,
    gate: Gate | None = None,
) -> list[SteeringHook]:
    """Check all plans and make one hook per place.

    Raises:
        SteeringInvalid: an unusable edit, or the same feature twice at one place in a plan.
        HookPointNotFound: a layer or hook type does not exist.
    """
    at_point: dict[HookPoint, list[list[FeatureEdit]]] = {}
    replaced: dict[HookPoint, dict[int, Replacement]] = {}
    for number, plan in enumerate(plans):
        seen: set[tuple[str, int]] = set()
        for edit in plan:
            if isinstance(edit, Replacement):
                point = resolve_hook_point(loaded.model, edit.layer, edit.writes)
                at_point.setdefault(point, [[] for _ in plans])
                replaced.setdefault(point, {})[number] = edit
                continue
            check_edit(edit, loaded)
            point = resolve_hook_point(loaded.model, edit.layer, edit.hook_type)
            if edit.feature is not None and (point.name, edit.feature) in seen:
                raise SteeringInvalid(f"Feature {edit.feature} is listed twice at {point.name}.")
            if edit.feature is not None:
                seen.add((point.name, edit.feature))
            at_point.setdefault(point, [[] for _ in plans])[number].append(edit)
    return [
        SteeringHook(point, place, loaded, evidence, replaced.get(point), gate)
        for point, place in at_point.items()
    ]


def hook_list(
    hooks: Sequence[SteeringHook], watcher: Watcher, gate: Gate | None = None
) -> list[tuple[HookPoint, Edit]]:
    """Return all hooks in the order they act at one place: reading, steering, watching."""

    def capture_at(hook: SteeringHook, point: HookPoint) -> Edit:
        def keep(value_BSD: torch.Tensor) -> None:
            if hook.current is not None:
                hook.current.captured[point] = value_BSD

        return keep

    gates: list[tuple[HookPoint, Edit]] = [] if gate is None else [(gate.point, gate.read)]
    captures = [(point, capture_at(hook, point)) for hook in hooks for point in hook.read_points()]
    return [*gates, *captures, *((hook.point, hook.steer) for hook in hooks), *watcher.edits()]
