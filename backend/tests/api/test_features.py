import csv
import io
import json
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.enums import JobKind, JobState, ResourceType, TrainingStatus
from app.db.models import ExtractionTemplate, Job, Training
from app.db.models.feature import NUMERIC_COLUMNS
from app.db.repositories import feature_pages, feature_search
from app.db.repositories.feature_pages import FeatureFilter
from app.services.feature_formats import BatchInvalid, read_batch, write_export
from tests.api.asserts import data_of, error_of, page_of
from tests.factories import (
    make_checkpoint,
    make_example,
    make_feature,
    make_job,
    make_token,
    make_training,
)

URL = "/api/v1/features"
LENS = {
    "top": [{"token": " cat", "token_id": 2, "logit": 1.5}],
    "bottom": [{"token": " dog", "token_id": 3, "logit": -1.5}],
}


@pytest.fixture
def training(session: Session) -> Training:
    training = make_training(session)
    make_checkpoint(session, training, 100)
    return training


def names_of(rows: list[dict[str, Any]]) -> list[int]:
    return [row["neuron_index"] for row in rows]


def test_discovery_reads_the_latest_checkpoint(
    client: TestClient, session: Session, training: Training
) -> None:
    body = {"trainingId": str(training.id), "examples_per_feature": 5}
    accepted = data_of(client.post(f"{URL}/extract", json=body), 202)
    job = session.get_one(Job, accepted["job_id"])
    assert (job.queue, job.payload["checkpoint_step"]) == ("analysis", 100)
    assert job.payload["config"]["examples_per_feature"] == 5
    error_of(client.post(f"{URL}/extract", json=body), 409, "CONFLICT", "a feature discovery")


def test_discovery_takes_the_number_of_examples_of_a_template(
    client: TestClient, session: Session, training: Training
) -> None:
    template = ExtractionTemplate(name="many", top_k_examples=50)
    session.add(template)
    session.flush()
    body = {"training_id": str(training.id), "template_id": str(template.id)}
    accepted = data_of(client.post(f"{URL}/extract", json=body), 202)
    payload = session.get_one(Job, accepted["job_id"]).payload
    assert payload["config"]["examples_per_feature"] == 50
    body["template_id"] = str(uuid4())
    session.query(Job).delete()
    error_of(client.post(f"{URL}/extract", json=body), 404, "NOT_FOUND", "extraction template")


def test_discovery_needs_a_checkpoint_but_no_end(client: TestClient, session: Session) -> None:
    def extract(training: Training) -> Any:
        return client.post(f"{URL}/extract", json={"training_id": str(training.id)})

    running = make_training(session, status=TrainingStatus.TRAINING)
    make_checkpoint(session, running, 10)
    accepted = data_of(extract(running), 202)
    assert session.get_one(Job, accepted["job_id"]).payload["shares_device"]
    error_of(extract(make_training(session)), 409, "NOT_READY", "no checkpoint yet")
    orphan = make_training(session, activation_id=None)
    make_checkpoint(session, orphan, 10)
    store = make_training(session)
    orphan.model_id = store.model_id
    session.flush()
    error_of(extract(orphan), 409, "NOT_READY", "were deleted. Extract them again")
    error_of(client.post(f"{URL}/extract", json={"training_id": str(uuid4())}), 404, "NOT_FOUND")
    bad = {"training_id": str(store.id), "examples_per_feature": 0}
    error_of(client.post(f"{URL}/extract", json=bad), 400, "VALIDATION_ERROR")


def test_discovery_of_a_paused_training(
    client: TestClient, session: Session, training: Training
) -> None:
    training.status = TrainingStatus.PAUSED
    make_job(session, JobKind.TRAINING_RUN, JobState.PAUSED, ResourceType.TRAINING, training.id)
    data_of(client.post(f"{URL}/extract", json={"training_id": str(training.id)}), 202)


