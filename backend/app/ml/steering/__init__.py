"""Steered generation beside an unsteered one, with measured differences."""

from typing import TYPE_CHECKING

from app.ml.lazy import lazy_exports

if TYPE_CHECKING:
    from app.ml.steering.edits import FeatureEdit, feature_edit
    from app.ml.steering.generation import generate_comparison

__all__ = ["FeatureEdit", "feature_edit", "generate_comparison"]

__getattr__ = lazy_exports(
    __name__,
    {"FeatureEdit": "edits", "feature_edit": "edits", "generate_comparison": "generation"},
)
