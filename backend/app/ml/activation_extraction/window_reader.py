"""Windows of tokens through a language model, and which of their positions are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from app.ml.activation_extraction.calibration import HookLimits
from app.ml.activation_extraction.token_store import TokenStore
from app.ml.devices import coded_memory_errors
from app.ml.errors import InvalidActivations
from app.ml.language_models.forward import capture
from app.ml.language_models.hook_points import HookPoint
from app.ml.language_models.loading import LoadedModel


@dataclass(frozen=True)
class WindowValues:
    """What a batch of windows gave: a tensor (B, S, D) per hook point, masks (B, S).

    ``outliers`` counts per hook point; a position is left out everywhere when it is special, or
    an outlier anywhere, so that the rows of all hook points stay aligned.
    """

    values: dict[HookPoint, torch.Tensor]
    special_BS: npt.NDArray[np.bool_]
    outlier_BS: npt.NDArray[np.bool_]
    outliers: dict[HookPoint, int]

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        return ~(self.special_BS | self.outlier_BS)

    def rows(self, point: HookPoint) -> torch.Tensor:
        """Return the kept rows (N, D) in reading order, in the model's type on its device."""
        value_BSD = self.values[point]
        return value_BSD[torch.from_numpy(self.kept).to(value_BSD.device)]


class WindowReader:
    """Args:
    loaded: Language model.
    tokens: Where the windows come from.
    points: Places that are read, in one pass.
    limits: Norm above which a token is left out, one for each place.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        tokens: TokenStore,
        points: Sequence[HookPoint],
        limits: Sequence[HookLimits],
    ) -> None:
        self.loaded, self.tokens = loaded, tokens
        self.points, self.limits = list(points), list(limits)
        self._special = np.array(loaded.special_ids, dtype=np.int64)

    def read(self, windows: npt.NDArray[np.int64]) -> WindowValues:
        """Read windows by number.

        Raises:
            InvalidActivations: the model produced NaN or infinity.
            OutOfMemory: the batch is too large.
        """
        ids_BS = self.tokens.read_windows(windows)
        with coded_memory_errors("reading activations"):
            values = capture(self.loaded, torch.from_numpy(ids_BS), self.points)
        special_BS = np.isin(ids_BS, self._special)
        if self.tokens.start_id is not None:
            special_BS[:, 0] = True
        outlier_BS = np.zeros_like(special_BS)
        outliers = {}
        for point, limits in zip(self.points, self.limits, strict=True):
            here_BS = _outliers(values[point], limits, special_BS)
            outliers[point] = int(here_BS.sum())
            outlier_BS |= here_BS
        return WindowValues(values, special_BS, outlier_BS, outliers)


def _outliers(
    value_BSD: torch.Tensor, limits: HookLimits, special_BS: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Return which ordinary tokens exceed the norm limit; refuses NaN and infinity anywhere."""
    norms_BS = value_BSD.float().norm(dim=-1).cpu().numpy()
    if not np.isfinite(norms_BS).all():
        raise InvalidActivations(
            f"The model produced NaN or infinity at layer {limits.layer} ({limits.hook_type}); "
            "load it in float32."
        )
    over: npt.NDArray[np.bool_] = (norms_BS > limits.limit) & ~special_BS
    return over