def test_the_table(client: TestClient, session: Session, training: Training) -> None:
    for index in range(5):
        feature = make_feature(session, training, index)
        make_example(session, feature, 0)
        make_example(session, feature, 1)
    make_feature(session, make_training(session), 0)
    url = f"{URL}?training_id={training.id}"
    rows, pagination = page_of(client.get(f"{url}&sortBy=max_activation&limit=2"))
    assert names_of(rows) == [4, 3]
    assert pagination.pop("next_cursor")
    assert not pagination.pop("total_is_capped")
    assert pagination == {"page": 1, "limit": 2, "total": 5, "has_next": True}
    assert rows[0]["top_example"]["rank"] == 0
    assert rows[0]["top_example"]["tokens"] == ["the", " cat", " sat"]
    assert names_of(page_of(client.get(f"{url}&sort_by=neuron_index&order=asc"))[0])[0] == 0
    for key in ("activation", "interpretability", "mean_activation", "id", "name"):
        assert page_of(client.get(f"{url}&sort_by={key}"))[1]["total"] == 5
    error_of(client.get(f"{url}&sort_by=beauty"), 400, "VALIDATION_ERROR", "Choose one of")
    error_of(client.get(f"{URL}?training_id={uuid4()}"), 404, "NOT_FOUND")


def test_a_search_finds_texts_and_tokens_and_says_why(
    client: TestClient, session: Session, training: Training
) -> None:
    make_feature(session, training, 0, name="Whales")
    make_feature(session, training, 1, description="about 100% whales")
    make_feature(session, training, 2, label='token "whale"')
    fires = make_feature(session, training, 3, label=None)
    make_token(session, fires, "fires_on", " Whale", 0.4)
    promotes = make_feature(session, training, 4)
    make_token(session, promotes, "promotes", "whales", 2.5)
    make_feature(session, training, 5)
    url = f"{URL}?training_id={training.id}&sort_by=neuron_index&order=asc&search="
    hits = page_of(client.get(f"{url}whale"))[0]
    assert names_of(hits) == [0, 1, 2, 3, 4]
    assert [(hit["matches"][0]["where"], hit["matches"][0]["text"]) for hit in hits] == [
        ("name", "Whales"), ("description", "about 100% whales"), ("label", 'token "whale"'),
        ("fires_on", " Whale"), ("promotes", "whales"),
    ]  # fmt: skip
    assert hits[3]["matches"][0]["weight"] == 0.4
    assert names_of(page_of(client.get(f"{url}whalse"))[0]) == [0, 1, 2]  # forgives a slip
    best = page_of(client.get(f"{url}whale".replace("neuron_index", "relevance")))[0]
    assert len(best) == 5
    assert names_of(page_of(client.get(f"{url}100%25"))[0]) == [1]
    assert page_of(client.get(f"{url}_____"))[0] == []


def test_a_word_that_is_everywhere_is_found_along_the_sorting(
    client: TestClient, session: Session, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_search, "MAX_IDS", 3)
    monkeypatch.setattr(feature_pages, "MAX_IDS", 3)
    for index in range(7):
        feature = make_feature(session, training, index, label="rain" if index % 2 else None)
        if index % 2 == 0:
            make_token(session, feature, "fires_on", " rains", 0.1 * (index + 1))
    url = f"{URL}?training_id={training.id}&search=rain&limit=3"
    rows, pagination = page_of(client.get(f"{url}&sort_by=max_activation"))
    assert names_of(rows) == [6, 5, 4]
    assert (pagination["total"], pagination["total_is_capped"]) == (3, True)
    rest = page_of(client.get(f"{url}&sort_by=max_activation&page=3"))
    assert (names_of(rest[0]), rest[1]["has_next"]) == ([0], False)
    assert len(page_of(client.get(f"{url}&sort_by=relevance"))[0]) == 3
    few = page_of(client.get(f"{url}&range=neuron_index:5:&sort_by=max_activation"))[1]
    assert (few["total"], few["total_is_capped"]) == (2, False)


