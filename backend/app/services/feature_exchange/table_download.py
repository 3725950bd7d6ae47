"""The table as a download of a moment, for as many features as that takes no longer for."""

import shutil
import tempfile
from pathlib import Path
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.errors import Conflict
from app.core.paths import ensure_private_dir
from app.db.repositories import feature_pages
from app.db.repositories.feature_pages import FeatureFilter
from app.services.feature_exchange.exporting import file_format, write_whole
from app.services.lookup import require_training

MOST_FEATURES = 10_000
TableFormat = Literal["csv", "json"]


class TooManyFeatures(Conflict):
    """Writing them takes longer than a request should."""


def write_table(
    session: Session, settings: Settings, wanted: FeatureFilter, training_id: UUID,
    form: TableFormat,
) -> Path:  # fmt: skip
    """Write the table as a file in a folder of its own, which the caller removes.

    Raises:
        TrainingNotFound: There is no such training.
        TooManyFeatures: More than ``MOST_FEATURES`` pass the filter.
    """
    require_training(session, training_id)
    if feature_pages.count_all(session, wanted, MOST_FEATURES + 1) > MOST_FEATURES:
        raise TooManyFeatures(
            f"More than {MOST_FEATURES:,} features pass this filter. Narrow it, or start an "
            "export (POST /features/exports) and fetch its file.",
            details={"most": MOST_FEATURES},
        )
    cache = ensure_private_dir(settings.data_root / "cache")
    folder = Path(tempfile.mkdtemp(prefix="features-", dir=cache))
    try:
        path = folder / f"features-{training_id}.{form}"
        write_whole(session, file_format(form), {}, wanted, path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return path
