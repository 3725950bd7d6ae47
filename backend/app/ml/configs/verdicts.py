"""Rules of thumb for held-out figures; a guide, since figures fall with depth and width.

Sources: published figures of small models at L0 of about 32 (Pythia-70m, GPT-2, Gemma-2-2b).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Guide:
    """Bounds of "good" and "fair"; ``target`` set means the distance from it is judged."""

    good: float
    fair: float
    higher_is_better: bool
    target: float | None = None

    def verdict(self, value: float) -> str:
        """Return "good", "fair" or "poor"."""
        judged = value if self.target is None else abs(value - self.target)
        for name, bound in (("good", self.good), ("fair", self.fair)):
            if judged >= bound if self.higher_is_better else judged <= bound:
                return name
        return "poor"

    def text(self) -> str:
        """Return the bounds in words."""
        if self.target is not None:
            return f"good within {self.good:g} of {self.target:g}, fair within {self.fair:g}"
        direction = "from" if self.higher_is_better else "up to"
        return f"good {direction} {self.good:g}, fair {direction} {self.fair:g}"


VERDICT_GUIDES: dict[str, Guide] = {
    "explained_variance": Guide(0.90, 0.80, higher_is_better=True),
    "ce_recovered_zero": Guide(0.95, 0.90, higher_is_better=True),
    "dead_share": Guide(0.02, 0.10, higher_is_better=False),
    "dense_share": Guide(0.01, 0.05, higher_is_better=False),
    "relative_bias": Guide(0.03, 0.10, higher_is_better=False, target=1.0),
}
