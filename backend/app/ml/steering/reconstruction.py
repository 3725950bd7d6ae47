"""A dictionary's output in the place of what the model computed, as an edit among others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.ml.errors import SteeringInvalid
from app.ml.sae_training.sparse_autoencoder import SparseAutoencoder
from app.ml.steering.edits import FeatureEdit


@dataclass(frozen=True, eq=False)
class Replacement:
    """The value at ``writes`` of a block becomes the dictionary's output for ``reads``.

    What the dictionary does not describe of the state is lost, which steering by deltas keeps.
    """

    dictionary: SparseAutoencoder
    layer: int
    reads: str
    writes: str


def replacements_of(edits: Sequence[FeatureEdit]) -> list[Replacement]:
    """Return what is replaced so that these edits act on reconstructions, once per place.

    Raises:
        SteeringInvalid: an edit without its dictionary, away from its layer, or calibrated to a
            KL; two dictionaries at one place.
    """
    found: dict[tuple[int, str], Replacement] = {}
    for edit in edits:
        latent = edit.latent
        if latent is None:
            raise SteeringInvalid(
                "Reconstruction mode needs features of a dictionary, not plain directions."
            )
        own = edit.learned_at or (latent.layer, edit.hook_type)
        if (edit.layer, edit.hook_type) != own:
            raise SteeringInvalid(
                f"Feature {latent.index} was learned at {own[1]} of layer {own[0]}, so "
                f"{edit.hook_type} of layer {edit.layer} has no reconstruction to put in its "
                'place; steer at its own place, or use the mode "delta".'
            )
        if edit.method == "add" and edit.unit == "kl":
            raise SteeringInvalid(
                'A KL target is calibrated for the mode "delta"; in reconstruction mode the '
                "reconstruction alone already changes the text. Choose another unit."
            )
        wanted = Replacement(latent.dictionary, latent.layer, latent.hook_type, edit.hook_type)
        known = found.setdefault((edit.layer, edit.hook_type), wanted)
        if known.dictionary is not wanted.dictionary:
            raise SteeringInvalid(
                f"Features of two dictionaries act at {edit.hook_type} of layer {edit.layer}; in "
                "reconstruction mode only one can take its place. Keep the features of one, or "
                'use the mode "delta".'
            )
    return list(found.values())
