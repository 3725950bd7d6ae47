"""Telling by its files which library a dictionary comes from."""

from __future__ import annotations

from pathlib import Path

from app.ml.errors import SaeFormatError
from app.ml.interchange.dictionary_learning import is_dictionary_learning, read_dictionary_learning
from app.ml.interchange.foreign import ForeignSae
from app.ml.interchange.gemma_scope import gemma_scope_file, read_gemma_scope
from app.ml.interchange.saelens import is_saelens, read_saelens
from app.ml.interchange.sparsify import is_sparsify, read_sparsify


def read_foreign(path: Path) -> ForeignSae:
    """Read a dictionary of SAELens, dictionary_learning, sparsify or Gemma Scope.

    Args:
        path: Its folder; for Gemma Scope also the npz file itself.

    Raises:
        SaeFormatError: none of them, or damaged.
    """
    try:
        return _read(path)
    except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError) as error:
        raise SaeFormatError(
            f"{path.name} cannot be read: a value of its configuration is of the wrong kind "
            f"({error})."
        ) from error


def _read(path: Path) -> ForeignSae:
    if (file := gemma_scope_file(path)) is not None:
        return read_gemma_scope(file)
    for fits, read in (
        (is_saelens, read_saelens),
        (is_sparsify, read_sparsify),
        (is_dictionary_learning, read_dictionary_learning),
    ):
        if fits(path):
            return read(path)
    raise SaeFormatError(
        f"{path.name} is no dictionary of a known form. Give a folder with cfg.json and "
        "sae_weights.safetensors (SAELens) or sae.safetensors (sparsify), with config.json and "
        "ae.pt (dictionary_learning), or Gemma Scope's params.npz."
    )
