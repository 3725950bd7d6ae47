"""Features as files, out and in: what is exported comes back the same."""

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind
from app.core.paths import safe_join
from app.db.models import Feature, Job, Training
from app.db.repositories import feature_loading, features
from app.db.repositories.feature_pages import FeatureFilter
from app.services.feature_exchange.archives import BundleInvalid, unpack_archive
from app.services.feature_exchange.dashboard import BatchInvalid, read_batch
from app.services.feature_exchange.exporting import ExportFormat, write_export
from app.services.feature_exchange.fingerprint import DictionaryFacts
from app.services.feature_exchange.importing import check_dictionary, mark_part, open_bundle
from app.services.feature_exchange.parts import load_part
from tests.api.asserts import data_of, error_of
from tests.api.feature_samples import LENS
from tests.factories import (
    make_example,
    make_feature,
    make_token,
    make_training,
)

URL = "/api/v1/features"
DETAILS = {
    "logit_lens": LENS, "histogram": {"edges": [1, 2, 2], "counts": [3, 4]},
    "intervals": [{"octave": 1, "from": 2.0, "to": 4.0, "share": 0.0, "count": 3}],
    "correlated": [{"index": 1, "pearson": 0.5}],
    "decoder_neighbours": [{"index": 1, "cosine": 0.25}],
}  # fmt: skip


@pytest.fixture
def training(session: Session) -> Training:
    return make_training(session, name="On Cats")


def fill(session: Session, training: Training) -> Feature:
    """Two features; the first has everything that a feature can have."""
    feature = make_feature(
        session, training, 0, metadata=DETAILS, name="cats", description="they sit",
        tags=["animals"], is_favorite=True, nearest_cosine=0.25,
    )  # fmt: skip
    make_example(session, feature, 0, sample_text="the cat\x01 sat")
    make_example(session, feature, 0, kind="sample", octave=1)
    make_example(session, feature, 0, kind="near_miss", margin=-0.5)
    make_token(session, feature, "fires_on", " cat", 0.5)
    make_feature(session, training, 1)
    return feature


def export(session: Session, training: Training, form: ExportFormat, path: Path) -> Path:
    session.flush()
    wanted = FeatureFilter(training_id=training.id)
    write_export(session, Settings(), wanted, training.id, form, path)
    return path


def load(session: Session, training: Training, archive: Path, folder: Path) -> list[int]:
    """Import as the job does; returns the features of each part that was loaded."""
    unpack_archive(archive, folder)
    bundle = open_bundle(folder)
    known = feature_loading.imported_parts(session, training.id, "digest")
    loaded = []
    for number, size in enumerate(bundle.part_sizes):
        if known.get(number) != size:
            load_part(session, training.id, mark_part(bundle.read(number), number, "digest", None))
            loaded.append(size)
    session.expire_all()
    return loaded


def test_a_bundle_brings_everything_back(
    session: Session, training: Training, tmp_path: Path
) -> None:
    fill(session, training)
    first = export(session, training, "parquet", tmp_path / "first.zip")
    other = make_training(session)
    assert load(session, other, first, tmp_path / "a") == [2]
    again = export(session, other, "parquet", tmp_path / "again.zip")
    unpack_archive(again, tmp_path / "b")
    for name in ("features", "words", "examples"):
        written = [(tmp_path / folder / f"{name}.parquet").read_bytes() for folder in "ab"]
        assert written[0] == written[1], name
    table = pq.read_table(tmp_path / "a" / "examples.parquet").to_pylist()
    assert {row["kind"] for row in table} == {"top", "sample", "near_miss"}
    assert all(sum(row["token_lengths"]) == len(row["sample_text"]) for row in table[:2])
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["dictionary"]["name"] == "On Cats"
    assert manifest["files"]["examples.parquet"]["rows"] == 3
    assert load(session, other, first, tmp_path / "c") == []  # it stands there already


def test_what_a_person_wrote_here_wins_over_a_bundle(
    session: Session, training: Training, tmp_path: Path
) -> None:
    fill(session, training)
    bundle = export(session, training, "parquet", tmp_path / "bundle.zip")
    other = make_training(session)
    mine = make_feature(session, other, 0, name="mine", description=None, tags=["x"])
    load(session, other, bundle, tmp_path / "unpacked")
    kept = features.get(session, mine.id)
    assert kept is not None
    assert (kept.name, kept.description, kept.tags, kept.is_favorite) == (
        "mine", "they sit", ["x"], True
    )  # fmt: skip


def read_lines(folder: Path) -> list[bytes]:
    return gzip.decompress((folder / "batch-0.jsonl.gz").read_bytes()).splitlines()


def test_neuronpedia_features_come_back_the_same(
    session: Session, training: Training, tmp_path: Path
) -> None:
    fill(session, training)
    first = export(session, training, "neuronpedia", tmp_path / "first.zip")
    other = make_training(session, name="On Cats")
    assert load(session, other, first, tmp_path / "a") == [2]
    again = export(session, other, "neuronpedia", tmp_path / "again.zip")
    unpack_archive(again, tmp_path / "b")
    homes = [next((tmp_path / folder).rglob("source.jsonl")).parent for folder in "ab"]
    assert homes[0].name == "2-on-cats"
    places = [{"modelId": home.parent.name, "layer": home.name} for home in homes]
    for kind, n_lines in (("features", 2), ("activations", 2), ("explanations", 3)):
        told = [
            [{**json.loads(line), **places[0]} for line in read_lines(home / kind)]
            for home in homes
        ]
        assert told[0] == told[1]
        assert len(told[0]) == n_lines
    loaded = features.by_index(session, other.id, [0])[0]
    assert (loaded.name, loaded.description, loaded.label) == ("cats", "they sit", 'token "0"')


