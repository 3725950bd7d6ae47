"""Writing the chosen features in any of the formats: part by part, then one file."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.db.models import Dataset, Feature, LanguageModel
from app.db.repositories.feature_pages import FeatureFilter
from app.services.feature_exchange.archives import write_archive
from app.services.feature_exchange.dashboard import write_dashboard_part
from app.services.feature_exchange.fingerprint import dictionary_of
from app.services.feature_exchange.neuronpedia import describe_neuronpedia, write_neuronpedia_part
from app.services.feature_exchange.selection import Origin, pages_of
from app.services.feature_exchange.table import (
    join_csv,
    join_json,
    write_csv_part,
    write_json_part,
)
from app.services.lookup import require_training

ExportFormat = Literal["csv", "json", "saedashboard", "parquet", "neuronpedia"]
WritePart = Callable[[Session, Origin, list[Feature], Path, int], list[Path]]
Finish = Callable[[Path, Origin, Path], None]


@dataclass(frozen=True)
class FileFormat:
    """How a format is written.

    Attributes:
        suffix: Of the finished file.
        write_part: Writes some features into a folder under a number; the same call writes the
            same files again. Returns them.
        finish: Makes one file of the folder's.
    """

    suffix: str
    write_part: WritePart
    finish: Finish


def file_format(name: ExportFormat) -> FileFormat:
    """The format of that name."""
    if name == "parquet":
        # Loading pyarrow takes longer than most requests, so only who needs it waits.
        from app.services.feature_exchange import parquet_bundle

        finish = _archived(parquet_bundle.describe_bundle)
        return FileFormat(".parquet.zip", parquet_bundle.write_bundle_part, finish)
    return _FORMATS[name]


def origin_of(session: Session, settings: Settings, training_id: UUID, exported_at: str) -> Origin:
    """What the files say of the dictionary.

    Raises:
        TrainingNotFound: There is no such training.
    """
    training = require_training(session, training_id)
    model = session.get_one(LanguageModel, training.model_id)
    dataset = training.dataset_id and session.get(Dataset, training.dataset_id)
    facts = dictionary_of(session, settings, training_id)
    return {
        "training_id": str(training_id), "name": training.name or "", "model": model.name,
        "model_id": str(model.id), "dataset": dataset.name if dataset else None,
        "layer": training.layer,
        "hook_type": training.hook_type, "encoder_type": training.encoder_type.value,
        "n_latents": facts and facts.n_latents, "fingerprint": facts and facts.fingerprint,
        "exported_at": exported_at,
    }  # fmt: skip


def write_whole(
    session: Session, form: FileFormat, origin: Origin, wanted: FeatureFilter, target: Path
) -> None:  # fmt: skip
    """Write all features that a filter lets pass, in the order of their index, at once."""
    with tempfile.TemporaryDirectory(prefix="parts-", dir=target.parent) as name:
        folder = Path(name)
        for number, page in enumerate(pages_of(session, wanted)):
            form.write_part(session, origin, page, folder, number)
        form.finish(folder, origin, target)


def _archived(describe: Callable[[Path, Origin], None] | None) -> Finish:
    def finish(folder: Path, origin: Origin, target: Path) -> None:
        if describe is not None:
            describe(folder, origin)
        write_archive(folder, target)

    return finish


_FORMATS: dict[str, FileFormat] = {
    "csv": FileFormat(".csv", write_csv_part, join_csv),
    "json": FileFormat(".json", write_json_part, join_json),
    "saedashboard": FileFormat(".saedashboard.zip", write_dashboard_part, _archived(None)),
    "neuronpedia": FileFormat(
        ".neuronpedia.zip", write_neuronpedia_part, _archived(describe_neuronpedia)
    ),
}
