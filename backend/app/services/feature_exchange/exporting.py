"""One file with the chosen features, in any of the formats."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.paths import ensure_private_dir
from app.db.models import Dataset, LanguageModel
from app.db.repositories.feature_pages import FeatureFilter
from app.services.feature_exchange.archives import write_archive
from app.services.feature_exchange.dashboard import write_dashboard
from app.services.feature_exchange.fingerprint import dictionary_of
from app.services.feature_exchange.neuronpedia import write_neuronpedia
from app.services.feature_exchange.selection import Selection
from app.services.feature_exchange.table import write_csv, write_json
from app.services.lookup import require_training

ExportFormat = Literal["csv", "json", "saedashboard", "parquet", "neuronpedia"]
SUFFIXES: dict[ExportFormat, str] = {
    "csv": ".csv", "json": ".json", "saedashboard": ".json", "parquet": ".parquet.zip",
    "neuronpedia": ".neuronpedia.zip",
}  # fmt: skip
TEXTS: dict[str, Callable[[Session, Selection, IO[str]], None]] = {
    "csv": write_csv, "json": write_json, "saedashboard": write_dashboard,
}  # fmt: skip


def write_temporary(
    session: Session, settings: Settings, wanted: FeatureFilter, training_id: UUID,
    form: ExportFormat,
) -> Path:  # fmt: skip
    """Write an export as the only file of a folder of its own, which the caller removes."""
    cache = ensure_private_dir(settings.data_root / "cache")
    folder = Path(tempfile.mkdtemp(prefix="features-", dir=cache))
    path = folder / f"features-{training_id}{SUFFIXES[form]}"
    try:
        write_export(session, settings, wanted, training_id, form, path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return path


def write_export(
    session: Session, settings: Settings, wanted: FeatureFilter, training_id: UUID,
    form: ExportFormat, path: Path,
) -> None:  # fmt: skip
    """Write all features that a filter lets pass, in the order of their index.

    Args:
        session: Open session.
        settings: Where the dictionary and temporary files lie.
        wanted: Filter, of the same training.
        training_id: The training.
        form: The table ("csv", "json"), or with contexts one batch or an archive.
        path: The file to write.
    """
    origin = _origin(session, settings, training_id)
    selection = Selection(training_id, wanted, origin)
    if form in TEXTS:
        with path.open("w", encoding="utf-8", newline="") as file:
            TEXTS[form](session, selection, file)
        return
    with tempfile.TemporaryDirectory(prefix="features-", dir=path.parent) as name:
        if form == "parquet":
            # Loading pyarrow takes longer than most requests, so only who needs it waits.
            from app.services.feature_exchange.parquet_bundle import write_bundle

            write_bundle(session, selection, Path(name))
        else:
            write_neuronpedia(session, selection, Path(name))
        write_archive(Path(name), path)


def _origin(session: Session, settings: Settings, training_id: UUID) -> dict[str, Any]:
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
    }  # fmt: skip
