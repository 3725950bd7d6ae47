"""Which features an export takes, and of which dictionary they are."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy.orm import Session

from app.db.models import Feature
from app.db.repositories import feature_pages
from app.db.repositories.feature_pages import FeatureFilter

PAGE = 256
"""Features in memory at once, and in a part; with 100 contexts each they take about 15 MB."""
Origin = dict[str, Any]
"""What the files say of the dictionary: names, place, width, fingerprint, time of the export."""


def pages_of(session: Session, wanted: FeatureFilter) -> Iterator[list[Feature]]:
    """All features that a filter lets pass, in the order of their index, ``PAGE`` at a time."""
    after = -1
    while page := feature_pages.list_after(session, wanted, after, PAGE):
        after = page[-1].neuron_index
        yield page
        session.expunge_all()  # or every row that was written stays in memory
