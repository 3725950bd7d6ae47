"""Fault 24: a link in a foreign page can do no more than read."""

from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from tests.api.test_hostile_web import _counts as counts
from tests.factories import make_feature, make_training


def test_reading_changes_nothing(client: TestClient, session: Session) -> None:
    """Every GET of the document: a link in a foreign page can do no more."""
    training = make_training(session)
    names: dict[str, Any] = {
        name: getattr(training, name) for name in ("dataset_id", "model_id", "activation_id")
    }
    names |= {"training_id": training.id, "feature_id": make_feature(session, training, 0).id}
    before = counts(session)
    paths = client.get("/openapi.json").json()["paths"]
    statuses = {}
    for path in (path for path, item in paths.items() if "get" in item):
        for name, value in names.items():
            path = path.replace(f"{{{name}}}", str(value))
        statuses[path] = client.get(path).status_code
    assert counts(session) == before
    assert not {path: status for path, status in statuses.items() if status >= 500}
