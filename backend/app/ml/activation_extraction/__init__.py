"""From text to memory-mapped activations on disk."""

from typing import TYPE_CHECKING

from app.ml.lazy import lazy_exports

if TYPE_CHECKING:
    from app.ml.activation_extraction.activation_store import ActivationRows, ActivationStore
    from app.ml.activation_extraction.encoding import preview_tokens
    from app.ml.activation_extraction.extract import extract_activations
    from app.ml.activation_extraction.token_store import TokenStore
    from app.ml.activation_extraction.tokenize import tokenize_documents

__all__ = [
    "ActivationRows",
    "ActivationStore",
    "TokenStore",
    "extract_activations",
    "preview_tokens",
    "tokenize_documents",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "ActivationRows": "activation_store",
        "ActivationStore": "activation_store",
        "TokenStore": "token_store",
        "extract_activations": "extract",
        "preview_tokens": "encoding",
        "tokenize_documents": "tokenize",
    },
)
