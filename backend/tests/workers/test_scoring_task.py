"""Scoring of features from its request to the sorted table: the API, the task, the API again."""

from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobKind, JobState, ResourceType, TrainingStatus
from app.db.models import Job, Training
from app.db.repositories import feature_scores as rows
from app.ml.errors import Stopped
from app.ml.steering import feature_scores
from app.workers.context import JobContext
from app.workers.tasks.scoring import run_feature_score
from tests.api.asserts import data_of, error_of, indices_of, page_of
from tests.factories import make_example, make_feature, make_job, make_training
from tests.fixtures.direct_task import DirectContext, lay_out_dictionary

URL = "/api/v1/features"
N = 8


@pytest.fixture
def training(session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Training:
    """Eight features of random unit directions, the first with contexts; blocks of three."""
    monkeypatch.setattr(feature_scores, "BLOCK", 3)
    training = make_training(session, status=TrainingStatus.COMPLETED)
    lay_out_dictionary(session, settings, training, N)
    details = {"score_details": {"token_rule": {"null": 0.5}}}
    found = [make_feature(session, training, index, metadata=details) for index in range(N)]
    for rank in range(12):
        make_example(session, found[0], rank, position=1, token_ids=[5, 40 + rank, 6])
    make_example(session, found[0], 12, position=1, token_ids=[5, -1, 6])
    make_example(session, found[0], 0, kind="sample", position=1, token_ids=[5, 9, 6])
    return training


def start(client: TestClient, training: Training, **settings: Any) -> UUID:
    body = {"training_id": str(training.id), "null_directions": 8, **settings}
    return UUID(data_of(client.post(f"{URL}/score", json=body), 202)["job_id"])


def table(client: TestClient, training: Training, by: str, **params: str) -> list[dict[str, Any]]:
    asked = {"training_id": str(training.id), "sort_by": by, **params}
    found: list[dict[str, Any]] = page_of(client.get(URL, params=asked))[0]
    return found


def test_scores_become_columns_that_sort_and_filter(
    client: TestClient, session: Session, settings: Settings, training: Training
) -> None:
    job_id = start(client, training)
    job = session.get_one(Job, job_id)
    assert (job.kind, job.queue, job.resource_id) == ("feature_score", "analysis", training.id)
    context = DirectContext(session, settings, job_id)
    outcome = run_feature_score(cast(JobContext, context))
    assert (outcome.result or {})["n_features"] == N
    assert context.reports[-1] == (N, N, "Raising features")
    by_output = table(client, training, "output_score")
    scores = [row["output_score"] for row in by_output]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score < 1 for score in scores)
    bound = scores[2]
    found = table(client, training, "output_score", range=f"output_score:{bound}:")
    assert indices_of(found) == indices_of(by_output)[:3]
    [reads, *others] = table(client, training, "input_score")
    assert reads["neuron_index"] == 0
    assert 0 <= reads["input_score"] <= 1
    assert all(row["input_score"] is None for row in others)
    read = data_of(client.get(f"{URL}/{reads['id']}"))
    assert "Arad" in read["definitions"]["output_score"]
    assert "Wilson" in read["definitions"]["input_score"]
    details = read["metadata"]["score_details"]
    assert details["token_rule"] == {"null": 0.5}  # what discovery measured stays
    assert details["input_score"]["n_contexts"] == 12  # without the unknown token and the sample
    assert set(details["output_score"]) == {
        "token", "token_id", "rank", "probability", "probability_before", "null", "null_p95",
    }  # fmt: skip
    how = read["metadata"]["scoring"]
    assert (how["job_id"], how["prompt"]) == (str(job_id), "In my experience,")
    assert how["strength"] > 0


def test_the_peaks_are_those_of_the_strongest_contexts(
    session: Session, training: Training
) -> None:
    ids = rows.ids_by_index(session, training.id)
    assert rows.peak_tokens(session, [ids[0], ids[1]], 5) == {ids[0]: [40, 41, 42, 43, 44]}


def test_a_paused_scoring_keeps_its_blocks_and_goes_on(
    client: TestClient, session: Session, settings: Settings, training: Training
) -> None:
    context = DirectContext(session, settings, start(client, training))
    context.stop_at = 3
    with pytest.raises(Stopped):
        run_feature_score(cast(JobContext, context))
    half = {row["neuron_index"]: row for row in table(client, training, "output_score")}
    assert [index for index in range(N) if half[index]["output_score"] is not None] == [0, 1, 2]
    context.stop_at = None
    before = half[0]["output_score"]
    session.get_one(Training, training.id)
    written: list[int] = []
    put = rows.put

    def count(session: Session, given: Any, run: Any) -> None:
        written.append(len(given))
        put(session, given, run)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "put", count)
        run_feature_score(cast(JobContext, context))
    assert written == [3, 2]  # the first block is not measured again
    whole = {row["neuron_index"]: row for row in table(client, training, "output_score")}
    assert whole[0]["output_score"] == before
    assert all(whole[index]["output_score"] is not None for index in range(N))


def test_another_prompt_replaces_all_scores(
    client: TestClient, session: Session, settings: Settings, training: Training
) -> None:
    first = DirectContext(session, settings, start(client, training))
    run_feature_score(cast(JobContext, first))
    session.get_one(Job, first.job_id).state = JobState.SUCCEEDED
    session.flush()
    second = DirectContext(session, settings, start(client, training, prompt="Once upon a"))
    second.stop_at = 3
    with pytest.raises(Stopped):
        run_feature_score(cast(JobContext, second))
    found = table(client, training, "neuron_index", order="asc")
    # Scores of two prompts would not compare: those of the first one are gone.
    assert [row["output_score"] is not None for row in found] == [True] * 3 + [False] * 5
    read = data_of(client.get(f"{URL}/{found[0]['id']}"))
    assert read["metadata"]["scoring"]["prompt"] == "Once upon a"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"prompt": " "}, "prompt"),
        ({"amplification": 0}, "amplification"),
        ({"contexts": 5}, "contexts"),
        ({"magic": 1}, "magic"),
    ],
)
def test_bad_settings_name_their_field(
    client: TestClient, training: Training, values: dict[str, Any], field: str
) -> None:
    body = {"training_id": str(training.id), **values}
    error = error_of(client.post(f"{URL}/score", json=body), 400, "VALIDATION_ERROR")
    assert any(field in item["field"] for item in error["details"]["errors"])


def test_what_cannot_be_scored_says_what_to_do(
    client: TestClient, session: Session, training: Training
) -> None:
    def post(training_id: object) -> Any:
        return client.post(f"{URL}/score", json={"training_id": str(training_id)})

    error_of(post(uuid4()), 404, "NOT_FOUND")
    error_of(post(make_training(session).id), 409, "NOT_READY", "Discover them first")
    lost = make_training(session)
    make_feature(session, lost, 0)
    error_of(post(lost.id), 409, "NOT_READY", "Discover its features again")
    kind, place = JobKind.FEATURE_EXTRACT, (ResourceType.TRAINING, training.id)
    make_job(session, kind, JobState.RUNNING, *place)
    error_of(post(training.id), 409, "CONFLICT", "a feature discovery")


def test_it_reads_beside_a_running_training(
    client: TestClient, session: Session, training: Training
) -> None:
    training.status = TrainingStatus.TRAINING
    session.flush()
    assert session.get_one(Job, start(client, training)).payload["shares_device"]
