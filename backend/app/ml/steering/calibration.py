"""The strength at which steering changes the model by a wanted number of nats."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from weakref import WeakKeyDictionary

import torch

from app.ml.configs import SteeringConfig
from app.ml.errors import SteeringInvalid, Stopped
from app.ml.language_models.forward import hooked
from app.ml.language_models.loading import LoadedModel
from app.ml.records import ShouldStop
from app.ml.steering.conditions import Condition, Gate, check_condition
from app.ml.steering.decoding import BatchDecoder
from app.ml.steering.edits import FeatureEdit
from app.ml.steering.evidence import MAX_RATIO, Evidence
from app.ml.steering.hooks import hook_list, steering_hooks
from app.ml.steering.places import ForwardPass
from app.ml.steering.prompts import PositionRule
from app.ml.steering.rows import RowPlan
from app.ml.steering.watching import Watcher

PROBE_TOKENS = 20
STOPPED = "The calibration was stopped."
MAX_PROBES = 8
TOLERANCE = 0.1
"""Relative; a target of 1 nat is met between 0.9 and 1.1."""
FIRST_SHARE = 0.2
"""The first probe's delta as a share of the mean state norm: mild, in the quadratic range."""


@dataclass(frozen=True)
class Calibrated:
    """A strength along the direction, in activation units, and the KL that it reached."""

    strength: float
    kl: float
    n_probes: int


_FOUND: WeakKeyDictionary[object, dict[tuple[object, ...], Calibrated]] = WeakKeyDictionary()
"""Strengths found before, by model: the same question has the same answer while it is loaded."""
MAX_REMEMBERED = 1000


class KlProbe:
    """KL(steered || unsteered) on one fixed text: the prompt and its greedy unsteered end.

    A fixed text makes the KL a smooth function of the strength, which one forward pass measures,
    at the positions that predict the probe's generated tokens.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        config: SteeringConfig,
        condition: Condition | None = None,
        should_stop: ShouldStop | None = None,
    ) -> None:
        self.loaded, self.condition = loaded, condition
        greedy = replace(
            config, temperature=0.0, max_new_tokens=min(PROBE_TOKENS, config.max_new_tokens),
            stop=(),
        )  # fmt: skip
        plans = [RowPlan("unsteered", (), 0)]
        decoder = BatchDecoder(loaded, greedy, plans, should_stop=should_stop)
        decoder.run()
        if decoder.stopped:
            raise Stopped(STOPPED)
        rule, generated = PositionRule(loaded, greedy), decoder.texts[0].ids
        n_prompt = len(decoder.prompt_ids)
        masks = [rule.steers_generated(n_prompt + n, i) for n, i in enumerate(generated)]
        self.n_read = len(generated)
        # The last token predicts nothing that is measured.
        self.ids_1S = torch.tensor([[*decoder.prompt_ids, *generated][:-1]], device=loaded.device)
        self.mask = ((*decoder.prompt_mask, *masks)[:-1],)
        self.base_TV = self._log_probabilities(())
        if not any(self.mask[0]):
            raise SteeringInvalid(
                "A KL target needs positions to steer; steer the prompt or generate more tokens."
            )

    def divergences(self, edit: FeatureEdit) -> torch.Tensor:
        """Return the KL at every measured position, float64 (T,), in nats."""
        own_TV = self._log_probabilities((edit,))
        return (own_TV.exp() * (own_TV - self.base_TV)).sum(dim=1).clamp_min(0).double()

    def mean_norm(self, edit: FeatureEdit) -> float:
        """Return the mean norm of the state at the edit's place over the steered positions."""
        self._log_probabilities((replace(edit, coefficient=1.0, unit="norm", method="add"),))
        sums_T4 = self._last_evidence.sums()
        if sums_T4[0, 0] == 0 and self.condition is not None and self._last_gate is not None:
            values = [value for _, value in self._last_gate.readings(0)]
            raise self.condition.why_never_met(max(values), len(values))
        if sums_T4[0, 2] == 0:
            raise SteeringInvalid(
                "A KL target needs a position at which the feature is active, and there is none in "
                "this text: turn only_active off, or use a prompt in which the feature fires."
            )
        return float(sums_T4[0, 2] / sums_T4[0, 0])

    def _log_probabilities(self, edits: tuple[FeatureEdit, ...]) -> torch.Tensor:
        device = self.loaded.device
        self._last_evidence = evidence = Evidence(1, device)
        now = ForwardPass(self.mask, 0, (0,), (0,))
        self._last_gate = gate = self._gate(edits)
        if gate is not None:
            gate.current = now
        hooks = steering_hooks(self.loaded, [edits], evidence, gate)
        for hook in hooks:
            hook.current = now
        with (
            torch.inference_mode(),
            hooked(self.loaded.model, hook_list(hooks, Watcher(self.loaded, []), gate)),
        ):
            output = self.loaded.model(
                input_ids=self.ids_1S, use_cache=False, logits_to_keep=self.n_read
            )
        evidence.sums()  # refuses what is too large
        return torch.log_softmax(output.logits[0].float(), dim=-1)

    def _gate(self, edits: tuple[FeatureEdit, ...]) -> Gate | None:
        if self.condition is None or not edits:
            return None
        check_condition(self.condition, [edit.layer for edit in edits])
        return Gate(self.condition, self.loaded, [True], 1)


