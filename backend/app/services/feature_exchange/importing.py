"""Features from an archive: received, queued, and read part by part."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind
from app.core.paths import relative_to_root
from app.schemas.common import JobAccepted
from app.schemas.feature_exchange import FeatureUpload
from app.services.feature_exchange.archives import DAMAGES, BundleInvalid, unpack_archive
from app.services.feature_exchange.fingerprint import DictionaryFacts
from app.services.feature_exchange.parts import FeaturePart
from app.services.feature_jobs import queue_on_features, refuse_if_features_busy
from app.services.lookup import require_training
from app.services.ml_settings import refuse_field
from app.services.upload_service import Upload

SUFFIXES = frozenset({".zip", ".json"})


class Bundle(Protocol):
    """An archive in any format, unpacked.

    Attributes:
        part_sizes: Number of features in each part.
        fingerprint: Of the dictionary that it says it describes, if it says so.
    """

    part_sizes: list[int]
    fingerprint: str | None

    def read(self, part: int) -> FeaturePart: ...


def import_upload(session: Session, settings: Settings, upload: Upload) -> JobAccepted:
    """Queue the import of an uploaded archive or batch; the job deletes the file.

    A dry run reads only, so it is refused for the same reasons and changes nothing.

    Raises:
        TrainingNotFound: There is no such training.
        InUse: A job works on its features.
    """
    form = _read_form(upload.fields)
    training = require_training(session, form.training_id, lock=True)
    refuse_if_features_busy(session, training)
    payload = {
        "upload": relative_to_root(settings.data_root, upload.path),
        "any_dictionary": form.any_dictionary,
        "dry_run": form.dry_run,
    }
    queued = queue_on_features(session, JobKind.FEATURE_IMPORT, training, payload)
    upload.is_taken = True
    return queued


def _read_form(fields: dict[str, str]) -> FeatureUpload:
    try:
        return FeatureUpload.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        words = "is missing" if first["type"] == "missing" else first["msg"].lower()
        refuse_field(str(first["loc"][0]), words)


def unpack(upload: Path, folder: Path) -> None:
    """Lay an upload's files into a folder of its own.

    Raises:
        BundleInvalid: Not an archive, or one that would leave the folder or fill the disk.
    """
    if not upload.is_file():
        raise BundleInvalid("The uploaded file is no longer there. Upload it again.")
    if upload.suffix != ".json":
        unpack_archive(upload, folder)
        return
    folder.mkdir()
    (folder / "batch-0.json").hardlink_to(upload)


def open_bundle(folder: Path) -> Bundle:
    """Tell the format of an unpacked archive by its files.

    Raises:
        BundleInvalid: None that is known.
    """
    from app.services.feature_exchange.dashboard import DashboardFolder
    from app.services.feature_exchange.neuronpedia import NeuronpediaFolder
    from app.services.feature_exchange.parquet_bundle import MANIFEST, ParquetBundle

    with _damage_told("The archive"):
        if (folder / MANIFEST).is_file():
            return ParquetBundle(folder)
        if next(folder.rglob("features/batch-*.jsonl.gz"), None) is not None:
            return NeuronpediaFolder(folder)
        return DashboardFolder(folder)


def read_part(bundle: Bundle, number: int, digest: str, own: DictionaryFacts | None) -> FeaturePart:
    """Read a part and mark its features.

    Raises:
        BundleInvalid: It is damaged, or names a feature that the dictionary does not have.
    """
    with _damage_told(f"Part {number} of the archive"):
        return mark_part(bundle.read(number), number, digest, own)


@contextmanager
def _damage_told(what: str) -> Iterator[None]:
    """Whatever a file trips us over is told as its fault, not as ours."""
    try:
        yield
    except DAMAGES as error:
        raise BundleInvalid(
            f"{what} cannot be read: it is damaged, or another program's ({error})."
        ) from error


def check_dictionary(bundle: Bundle, own: DictionaryFacts | None, *, any_dictionary: bool) -> None:
    """Refuse what was measured on another dictionary.

    Raises:
        BundleInvalid: The directions differ, as far as both sides know them.
    """
    if any_dictionary or own is None or bundle.fingerprint is None:
        return
    if bundle.fingerprint != own.fingerprint:
        raise BundleInvalid(
            "These features were measured on another dictionary: its directions differ. Import "
            "that dictionary first, or allow any dictionary."
        )


def mark_part(
    part: FeaturePart, number: int, bundle: str, own: DictionaryFacts | None
) -> FeaturePart:
    """Note on each feature which part of which archive it came with, so that none comes twice.

    Raises:
        BundleInvalid: A feature that the dictionary does not have.
    """
    for row in part.rows:
        index = row["neuron_index"]
        if index < 0 or (own is not None and index >= own.n_latents):
            raise BundleInvalid(f"The bundle names feature {index}, which the dictionary lacks.")
        source = (row["metadata"].get("imported") or {}).get("format", "mistudio")
        row["metadata"]["imported"] = {"format": source, "bundle": bundle, "part": number}
    return part
