"""Features as files, out and in: what is exported comes back the same."""

import csv
import gzip
import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind, JobState
from app.core.paths import export_dir, safe_join
from app.db.models import Feature, Job, Training
from app.db.repositories import feature_loading, features
from app.db.repositories.feature_pages import FeatureFilter
from app.services.feature_exchange import export_files, table_download
from app.services.feature_exchange.archives import BundleInvalid, unpack_archive
from app.services.feature_exchange.dashboard import part_of_batch
from app.services.feature_exchange.dry_run import compare_part
from app.services.feature_exchange.exporting import (
    ExportFormat,
    file_format,
    origin_of,
    write_whole,
)
from app.services.feature_exchange.fingerprint import DictionaryFacts
from app.services.feature_exchange.import_reports import KeptNote, PartComparison
from app.services.feature_exchange.importing import (
    check_dictionary,
    mark_part,
    open_bundle,
    read_part,
)
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
NOW = "2026-01-01T00:00:00+00:00"
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
    origin = origin_of(session, Settings(), training.id, NOW)
    write_whole(session, file_format(form), origin, wanted, path)
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
        part = f"{name}/part-00000.parquet"
        written = [(tmp_path / folder / part).read_bytes() for folder in "ab"]
        assert written[0] == written[1], name
    table = pq.read_table(tmp_path / "a" / "examples").to_pylist()
    assert {row["kind"] for row in table} == {"top", "sample", "near_miss"}
    assert all(sum(row["token_lengths"]) == len(row["sample_text"]) for row in table[:2])
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["dictionary"]["name"] == "On Cats"
    assert manifest["files"]["examples/part-00000.parquet"]["rows"] == 3
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
    (folder / "words" / "part-00000.parquet").write_bytes(b"changed")
    with pytest.raises(BundleInvalid, match="was changed"):
        open_bundle(folder)


# Deeper than a parser goes, and packed less than a bomb.
NESTED = b"".join(b'{"%d":' % number for number in range(100_000))


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
        ("batch-0.json", NESTED, "no JSON"),
        ("manifest.json", NESTED, "manifest is missing or unr"),
        ("features/batch-0.jsonl.gz", b"\x1f\x8b\x08\x00" + bytes(range(256)), "cannot be read"),
        ("long" * 100, b"x", "cannot be unpacked: File name too long"),
    ],
)
def test_a_bad_archive_is_refused(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    with pytest.raises(BundleInvalid, match=sentence):
        unpack_and_open(tmp_path / "a.zip", tmp_path / "a")


def test_an_archive_that_is_locked_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("batch-0.json", b"{}")
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1  # the flag of a password
    path.write_bytes(content)
    with pytest.raises(BundleInvalid, match="password required"):
        unpack_archive(path, tmp_path / "a")


@pytest.mark.parametrize("line", [[1], "text", {"index": "x"}, {"index": 1e999}, {"nothing": 1}])
def test_a_line_of_another_kind_is_the_archives_fault(tmp_path: Path, line: Any) -> None:
    (folder := tmp_path / "features").mkdir()
    (folder / "batch-0.jsonl.gz").write_bytes(gzip.compress(json.dumps(line).encode()))
    bundle = open_bundle(tmp_path)
    with suppress(BundleInvalid):  # the line as a whole, or its feature only
        assert read_part(bundle, 0, "", None).rows == []
    (tmp_path / "dashboard").mkdir()
    (tmp_path / "dashboard" / "batch-0.json").write_text(json.dumps({"features": [line]}))
    with suppress(BundleInvalid):
        assert read_part(open_bundle(tmp_path / "dashboard"), 0, "", None).rows == []


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


def test_exported_batches_come_back_the_same(
    session: Session, training: Training, tmp_path: Path
) -> None:
    fill(session, training)
    first = export(session, training, "saedashboard", tmp_path / "first.zip")
    other = make_training(session)
    assert load(session, other, first, tmp_path / "a") == [2]
    again = export(session, other, "saedashboard", tmp_path / "again.zip")
    unpack_archive(again, tmp_path / "b")
    batches = [json.loads((tmp_path / folder / "batch-0.json").read_text()) for folder in "ab"]
    assert batches[0]["features"] == batches[1]["features"]
    assert load(session, other, first, tmp_path / "c") == []  # a second time adds nothing


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"values": [1.0]}, "3 tokens stand beside 1 values"),
        ({"values": [1.0, float("nan"), 0.0]}, "no finite number"),
        ({"qualifying_token_index": 3}, "is marked"),
        ({"tokens": None}, "cannot be read"),
    ],
)
def test_a_broken_feature_stays_out_with_its_reason(change: dict[str, Any], sentence: str) -> None:
    activation = {"bin_min": -1, "tokens": ["a", "b", "c"], "values": [0.0, 1.0, 0.0],
                  "qualifying_token_index": 1}  # fmt: skip
    whole = {"feature_index": "4", "frac_nonzero": 0.1, "activations": [activation]}
    broken = whole | {"feature_index": "5", "activations": [activation | change]}
    part = part_of_batch({"features": [whole, broken]})
    assert [row["neuron_index"] for row in part.rows] == [4]
    [refusal] = part.refused
    assert refusal.feature_index == "5"
    assert sentence in refusal.reason
    with pytest.raises(BundleInvalid, match="no list"):
        part_of_batch({})


