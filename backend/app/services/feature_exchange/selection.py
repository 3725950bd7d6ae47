"""Which features an export takes, and of which dictionary they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.models import Feature
from app.db.repositories import feature_pages
from app.db.repositories.feature_pages import FeatureFilter

PAGE = 256
"""Features in memory at once; with 100 contexts each they take about 15 MB."""


@dataclass(frozen=True)
class Selection:
    """Features of one training.

    Attributes:
        training_id: The training.
        wanted: Filter, of the same training.
        origin: What the files say of the dictionary: names, place, width, fingerprint.
    """

    training_id: UUID
    wanted: FeatureFilter
    origin: dict[str, Any]


def pages_of(session: Session, wanted: FeatureFilter) -> Iterator[list[Feature]]:
    """All features that a filter lets pass, in the order of their index, ``PAGE`` at a time."""
    cursor: str | None = None
    while True:
        page = feature_pages.list_page(
            session, wanted, sort_by="neuron_index", order="asc", limit=PAGE, cursor=cursor
        )
        yield page.items
        session.expunge_all()  # or every row that was written stays in memory
        cursor = page.next_cursor
        if cursor is None:
            return
