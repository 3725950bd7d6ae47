"""From a trained dictionary to described features, in one pass over the stored activations."""

from typing import TYPE_CHECKING

from app.ml.lazy import lazy_exports

if TYPE_CHECKING:
    from app.ml.feature_discovery.discover import (
        DiscoveryResult,
        discard_discovery,
        discover_features,
    )
    from app.ml.feature_discovery.logit_lens import logit_effects

__all__ = ["DiscoveryResult", "discard_discovery", "discover_features", "logit_effects"]

__getattr__ = lazy_exports(
    __name__,
    {
        "DiscoveryResult": "discover",
        "discard_discovery": "discover",
        "discover_features": "discover",
        "logit_effects": "logit_lens",
    },
)
