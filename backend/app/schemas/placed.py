"""Requests that name a place in a model."""

from typing import Any, Literal

from pydantic import model_validator

from app.ml.configs import HOOK_TYPES, place_of
from app.schemas.common import RequestModel

HookType = Literal[HOOK_TYPES]  # type: ignore[valid-type]
PLACE_NAMES = (
    "`resid_post`, `attn_out` and `mlp_out` are understood as residual, attention and mlp, "
    "`resid_pre` as residual of the layer before"
)


class PlacedRequest(RequestModel):
    """Understands the names of places that other libraries use, in ``layer`` and ``hook_type``."""

    @model_validator(mode="before")
    @classmethod
    def _our_names(cls, data: Any) -> Any:
        # This runs before the base class accepts the ADR's spelling.
        key = "hookType" if isinstance(data, dict) and "hookType" in data else "hook_type"
        if not isinstance(data, dict) or not isinstance(name := data.get(key), str):
            return data
        layer = data.get("layer")
        if layer is not None and (isinstance(layer, bool) or not isinstance(layer, int)):
            return data  # the field's own check says so
        layer, hook_type = place_of(layer, name)
        named = {key: hook_type} | ({} if layer is None else {"layer": layer})
        return data | named
