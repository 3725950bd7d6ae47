"""Language models on disk and in memory, and the places in them where activations are read."""

from typing import TYPE_CHECKING

from app.ml.lazy import lazy_exports

if TYPE_CHECKING:
    from app.ml.language_models.card import read_model_card
    from app.ml.language_models.forward import capture, edit_at, hooked
    from app.ml.language_models.hook_points import HookPoint, resolve_hook_point
    from app.ml.language_models.importing import import_language_model
    from app.ml.language_models.loading import LoadedModel, load_language_model, load_tokenizer
    from app.ml.language_models.special_tokens import separator_token_id, start_token_id

__all__ = [
    "HookPoint",
    "LoadedModel",
    "capture",
    "edit_at",
    "hooked",
    "import_language_model",
    "load_language_model",
    "load_tokenizer",
    "read_model_card",
    "resolve_hook_point",
    "separator_token_id",
    "start_token_id",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "HookPoint": "hook_points",
        "LoadedModel": "loading",
        "capture": "forward",
        "edit_at": "forward",
        "hooked": "forward",
        "import_language_model": "importing",
        "load_language_model": "loading",
        "load_tokenizer": "loading",
        "read_model_card": "card",
        "resolve_hook_point": "hook_points",
        "separator_token_id": "special_tokens",
        "start_token_id": "special_tokens",
    },
)