@dataclass(frozen=True)
class KlProbes:
    """Probes of several prompts taken together.

    Raises:
        Stopped: ``should_stop``, which is asked before each pass, said so.
    """

    probes: Sequence[KlProbe]
    should_stop: ShouldStop | None = None

    @classmethod
    def of(
        cls,
        loaded: LoadedModel,
        configs: Sequence[SteeringConfig],
        condition: Condition | None = None,
        should_stop: ShouldStop | None = None,
    ) -> KlProbes:
        probes = [KlProbe(loaded, config, condition, should_stop) for config in configs]
        return cls(probes, should_stop)

    def texts(self) -> tuple[object, ...]:
        """Return what they read and where they steer."""
        return tuple((tuple(p.ids_1S[0].tolist()), p.mask, p.n_read) for p in self.probes)

    def measure(self, edit: FeatureEdit) -> float:
        """Return the 95th percentile of the KL over the positions of all probes, in nats."""
        if self.should_stop is not None and self.should_stop():
            raise Stopped(STOPPED)
        kl_T = torch.cat([probe.divergences(edit) for probe in self.probes])
        return torch.quantile(kl_T, 0.95).item()

    def mean_norm(self, edit: FeatureEdit) -> float:
        return statistics.fmean(probe.mean_norm(edit) for probe in self.probes)


def calibrate(probes: KlProbes, edit: FeatureEdit, target: float) -> Calibrated:
    """Find the strength of an added direction that changes the probes' texts by ``target`` nats.

    Found before for the same model, place, direction, texts and target, it is not sought again.

    Args:
        probes: Prompts and positions.
        edit: Its coefficient and unit do not matter.
        target: p95 of the KL, in nats; its sign says which way to go.

    Raises:
        SteeringInvalid: no strength that leaves anything of the model reaches it.
    """
    known = _FOUND.setdefault(probes.probes[0].loaded.model, {})
    key = (_place_of(edit), _identity(probes.probes[0].condition), probes.texts(), target)
    if key not in known:
        if len(known) >= MAX_REMEMBERED:
            known.clear()
        known[key] = _calibrate(probes, edit, target)
    return known[key]


def _place_of(edit: FeatureEdit) -> tuple[object, ...]:
    vectors = [edit.direction_D]
    if edit.only_active and edit.latent is not None:  # where it acts is for its encoder to say
        vectors.append(edit.latent.dictionary.W_enc_DF[:, edit.latent.index])
    return (edit.layer, edit.hook_type, edit.only_active, _digest(vectors))


def _identity(condition: Condition | None) -> tuple[object, ...]:
    if condition is None:
        return ()
    latent = condition.latent
    vectors = [latent.dictionary.W_enc_DF[:, latent.index], latent.dictionary.b_enc_F]
    return (latent.layer, latent.hook_type, condition.threshold, _digest(vectors))


def _digest(vectors: Sequence[torch.Tensor]) -> str:
    digest = sha256()
    for vector in vectors:
        digest.update(vector.detach().cpu().float().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _calibrate(probes: KlProbes, edit: FeatureEdit, target: float) -> Calibrated:
    norm = probes.mean_norm(edit) / edit.direction_D.norm().item()
    sign = math.copysign(1.0, target)

    def kl_at(strength: float) -> float:
        return probes.measure(
            replace(edit, coefficient=sign * strength, unit="activation", method="add")
        )

    found = solve_strength(kl_at, abs(target), FIRST_SHARE * norm, 0.5 * MAX_RATIO * norm)
    return Calibrated(sign * found.strength, found.kl, found.n_probes)


def solve_strength(
    kl_at: Callable[[float], float], target: float, first: float, largest: float
) -> Calibrated:
    """Solve ``kl_at(c) = target`` by secants of log KL over log c, kept inside a bracket.

    For small c the KL grows as its square, so the first step assumes that slope.

    Raises:
        SteeringInvalid: no strength tried came near the target, which mostly lies beyond what the
            largest reaches.
    """
    low, high = 0.0, largest
    points: list[tuple[float, float]] = []
    strength = first
    best = Calibrated(first, math.inf, 0)
    for number in range(1, MAX_PROBES + 1):
        kl = kl_at(strength)
        if abs(math.log(max(kl, 1e-12) / target)) < abs(math.log(max(best.kl, 1e-12) / target)):
            best = Calibrated(strength, kl, number)
        if abs(kl - target) <= TOLERANCE * target:
            return replace(best, n_probes=number)
        low, high = (strength, high) if kl < target else (low, strength)
        points.append((math.log(strength), math.log(max(kl, 1e-12))))
        strength = _next_strength(points, target, low, high)
    raise SteeringInvalid(
        f"No strength reaches {target:g} nats here; the nearest was {best.kl:.2g}. Ask for "
        f"{'less' if best.kl < target else 'more'}, steer more positions or another layer."
    )


def _next_strength(
    points: list[tuple[float, float]], target: float, low: float, high: float
) -> float:
    (x, y), goal = points[-1], math.log(target)
    slope = 2.0
    if len(points) > 1 and (run := x - points[-2][0]) != 0:
        slope = min(max((y - points[-2][1]) / run, 0.3), 8.0)
    guess = math.exp(x + (goal - y) / slope)
    inside = low < guess < high
    middle = math.sqrt(low * high) if low > 0 else high / 2
    return guess if inside else middle