def content_of(session: Session) -> list[Any]:
    """Every row that an import could write, with its times."""
    tables = ("features", "feature_tokens", "feature_activations")
    return [
        session.execute(text(f"SELECT * FROM {name} ORDER BY 1, 2, 3")).all() for name in tables
    ]


def test_a_dry_run_says_what_would_happen_and_writes_nothing(
    session: Session, training: Training, tmp_path: Path
) -> None:
    fill(session, training)
    make_feature(session, training, 2)
    unpack_archive(export(session, training, "parquet", tmp_path / "a.zip"), tmp_path / "a")
    part = open_bundle(tmp_path / "a").read(0)
    other = make_training(session)
    assert compare_part(session, other.id, part) == PartComparison(3, 0, 0, [])
    load_part(session, other.id, part)
    session.expire_all()
    assert compare_part(session, other.id, part) == PartComparison(0, 0, 3, [])
    mine = features.by_index(session, other.id, [0, 1])
    mine[0].name = "dogs"
    mine[1].max_activation = 99.0
    make_example(session, mine[1], 7)
    session.flush()
    before = content_of(session)
    found = compare_part(session, other.id, part)
    assert found == PartComparison(0, 1, 2, [KeptNote(0, "name", "dogs", "cats")])
    assert content_of(session) == before


def test_a_small_table_is_a_download(
    client: TestClient, session: Session, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(3):
        make_feature(session, training, index, tags=["x", "y"])
    url = f"{URL}/export?training_id={training.id}"
    answer = client.get(f"{url}&format=csv&range=neuron_index:1:")
    assert answer.headers["content-disposition"].endswith('.csv"')
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["neuron_index"], row["tags"]) for row in rows] == [("1", "x; y"), ("2", "x; y")]
    assert [row["neuron_index"] for row in client.get(f"{url}&format=json").json()] == [0, 1, 2]
    error_of(client.get(f"{url}&format=parquet"), 400, "VALIDATION_ERROR")
    monkeypatch.setattr(table_download, "MOST_FEATURES", 2)
    error_of(client.get(url), 409, "CONFLICT", "start an export")


def test_a_range_that_does_not_fit_is_a_failure_like_any_other(
    client: TestClient, session: Session, training: Training, settings: Settings
) -> None:
    make_feature(session, training, 0)
    url = f"{URL}/export?training_id={training.id}"
    for unreadable in ("pages=1-2", "bytes=5-1", "bytes=", "1-2"):
        refused = client.get(url, headers={"Range": unreadable})
        error_of(refused, 400, "VALIDATION_ERROR", "Range header")
    size = len(client.get(url).content)
    beyond = client.get(url, headers={"Range": f"bytes={size}-"})
    error_of(beyond, 416, "VALIDATION_ERROR", "ends before the range")
    assert beyond.headers["content-range"] == f"bytes */{size}"
    part = client.get(url, headers={"Range": "bytes=0-4"})
    assert (part.status_code, len(part.content)) == (206, 5)
    assert not list((settings.data_root / "cache").glob("features-*"))


def test_an_export_is_queued_and_its_file_is_there_for_a_day(
    client: TestClient, session: Session, training: Training, settings: Settings
) -> None:
    body = {"training_id": str(training.id), "format": "csv", "ranges": ["neuron_index:1:"]}
    error_of(client.post(f"{URL}/exports", json=body), 400, "VALIDATION_ERROR", "No feature passes")
    make_feature(session, training, 1)
    accepted = data_of(client.post(f"{URL}/exports", json=body), 202)
    job = session.get_one(Job, accepted["job_id"])
    assert (job.kind, job.resource_id) == (JobKind.FEATURE_EXPORT, training.id)
    file_url = f"{URL}/exports/{job.id}/file"
    error_of(client.get(file_url), 409, "NOT_READY", "not finished")
    upload = {"data": {"training_id": str(training.id)}, "files": {"file": ("a.zip", b"PK")}}
    busy = client.post(f"{URL}/upload", **upload)  # type: ignore[arg-type]
    error_of(busy, 409, "CONFLICT", "an export of its features")
    path = settings.data_root / export_dir(job.id) / "features.csv"
    path.parent.mkdir(parents=True)
    path.write_text("abc")
    job.state = JobState.SUCCEEDED
    job.result = export_files.result_of(path.name, 3, "00", 1, settings.export_retention)
    session.flush()
    [listed] = data_of(client.get(f"{URL}/exports?training_id={training.id}"))
    assert (listed["file_name"], listed["is_available"]) == ("features.csv", True)
    assert client.get(file_url, headers={"Range": "bytes=1-"}).text == "bc"
    assert export_files.remove_expired(session, settings) == 0
    job.result = export_files.result_of(path.name, 3, "00", 1, -settings.export_retention)
    session.flush()
    assert export_files.remove_expired(session, settings) == 1
    session.flush()
    error_of(client.get(file_url), 404, "NOT_FOUND", "Export the features again")
    [listed] = data_of(client.get(f"{URL}/exports?training_id={training.id}"))
    assert listed["is_available"] is False
    error_of(client.get(f"{URL}/exports/{uuid4()}/file"), 404, "NOT_FOUND")
