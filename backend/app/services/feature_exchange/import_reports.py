"""What an import says when it has ended, and what a dry run says that it would do."""

from dataclasses import asdict, dataclass, field
from typing import Any

from app.services.feature_exchange.archives import BundleInvalid
from app.services.feature_exchange.parts import FeaturePart, Refusal

MOST_LISTED = 100


@dataclass
class LoadReport:
    """What an import did.

    Attributes:
        n_features: Features that were loaded.
        n_skipped: Features that stood there already, as this very file has them.
        n_examples: Contexts that were loaded.
        n_refused: Features of the file that stay out.
        refused: The first ``MOST_LISTED`` of them.
    """

    n_features: int = 0
    n_skipped: int = 0
    n_examples: int = 0
    n_refused: int = 0
    refused: list[Refusal] = field(default_factory=list)

    def refuse(self, refusals: list[Refusal]) -> None:
        self.n_refused += len(refusals)
        self.refused = (self.refused + refusals)[:MOST_LISTED]

    def raise_if_nothing_was_readable(self) -> None:
        """
        Raises:
            BundleInvalid: Every feature of the file was refused.
        """
        if self.refused and not self.n_features + self.n_skipped:
            raise BundleInvalid(self.refused[0].reason)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class KeptNote:
    """Something that a person wrote here, and that the file has otherwise."""

    neuron_index: int
    field: str
    here: Any
    there: Any


@dataclass(frozen=True)
class PartComparison:
    """One part beside what the table holds of its features."""

    n_new: int
    n_changed: int
    n_unchanged: int
    kept: list[KeptNote]


@dataclass
class DryRunReport:
    """What an import would do; lists hold the first ``MOST_LISTED``.

    Attributes:
        n_new: Features that are not there yet.
        n_changed: Features that differ in a figure, a word or a context, and are replaced.
        n_unchanged: Features that are there just so.
        n_examples: Contexts of the file.
        n_kept: Notes of people here that win over the file's.
        n_refused: Features of the file that stay out.
        would_fail: Why nothing could be imported; None when it could.
    """

    n_new: int = 0
    n_changed: int = 0
    n_unchanged: int = 0
    n_examples: int = 0
    n_kept: int = 0
    n_refused: int = 0
    kept: list[KeptNote] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    would_fail: str | None = None

    def to_json(self) -> dict[str, Any]:
        return {"dry_run": True, **asdict(self)}

    def add(self, part: FeaturePart, found: PartComparison) -> None:
        """Count a part in."""
        self.n_new += found.n_new
        self.n_changed += found.n_changed
        self.n_unchanged += found.n_unchanged
        self.n_examples += len(part.contexts)
        self.n_kept += len(found.kept)
        self.kept = (self.kept + found.kept)[:MOST_LISTED]
        self.n_refused += len(part.refused)
        self.refused = (self.refused + part.refused)[:MOST_LISTED]
