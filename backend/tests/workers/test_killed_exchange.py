"""Imports and exports of features that are killed midway end as if they had not been."""

import shutil
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.enums import JobKind, JobState, ResourceType
from app.core.paths import export_dir
from app.db.models import Job
from app.db.repositories import feature_pages, features
from app.db.repositories.feature_pages import FeatureFilter
from app.db.session import session_scope
from tests.factories import make_example, make_feature, make_token, make_training
from tests.fixtures.rig import Rig

pytestmark = pytest.mark.slow
N_FEATURES = 18
EVERYTHING: dict[str, Any] = {
    "format": "parquet", "search": None, "is_favorite": None, "tags": [], "ranges": [],
    "exported_at": "2026-01-01T00:00:00+00:00",
}  # fmt: skip


def make_filled(n_features: int = N_FEATURES) -> UUID:
    """A training with features, words and contexts; without features an empty one."""
    with session_scope() as session:
        training = make_training(session)
        for index in range(n_features):
            feature = make_feature(session, training, index, tags=["x"])
            make_example(session, feature, 0)
            make_example(session, feature, 0, kind="near_miss", margin=-0.5)
            make_token(session, feature, "fires_on", " cat", 0.5)
        return training.id


def run(rig: Rig, kind: JobKind, training_id: UUID, **payload: Any) -> Job:
    job_id = rig.create(kind, resource=(ResourceType.TRAINING, training_id), **payload)
    return rig.wait_state(job_id, JobState.SUCCEEDED)


def file_of(rig: Rig, job: Job) -> Path:
    assert job.result is not None
    return rig.settings.data_root / export_dir(job.id) / job.result["file_name"]


def upload(rig: Rig, archive: Path) -> str:
    folder = rig.settings.data_root / "cache" / f"upload-{uuid4()}"
    folder.mkdir()
    shutil.copy(archive, folder / "a.zip")
    return f"cache/{folder.name}/a.zip"


def content_of(training_id: UUID) -> list[Any]:
    """Everything of a training's features but their ids and times."""
    with session_scope() as session:
        rows = feature_pages.list_after(session, FeatureFilter(training_id), -1, 1000)
        ids = [row.id for row in rows]
        details = features.metadata_of(session, ids)
        for known in details.values():
            known.pop("imported", None)
        return [
            [(row.neuron_index, row.label, row.tags, row.n_fires, row.max_activation)
             for row in rows],
            list(details.values()),
            [(word.kind, word.rank, word.token, word.weight)
             for word in features.words_of(session, ids)],
            [[bytes(v) if isinstance(v, memoryview) else v for v in row[1:]]
             for row in features.packed_contexts(session, ids)],
        ]  # fmt: skip


def test_a_killed_export_goes_on_and_writes_the_same_file(rig: Rig) -> None:
    training_id = make_filled()
    whole = run(rig, JobKind.FEATURE_EXPORT, training_id, **EVERYTHING)
    killed = run(rig, JobKind.FEATURE_EXPORT, training_id, **EVERYTHING, dies_in=3)
    assert (whole.attempt, killed.attempt) == (1, 2)
    assert killed.result is not None
    assert killed.result["n_features"] == N_FEATURES
    assert file_of(rig, killed).read_bytes() == file_of(rig, whole).read_bytes()
    assert not list((rig.settings.data_root / "cache").glob("export-*"))


def test_a_killed_import_goes_on_and_loads_the_same_rows(rig: Rig) -> None:
    source, whole, killed = make_filled(), make_filled(0), make_filled(0)
    archive = file_of(rig, run(rig, JobKind.FEATURE_EXPORT, source, **EVERYTHING))
    results = [
        run(rig, JobKind.FEATURE_IMPORT, target, upload=upload(rig, archive),
            any_dictionary=False, **more)
        for target, more in ((whole, {}), (killed, {"dies_in": 3}))
    ]  # fmt: skip
    assert [job.attempt for job in results] == [1, 2]
    counted = [(job.result or {})["n_features"] for job in results]
    skipped = [(job.result or {})["n_skipped"] for job in results]
    assert (counted, skipped) == ([18, 10], [0, 8])  # two parts of four stood there
    assert content_of(killed) == content_of(whole)
    assert len(content_of(killed)[3]) == 2 * N_FEATURES
    assert not list((rig.settings.data_root / "cache").glob("upload-*"))


def test_a_dry_run_is_a_job_that_leaves_no_trace(rig: Rig) -> None:
    source, target = make_filled(), make_filled(0)
    archive = file_of(rig, run(rig, JobKind.FEATURE_EXPORT, source, **EVERYTHING))
    broken = archive.with_name("broken.zip")
    broken.write_bytes(archive.read_bytes()[:-50])
    told = [
        run(rig, JobKind.FEATURE_IMPORT, target, upload=upload(rig, path), any_dictionary=False,
            dry_run=True).result
        for path in (archive, broken)
    ]  # fmt: skip
    assert told[0] is not None
    assert told[1] is not None
    figures = ("n_new", "n_changed", "n_unchanged", "n_examples", "n_refused", "would_fail")
    assert [told[0][name] for name in figures] == [N_FEATURES, 0, 0, 2 * N_FEATURES, 0, None]
    assert "no readable ZIP archive" in told[1]["would_fail"]
    assert content_of(target)[0] == []
    assert not list((rig.settings.data_root / "cache").glob("upload-*"))
