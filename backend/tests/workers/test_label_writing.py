"""Labels by real workers: written, cancelled, gone on with, and never over a person's name."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from app.core.enums import JobAction, JobKind, JobState, ResourceType
from app.db.repositories import feature_pages, features
from app.db.repositories.feature_pages import FeatureFilter
from app.db.session import session_scope
from tests.factories import make_example, make_feature, make_training
from tests.fixtures.label_server import LabelServer, serve_labels
from tests.fixtures.rig import Rig, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[LabelServer]:
    with serve_labels() as running:
        yield running


def make_features() -> UUID:
    """Four features; a person named the second, the third never fires."""
    with session_scope() as session:
        training = make_training(session)
        for index, more in enumerate(({}, {"name": "mine"}, {"n_fires": 0}, {})):
            feature = make_feature(session, training, index, **more)
            make_example(session, feature, 0)
        return training.id


def start(rig: Rig, training_id: UUID, server: LabelServer) -> UUID:
    payload: dict[str, Any] = {
        "writer": "endpoint", "endpoint": server.address, "model": "small", "limit": 10,
        "contexts": 5, "feature_ids": None,
    }  # fmt: skip
    resource = (ResourceType.TRAINING, training_id)
    return rig.create(JobKind.FEATURE_LABEL, resource=resource, **payload)


def labels_of(training_id: UUID) -> list[tuple[str | None, str | None, str | None]]:
    with session_scope() as session:
        rows = feature_pages.list_after(session, FeatureFilter(training_id), -1, 10)
        return [(row.name, row.label, row.label_source) for row in rows]


def test_labels_are_written_and_a_persons_name_stays(rig: Rig, server: LabelServer) -> None:
    training_id = make_features()
    job = rig.wait_state(start(rig, training_id, server), JobState.SUCCEEDED)
    assert job.result == {"n_asked": 2, "n_written": 2, "model": "small"}
    assert labels_of(training_id) == [
        (None, "names of cats", "endpoint"),
        ("mine", 'token "1"', "token"),
        (None, 'token "2"', "token"),
        (None, "names of cats", "endpoint"),
    ]
    assert "« cat»" in server.asked[0]["messages"][-1]["content"]
    with session_scope() as session:
        [first] = features.by_index(session, training_id, [0]).values()
        note = first.metadata_["label_writer"]
    assert note["rule"] == {"label": 'token "0"', "source": "token"}
    assert (note["model"], note["job_id"]) == ("small", str(job.id))


def test_a_cancelled_writer_keeps_what_it_wrote(rig: Rig, server: LabelServer) -> None:
    training_id = make_features()
    server.let_go_after = 1
    job_id = start(rig, training_id, server)
    wait_for(lambda: len(server.asked) == 2, "the second question")
    rig.request(job_id, JobAction.CANCEL)
    rig.wait_state(job_id, JobState.CANCELLED)
    sources = [source for _, _, source in labels_of(training_id)]
    assert sources == ["endpoint", "token", "token", "token"]


def test_a_writer_that_fails_is_an_error_and_no_label(rig: Rig, server: LabelServer) -> None:
    training_id = make_features()
    server.status = 500
    job = rig.wait_state(start(rig, training_id, server), JobState.FAILED)
    assert (job.error_code, "HTTP 500" in (job.error_message or "")) == (
        "SERVICE_UNAVAILABLE",
        True,
    )
    assert all(source == "token" for _, _, source in labels_of(training_id))