def test_favourites(client: TestClient, session: Session, training: Training) -> None:
    feature = make_feature(session, training, 0)
    make_feature(session, training, 1)
    patched = data_of(client.patch(f"{URL}/{feature.id}", json={"is_favorite": True}))
    assert patched["is_favorite"]
    rows, _ = page_of(client.get(f"{URL}?training_id={training.id}&is_favorite=true"))
    assert names_of(rows) == [0]


def test_naming_and_unnaming(client: TestClient, session: Session, training: Training) -> None:
    feature = make_feature(session, training, 7)
    url = f"{URL}/{feature.id}"
    assert data_of(client.get(url))["name"] == 'token "7"'
    named = data_of(client.patch(url, json={"name": " Sevens ", "description": "the number"}))
    assert (named["name"], named["label"]) == ("Sevens", 'token "7"')
    assert data_of(client.patch(url, json={"is_favorite": True}))["name"] == "Sevens"
    unnamed = data_of(client.patch(url, json={"name": None}))
    assert (unnamed["name"], unnamed["description"]) == ('token "7"', "the number")
    error_of(client.patch(url, json={"name": "x" * 300}), 400, "VALIDATION_ERROR")
    error_of(client.patch(url, json={"neuron_index": 1}), 400, "VALIDATION_ERROR")
    error_of(client.patch(f"{URL}/999999999", json={"name": "x"}), 404, "NOT_FOUND")


def test_one_feature_and_its_contexts(
    client: TestClient, session: Session, training: Training
) -> None:
    feature = make_feature(session, training, 0)
    for rank in range(3):
        make_example(session, feature, rank, split="held_out" if rank else "train")
    read = data_of(client.get(f"{URL}/{feature.id}"))
    assert (read["n_examples"], read["n_tokens"]) == (3, 1000)
    examples = data_of(client.get(f"{URL}/{feature.id}/activations?top_k=2"))
    assert [(example["rank"], example["split"]) for example in examples] == [
        (0, "train"),
        (1, "held_out"),
    ]
    assert examples[0]["activations"][examples[0]["position"]] == examples[0]["max_activation"]
    error_of(client.get(f"{URL}/{feature.id}/activations?top_k=0"), 400, "VALIDATION_ERROR")


def test_the_logit_lens(client: TestClient, session: Session, training: Training) -> None:
    feature = make_feature(session, training, 0, metadata={"logit_lens": LENS})
    lens = data_of(client.get(f"{URL}/{feature.id}/logit-lens"))
    assert (lens["top"], lens["bottom"]) == (LENS["top"], LENS["bottom"])
    assert "decoder" in lens["definition"]
    without = make_feature(session, training, 1)
    error_of(client.get(f"{URL}/{without.id}/logit-lens"), 404, "NOT_FOUND", "was not measured")


@pytest.mark.parametrize(
    "part",
    ["", "activations", "logit-lens", "intervals", "histogram", "correlations", "neighbours",
     "history"],
)  # fmt: skip
def test_an_unknown_feature(client: TestClient, part: str) -> None:
    path = f"/{part}" if part else ""
    error_of(client.get(f"{URL}/999999999{path}"), 404, "NOT_FOUND", "This feature")
    error_of(client.get(f"{URL}/0{path}"), 400, "VALIDATION_ERROR")


