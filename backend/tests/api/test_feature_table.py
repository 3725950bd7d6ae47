"""The table of features: sorted, narrowed, searched."""

from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.db.models import Training
from app.db.models.feature import NUMERIC_COLUMNS
from app.db.repositories import feature_pages, feature_search
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
