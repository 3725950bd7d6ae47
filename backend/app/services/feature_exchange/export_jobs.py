"""Exports by a job: queued, and written part by part so that they go on where they were."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.enums import JobKind
from app.core.errors import ValidationFailed
from app.db.repositories import feature_pages
from app.db.repositories.feature_pages import FeatureFilter
from app.schemas.common import JobAccepted
from app.schemas.feature_exchange import FeatureExportCreate
from app.services.feature_exchange.exporting import ExportFormat, file_format
from app.services.feature_exchange.selection import PAGE, Origin
from app.services.feature_jobs import queue_on_features, refuse_if_features_busy
from app.services.feature_service import make_filter
from app.services.lookup import require_training

LEDGER = "ledger.json"


@dataclass(frozen=True)
class Ledger:
    """What of an export lies in its folder, whole.

    Attributes:
        n_parts: Parts.
        n_features: Features in them.
        last_index: The last one's index; the next part begins behind it.
    """

    n_parts: int = 0
    n_features: int = 0
    last_index: int = -1

    @classmethod
    def read(cls, folder: Path) -> "Ledger":
        """The ledger of a folder that an attempt before this one may have left."""
        try:
            return cls(**json.loads((folder / LEDGER).read_text()))
        except (OSError, ValueError, TypeError):
            return cls()

    def to_json(self) -> dict[str, int]:
        return asdict(self)


def queue_export(session: Session, request: FeatureExportCreate) -> JobAccepted:
    """Queue an export.

    Raises:
        TrainingNotFound: There is no such training.
        ValidationFailed: An unusable range, or a filter that lets nothing pass.
        InUse: A job changes its features.
    """
    training = require_training(session, request.training_id, lock=True)
    refuse_if_features_busy(session, training, besides={JobKind.FEATURE_EXPORT})
    payload = request.model_dump(mode="json", exclude={"training_id"})
    if not feature_pages.count_all(session, filter_of(training.id, payload), most=1):
        raise ValidationFailed(
            "No feature passes this filter. Widen it, or extract the training's features first.",
            details={"field": "search"},
        )
    payload["exported_at"] = datetime.now(UTC).isoformat()
    return queue_on_features(session, JobKind.FEATURE_EXPORT, training, payload)


def filter_of(training_id: UUID, payload: dict[str, Any]) -> FeatureFilter:
    """The filter that a job's payload says."""
    return make_filter(
        training_id=training_id, search=payload["search"], is_favorite=payload["is_favorite"],
        tags=payload["tags"], ranges=payload["ranges"],
    )  # fmt: skip


def write_part(
    session: Session, form: ExportFormat, origin: Origin, wanted: FeatureFilter, folder: Path,
    ledger: Ledger,
) -> tuple[Ledger, list[Path]]:  # fmt: skip
    """Write the next part; the ledger is as it was when there are no more.

    Returns:
        The ledger with it, and the files of the part.
    """
    page = feature_pages.list_after(session, wanted, ledger.last_index, PAGE)
    if not page:
        return ledger, []
    files = file_format(form).write_part(session, origin, page, folder, ledger.n_parts)
    after = page[-1].neuron_index
    return Ledger(ledger.n_parts + 1, ledger.n_features + len(page), after), files