def test_sorting_by_every_column_keeps_missing_values_last(
    client: TestClient, session: Session, training: Training
) -> None:
    for index, score in enumerate((0.5, None, 0.9, 0.9, None, 0.7)):
        make_feature(session, training, index, token_rule=score)
    url = f"{URL}?training_id={training.id}&sort_by=token_rule"
    falling, rising = [2, 3, 5, 0, 1, 4], [0, 5, 3, 2, 1, 4]
    for order, expected in (("desc", falling), ("asc", rising)):
        assert names_of(page_of(client.get(f"{url}&order={order}"))[0]) == expected
        by_page, by_cursor, cursor = [], [], ""
        for page in (1, 2, 3):
            by_page += names_of(page_of(client.get(f"{url}&order={order}&limit=2&page={page}"))[0])
            rows, pagination = page_of(client.get(f"{url}&order={order}&limit=2{cursor}"))
            by_cursor += names_of(rows)
            assert pagination["total"] == 6
            cursor = f"&cursor={pagination['next_cursor']}"
        assert by_page == by_cursor == expected
    for column in NUMERIC_COLUMNS:
        assert page_of(client.get(f"{url.replace('token_rule', column)}"))[1]["total"] == 6
    _, pagination = page_of(client.get(f"{url}&limit=2"))
    wrong = f"{url.replace('token_rule', 'n_fires')}&cursor={pagination['next_cursor']}"
    error_of(client.get(wrong), 400, "VALIDATION_ERROR", "another sorting")
    error_of(client.get(f"{url}&cursor=nonsense"), 400, "VALIDATION_ERROR")


def test_ranges_and_tags_narrow_the_table(
    client: TestClient, session: Session, training: Training
) -> None:
    for index in range(6):
        make_feature(session, training, index, tags=["even", "x"] if index % 2 == 0 else ["odd"])
    url = f"{URL}?training_id={training.id}&sort_by=neuron_index&order=asc"
    assert names_of(page_of(client.get(f"{url}&range=max_activation:11:13"))[0]) == [1, 2, 3]
    both = f"{url}&range=max_activation:11:&range=neuron_index::4"
    assert names_of(page_of(client.get(both))[0]) == [1, 2, 3, 4]
    assert names_of(page_of(client.get(f"{url}&tag=Even&tag=x"))[0]) == [0, 2, 4]
    assert names_of(page_of(client.get(f"{url}&range=token_rule:0:"))[0]) == []
    for bad in ("beauty:0:1", "max_activation:1", "max_activation:a:"):
        error_of(client.get(f"{url}&range={bad}"), 400, "VALIDATION_ERROR")


def test_changes_are_kept_and_taken_back(
    client: TestClient, session: Session, training: Training
) -> None:
    url = f"{URL}/{make_feature(session, training, 0).id}"
    client.patch(url, json={"name": "first", "tags": ["A", "a", " b "]})
    client.patch(url, json={"name": "second"})
    client.patch(url, json={"name": "second"})  # changes nothing, so there is nothing to undo
    history = data_of(client.get(f"{url}/history"))
    assert [change["after"] for change in history] == [
        {"name": "second"}, {"name": "first", "tags": ["a", "b"]}
    ]  # fmt: skip
    assert data_of(client.post(f"{url}/undo"))["name"] == "first"
    undone = data_of(client.post(f"{url}/undo"))
    assert (undone["name"], undone["tags"]) == ('token "0"', [])
    error_of(client.post(f"{url}/undo"), 409, "CONFLICT", "left to undo")
    error_of(client.patch(url, json={"tags": ["x" * 51]}), 400, "VALIDATION_ERROR")


def test_intervals_near_misses_and_the_histogram(
    client: TestClient, session: Session, training: Training
) -> None:
    metadata = {
        "intervals": [{"octave": 2, "from": 4, "to": 8, "count": 7, "share": 0.7},
                      {"octave": 1, "from": 2, "to": 4, "count": 3, "share": 0.3}],
        "histogram": {"edges": [2, 4, 8], "counts": [3, 7]},
    }  # fmt: skip
    feature = make_feature(session, training, 0, metadata=metadata)
    make_example(session, feature, 0)
    make_example(session, feature, 0, kind="sample", octave=1)
    make_example(session, feature, 0, kind="near_miss", margin=-0.25)
    url = f"{URL}/{feature.id}"
    high, low = data_of(client.get(f"{url}/intervals"))
    assert (high["share"], high["examples"], len(low["examples"])) == (0.7, [], 1)
    [near] = data_of(client.get(f"{url}/activations?kind=near_miss"))
    assert (near["kind"], near["margin"]) == ("near_miss", -0.25)
    assert len(data_of(client.get(f"{url}/activations"))) == 1
    histogram = data_of(client.get(f"{url}/histogram"))
    assert (histogram["counts"], histogram["n_zero"]) == ([3, 7], 990)


