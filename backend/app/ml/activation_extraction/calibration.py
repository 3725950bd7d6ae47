"""Norms at each hook point, measured on a few windows before anything is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from app.ml.activation_extraction.token_store import TokenStore
from app.ml.language_models.forward import capture
from app.ml.language_models.hook_points import HookPoint
from app.ml.language_models.loading import LoadedModel
from app.ml.records import HookSummary

FEWEST_WINDOWS, MOST_WINDOWS = 8, 32
WINDOWS_PER_CALIBRATION = 50
"""One window in 50 is read twice, at least 8 and at most 32: a median needs no more."""
BATCH_WINDOWS = 8


@dataclass(frozen=True)
class HookLimits:
    """Norm statistics of ordinary tokens at one hook point; above ``limit`` is an outlier."""

    layer: int
    hook_type: str
    d_model: int
    limit: float
    median_norm: float
    mean_norm: float
    max_norm: float
    first_position_norm: float

    def summary(self, norm_outliers: int) -> HookSummary:
        return HookSummary(
            layer=self.layer,
            hook_type=self.hook_type,
            d_model=self.d_model,
            median_norm=self.median_norm,
            mean_norm=self.mean_norm,
            max_norm=self.max_norm,
            first_position_norm=self.first_position_norm,
            norm_outliers=norm_outliers,
        )


def calibrate(
    loaded: LoadedModel,
    tokens: TokenStore,
    windows: npt.NDArray[np.int64],
    points: Sequence[HookPoint],
    norm_limit: float | None,
) -> list[HookLimits]:
    """Measure the norms on windows taken evenly from those that will be read.

    The limit is ``norm_limit`` times the median over tokens that are neither special nor first:
    a median is not moved by the sinks themselves (SmolLM2: 0.14 % of tokens hold 94 % of the
    squared norm). It is fixed before the first shard, so resuming cannot change it.
    """
    wanted = max(FEWEST_WINDOWS, len(windows) // WINDOWS_PER_CALIBRATION)
    count = min(wanted, MOST_WINDOWS, len(windows))
    chosen = windows[np.linspace(0, len(windows) - 1, count).astype(np.int64)]
    norms: list[list[npt.NDArray[np.float32]]] = [[] for _ in points]
    widths = [0] * len(points)
    ids = tokens.read_windows(chosen)
    for start in range(0, count, BATCH_WINDOWS):
        values = capture(loaded, torch.from_numpy(ids[start : start + BATCH_WINDOWS]), points)
        for i, point in enumerate(points):
            norms[i].append(values[point].float().norm(dim=-1).cpu().numpy())
            widths[i] = values[point].shape[-1]
    ordinary = ~np.isin(ids, loaded.special_ids)
    ordinary[:, 0] = False
    return [
        _limits(point, width, np.concatenate(parts), ordinary, norm_limit)
        for point, width, parts in zip(points, widths, norms, strict=True)
    ]


def _limits(
    point: HookPoint,
    d_model: int,
    norms_BS: npt.NDArray[np.float32],
    ordinary_BS: npt.NDArray[np.bool_],
    norm_limit: float | None,
) -> HookLimits:
    values = norms_BS[ordinary_BS] if ordinary_BS.any() else norms_BS.ravel()
    finite = np.nan_to_num(values, nan=0.0, posinf=0.0)
    median = float(np.median(finite))
    return HookLimits(
        layer=point.layer,
        hook_type=point.hook_type,
        d_model=d_model,
        limit=np.inf if norm_limit is None else norm_limit * median,
        median_norm=median,
        mean_norm=float(finite.mean()),
        max_norm=float(finite.max()),
        first_position_norm=float(np.nan_to_num(norms_BS[:, 0]).mean()),
    )
