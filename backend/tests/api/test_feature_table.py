"""The table of features: sorted, narrowed, searched."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind, JobState
from app.db.models import Job, Training
from app.db.models.feature import NUMERIC_COLUMNS
from app.db.repositories import feature_pages, feature_search
from app.db.repositories.feature_pages import FeatureFilter
from app.schemas.common import Meta
from app.schemas.feature import FeaturePage, LiveSearch
from app.services import feature_service
from app.services.feature_live_search import LiveHit
from tests.api.asserts import error_of, indices_of, page_of
from tests.factories import (
    make_example,
    make_feature,
    make_token,
    make_training,
)

URL = "/api/v1/features"


def test_the_table(client: TestClient, session: Session, training: Training) -> None:
    for index in range(5):
        feature = make_feature(session, training, index)
        make_example(session, feature, 0)
        make_example(session, feature, 1)
    make_feature(session, make_training(session), 0)
    url = f"{URL}?training_id={training.id}"
    rows, pagination = page_of(client.get(f"{url}&sortBy=max_activation&limit=2"))
    assert indices_of(rows) == [4, 3]
    assert pagination.pop("next_cursor")
    assert not pagination.pop("total_is_capped")
    assert pagination == {"page": 1, "limit": 2, "total": 5, "has_next": True}
    assert rows[0]["top_example"]["rank"] == 0
    assert rows[0]["top_example"]["tokens"] == ["the", " cat", " sat"]
    assert indices_of(page_of(client.get(f"{url}&sort_by=neuron_index&order=asc"))[0])[0] == 0
    for key in ("activation", "interpretability", "mean_activation", "id", "name"):
        assert page_of(client.get(f"{url}&sort_by={key}"))[1]["total"] == 5
    error_of(client.get(f"{url}&sort_by=beauty"), 400, "VALIDATION_ERROR", "Choose one of")
    error_of(client.get(f"{URL}?training_id={uuid4()}"), 404, "NOT_FOUND")


def test_sorting_by_every_column_keeps_missing_values_last(
    client: TestClient, session: Session, training: Training
) -> None:
    for index, score in enumerate((0.5, None, 0.9, 0.9, None, 0.7)):
        make_feature(session, training, index, token_rule=score)
    url = f"{URL}?training_id={training.id}&sort_by=token_rule"
    falling, rising = [2, 3, 5, 0, 1, 4], [0, 5, 3, 2, 1, 4]
    for order, expected in (("desc", falling), ("asc", rising)):
        assert indices_of(page_of(client.get(f"{url}&order={order}"))[0]) == expected
        by_page, by_cursor, cursor = [], [], ""
        for page in (1, 2, 3):
            by_page += indices_of(
                page_of(client.get(f"{url}&order={order}&limit=2&page={page}"))[0]
            )
            rows, pagination = page_of(client.get(f"{url}&order={order}&limit=2{cursor}"))
            by_cursor += indices_of(rows)
            assert pagination["total"] == 6
            cursor = f"&cursor={pagination['next_cursor']}"
        assert by_page == by_cursor == expected
    for column in NUMERIC_COLUMNS:
        assert page_of(client.get(f"{url.replace('token_rule', column)}"))[1]["total"] == 6
    _, pagination = page_of(client.get(f"{url}&limit=2"))
    wrong = f"{url.replace('token_rule', 'n_fires')}&cursor={pagination['next_cursor']}"
    error_of(client.get(wrong), 400, "VALIDATION_ERROR", "another sorting")
    error_of(client.get(f"{url}&cursor=nonsense"), 400, "VALIDATION_ERROR")


def test_a_cursor_that_nobody_gave_is_refused(
    client: TestClient, session: Session, training: Training
) -> None:
    make_feature(session, training, 1, token_rule=0.5)
    url = f"{URL}?training_id={training.id}&sort_by="
    deep = "[" * 700
    for sort_by, places in {
        "token_rule": [[{"a": 1}, 1, 1], [[1], 1, 1], [True, 1, 1], ["x", 1, 1], [0.5, 1e999, 1],
                       [0.5, 1, "1"], [0.5, True, 1], [0.5, 1], []],
        "label": [[1, 1, 1], ["\0", 1, 1], ["\ud800", 1, 1]],
    }.items():  # fmt: skip
        texts = [json.dumps([sort_by, "desc", *place]) for place in places]
        for text in (*texts, deep, "1", "null"):
            cursor = base64.urlsafe_b64encode(text.encode()).decode()
            answer = client.get(f"{url}{sort_by}&order=desc&cursor={cursor}")
            error_of(answer, 400, "VALIDATION_ERROR", "Start from the first page")


def test_ranges_and_tags_narrow_the_table(
    client: TestClient, session: Session, training: Training
) -> None:
    for index in range(6):
        make_feature(session, training, index, tags=["even", "x"] if index % 2 == 0 else ["odd"])
    url = f"{URL}?training_id={training.id}&sort_by=neuron_index&order=asc"
    assert indices_of(page_of(client.get(f"{url}&range=max_activation:11:13"))[0]) == [1, 2, 3]
    both = f"{url}&range=max_activation:11:&range=neuron_index::4"
    assert indices_of(page_of(client.get(both))[0]) == [1, 2, 3, 4]
    assert indices_of(page_of(client.get(f"{url}&tag=Even&tag=x"))[0]) == [0, 2, 4]
    assert indices_of(page_of(client.get(f"{url}&range=token_rule:0:"))[0]) == []
    for bad in ("beauty:0:1", "max_activation:1", "max_activation:a:"):
        error_of(client.get(f"{url}&range={bad}"), 400, "VALIDATION_ERROR")


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
    assert indices_of(hits) == [0, 1, 2, 3, 4]
    assert [(hit["matches"][0]["where"], hit["matches"][0]["text"]) for hit in hits] == [
        ("name", "Whales"), ("description", "about 100% whales"), ("label", 'token "whale"'),
        ("fires_on", " Whale"), ("promotes", "whales"),
    ]  # fmt: skip
    assert hits[3]["matches"][0]["weight"] == 0.4
    assert indices_of(page_of(client.get(f"{url}whalse"))[0]) == [0, 1, 2]  # forgives a slip
    best = page_of(client.get(f"{url}whale".replace("neuron_index", "relevance")))[0]
    assert len(best) == 5
    assert indices_of(page_of(client.get(f"{url}100%25"))[0]) == [1]
    assert page_of(client.get(f"{url}_____"))[0] == []


def test_live_hits_stand_among_the_others_and_say_why(
    client: TestClient, session: Session, training: Training, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = make_feature(session, training, 0, name="Whales")
    both = make_feature(session, training, 1, label='token "whale"')
    silent = make_feature(session, training, 2, label=None)
    tagged = make_feature(session, training, 3, label=None, tags=["sea"])
    make_feature(session, training, 4, label=None)
    shares = ((silent, 1.5), (both, 0.5), (tagged, 0.4))
    hits = [LiveHit(feature_id=it.id, token=" whale", share=share) for it, share in shares]
    answered = LiveSearch(is_answered=True, n_hits=3, message=None)
    everything = FeatureFilter(training.id, "whale")

    def search(wanted: FeatureFilter, sort_by: str = "relevance") -> FeaturePage:
        return feature_service.list_features(
            session, wanted, Meta.now("test"), page=1, limit=3, cursor=None, sort_by=sort_by,
            order="desc", read_live=lambda *_: (hits, answered),
        )  # fmt: skip

    page = search(everything)
    assert (page.live, page.pagination.total) == (answered, 4)
    assert [row.id for row in page.data] == [silent.id, both.id, named.id]
    assert [[match.where for match in row.matches] for row in page.data] == [
        ["fires_on_text"], ["label", "fires_on_text"], ["name"],
    ]  # fmt: skip
    assert (page.data[0].matches[0].text, page.data[0].matches[0].weight) == (" whale", 1.5)
    assert [row.id for row in search(replace(everything, tags=("sea",))).data] == [tagged.id]
    monkeypatch.setattr(feature_search, "MAX_IDS", 1)
    monkeypatch.setattr(feature_pages, "MAX_IDS", 1)
    for sort_by in ("relevance", "max_activation"):  # the walk along a sorting takes them along
        assert tagged.id in [row.id for row in search(everything, sort_by).data]


def test_a_live_search_without_an_answer_is_a_search(
    client: TestClient, session: Session, training: Training, settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(settings, "steering_timeout", timedelta(milliseconds=100))
    make_feature(session, training, 0, name="Whales")
    url = f"{URL}?live=true&search=whale"
    answer = client.get(f"{url}&training_id={training.id}").json()
    assert len(answer["data"]) == 1
    assert answer["live"]["is_answered"] is False
    assert "No steering worker" in answer["live"]["message"]
    [job] = session.scalars(select(Job).where(Job.kind == JobKind.FEATURE_PROBE))
    assert job.state is JobState.CANCELLED  # nobody would read its answer
    assert client.get(url).json()["live"] is None  # of no training in particular
    for wrong in ("sort_by=beauty", "cursor=x"):  # refused before a model reads anything
        error_of(client.get(f"{url}&training_id={training.id}&{wrong}"), 400, "VALIDATION_ERROR")
    assert session.query(Job).filter_by(kind=JobKind.FEATURE_PROBE).count() == 1


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
    assert indices_of(rows) == [6, 5, 4]
    assert (pagination["total"], pagination["total_is_capped"]) == (3, True)
    rest = page_of(client.get(f"{url}&sort_by=max_activation&page=3"))
    assert (indices_of(rest[0]), rest[1]["has_next"]) == ([0], False)
    assert len(page_of(client.get(f"{url}&sort_by=relevance"))[0]) == 3
    few = page_of(client.get(f"{url}&range=neuron_index:5:&sort_by=max_activation"))[1]
    assert (few["total"], few["total_is_capped"]) == (2, False)