def test_partners_and_neighbours(client: TestClient, session: Session, training: Training) -> None:
    partner = {"index": 1, "pearson": 0.5, "jaccard": 0.25, "pmi": 1.5, "together": 9}
    metadata = {
        "correlated": [partner], "n_co_firing_tokens": 1000,
        "decoder_neighbours": [{"index": 1, "cosine": 0.95}, {"index": 7, "cosine": 0.4}],
        "encoder_neighbours": [],
    }  # fmt: skip
    feature = make_feature(session, training, 0, metadata=metadata, nearest_cosine=0.95, map_x=0.5)
    other = make_feature(session, training, 1, activation_frequency=0.0, name="twin")
    found = data_of(client.get(f"{URL}/{feature.id}/correlations"))
    assert found["n_tokens"] == 1000
    assert found["features"][0] == {
        **{key: partner[key] for key in ("pearson", "jaccard", "pmi", "together")},
        "id": other.id, "neuron_index": 1, "name": "twin", "cosine": None,
    }  # fmt: skip
    near = data_of(client.get(f"{URL}/{feature.id}/neighbours"))
    assert [n["id"] for n in near["decoder"]] == [other.id, None]
    assert near["encoder"] == []
    shown = data_of(client.get(f"{URL}/map?training_id={training.id}"))
    assert shown["features"]["ids"] == [feature.id, other.id]
    assert shown["features"]["x"] == [0.5, None]
    assert (shown["dead"], shown["dense"]) == ([other.id], [])
    assert shown["duplicates"] == [[feature.id, other.id, 0.95]]


def dashboard(session: Session, training: Training) -> str:
    file = io.StringIO()
    wanted = FeatureFilter(training_id=training.id)
    write_export(session, wanted, training.id, "saedashboard", file)
    return file.getvalue()


def test_an_exported_batch_comes_back_the_same(session: Session, training: Training) -> None:
    metadata = {
        "logit_lens": LENS, "histogram": {"edges": [1, 2, 2], "counts": [3, 4]},
        "intervals": [{"octave": 1, "from": 2.0, "to": 4.0, "share": 0.0, "count": 3}],
        "correlated": [{"index": 1, "pearson": 0.5}],
    }  # fmt: skip
    feature = make_feature(session, training, 0, metadata=metadata)
    make_example(session, feature, 0)
    make_example(session, feature, 0, kind="sample", octave=1)
    make_feature(session, training, 1)
    text = dashboard(session, training)
    other = make_training(session)
    batch = json.loads(text)
    assert read_batch(session, other.id, batch) == 2
    again = json.loads(dashboard(session, other))
    assert again["features"] == batch["features"]
    assert read_batch(session, other.id, batch) == 2  # a second time adds nothing
    assert json.loads(dashboard(session, other)) == again
    session.expire_all()


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


def test_trying_features_out_needs_something_to_try(
    client: TestClient, session: Session, training: Training
) -> None:
    body: dict[str, Any] = {"training_id": str(training.id)}
    line = {"text": "a", "expected": "x"}
    for bad in ({}, {"text": "a", "lines": [line, line]}, {"lines": [line, line]}):
        error_of(client.post(f"{URL}/probe", json=body | bad), 400, "VALIDATION_ERROR")
    wrong = body | {"text": "a", "feature_ids": [999999]}
    error_of(client.post(f"{URL}/probe", json=wrong), 404, "NOT_FOUND")
    silent = make_feature(session, training, 0)
    error_of(client.get(f"{URL}/{silent.id}/ablation"), 409, "NOT_READY", "never fired")