def test_another_dictionary_is_refused(
    session: Session, training: Training, tmp_path: Path
) -> None:
    make_feature(session, training, 5)
    folder = tmp_path / "a"
    unpack_archive(export(session, training, "parquet", tmp_path / "b.zip"), folder)
    bundle = open_bundle(folder)
    assert bundle.fingerprint is None  # there is no checkpoint
    bundle.fingerprint = "other"
    own = DictionaryFacts(n_latents=5, fingerprint="own")
    with pytest.raises(BundleInvalid, match="another dictionary"):
        check_dictionary(bundle, own, any_dictionary=False)
    check_dictionary(bundle, own, any_dictionary=True)
    with pytest.raises(BundleInvalid, match="feature 5, which the dictionary lacks"):
        mark_part(bundle.read(0), 0, "digest", own)
    (folder / "words.parquet").write_bytes(b"changed")
    with pytest.raises(BundleInvalid, match="was changed"):
        open_bundle(folder)


def unpack_and_open(archive: Path, folder: Path) -> None:
    unpack_archive(archive, folder)
    open_bundle(folder)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("../out.json", b"{}", "outside of it"),
        ("bomb", b"0" * 5_000_000, "more than 200 times"),
        ("manifest.json", b'{"format": "x", "version": 1, "files": {}}', "this program reads"),
        ("batch-0.json", b"{", "no JSON"),
        ("readme", b"", "no batch-N.json"),
    ],
)
def test_a_bad_archive_is_refused(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    with pytest.raises(BundleInvalid, match=sentence):
        unpack_and_open(tmp_path / "a.zip", tmp_path / "a")


def test_an_upload_is_queued(
    client: TestClient, session: Session, training: Training, settings: Settings
) -> None:
    def send(fields: dict[str, str], name: str = "features.zip") -> Any:
        return client.post(f"{URL}/upload", data=fields, files={"file": (name, b"PK")})

    fields = {"training_id": str(training.id), "any_dictionary": "true"}
    accepted = data_of(send(fields), 202)
    job = session.get_one(Job, accepted["job_id"])
    assert (job.kind, job.payload["any_dictionary"]) == (JobKind.FEATURE_IMPORT, True)
    assert safe_join(settings.data_root, job.payload["upload"]).read_bytes() == b"PK"
    error_of(send(fields), 409, "CONFLICT", "an import of features")
    error_of(send({}), 400, "VALIDATION_ERROR", "training_id")
    error_of(send(fields, "features.exe"), 400, "VALIDATION_ERROR", ".zip")
    error_of(send({"training_id": str(uuid4())}), 404, "NOT_FOUND")


def test_an_exported_batch_comes_back_the_same(
    session: Session, training: Training, tmp_path: Path
) -> None:
    fill(session, training)
    text = export(session, training, "saedashboard", tmp_path / "batch.json").read_text()
    other = make_training(session)
    batch = json.loads(text)
    assert read_batch(session, other.id, batch) == 2
    again = json.loads(export(session, other, "saedashboard", tmp_path / "again").read_text())
    assert again["features"] == batch["features"]
    assert read_batch(session, other.id, batch) == 2  # a second time adds nothing
    third = json.loads(export(session, other, "saedashboard", tmp_path / "third").read_text())
    assert third == again


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"values": [1.0]}, "3 tokens stand beside 1 values"),
        ({"values": [1.0, float("nan"), 0.0]}, "no finite number"),
        ({"qualifying_token_index": 3}, "is marked"),
        ({"tokens": None}, "cannot be read"),
    ],
)
def test_a_broken_batch_is_refused(
    session: Session, training: Training, change: dict[str, Any], sentence: str
) -> None:
    activation = {"bin_min": -1, "tokens": ["a", "b", "c"], "values": [0.0, 1.0, 0.0],
                  "qualifying_token_index": 1} | change  # fmt: skip
    batch = {"features": [{"feature_index": "5", "frac_nonzero": 0.1, "activations": [activation]}]}
    with pytest.raises(BatchInvalid, match=sentence):
        read_batch(session, training.id, batch)
    with pytest.raises(BatchInvalid, match="no list"):
        read_batch(session, training.id, {})


def test_the_table_as_a_file(client: TestClient, session: Session, training: Training) -> None:
    for index in range(3):
        make_feature(session, training, index, tags=["x", "y"])
    url = f"{URL}/export?training_id={training.id}"
    answer = client.get(f"{url}&format=csv&range=neuron_index:1:")
    assert answer.headers["content-disposition"].endswith('.csv"')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["neuron_index"], row["tags"]) for row in rows] == [("1", "x; y"), ("2", "x; y")]
    assert [row["neuron_index"] for row in client.get(f"{url}&format=json").json()] == [0, 1, 2]
    batch = client.get(f"{url}&format=saedashboard").json()
    loaded = data_of(client.post(f"{URL}/import?training_id={training.id}", json=batch))
    assert loaded == {"n_features": 3}
    for form in ("parquet", "neuronpedia"):
        answer = client.get(f"{url}&format={form}")
        assert answer.headers["content-disposition"].endswith(f'.{form}.zip"')
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert len(archive.namelist()) == {"parquet": 4, "neuronpedia": 7}[form]
