"""A sweep from its request to its table: the API, the task on a real model, the API again."""

from typing import Any, cast
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.enums import JobAction, JobKind, JobState
from app.db.models import Feature, Job, SteeringSweep, Training
from app.workers.context import JobContext
from app.workers.tasks.steering_sweep import run_steering_sweep
from tests.api.asserts import data_of, error_of, page_of
from tests.factories import make_example, make_feature, make_training
from tests.fixtures.direct_task import DirectContext, lay_out_dictionary

URL = "/api/v1/steering"


def context_of(session: Session, settings: Settings, sweep_id: UUID) -> DirectContext:
    """Cancelled, where a test says so, once a number of prompts is in the sweep's row."""

    def n_prompts_done() -> int:
        row = session.get_one(SteeringSweep, sweep_id)
        return int(row.result["n_prompts_done"]) if row.result else 0

    return DirectContext(session, settings, sweep_id, done=n_prompts_done, action=JobAction.CANCEL)


@pytest.fixture
def features(session: Session, settings: Settings) -> list[Feature]:
    """Three features of a dictionary of random unit directions, with the model's files."""
    training = make_training(session)
    lay_out_dictionary(session, settings, training, 16)
    found = [make_feature(session, training, index) for index in (3, 4, 9)]
    for rank in range(2):
        make_example(session, found[0], rank, token_ids=[40 + rank, 50, 60])
    return found


@pytest.fixture
def body(session: Session, features: list[Feature]) -> dict[str, Any]:
    return {
        "model_id": str(session.get_one(Training, features[0].training_id).model_id),
        "prompts": ["Alice was", "The old man"],
        "features": [{"id": features[0].id}],
        "strengths": [-1, 1.5],
        "max_new_tokens": 4,
    }


def start(client: TestClient, body: dict[str, Any]) -> UUID:
    return UUID(data_of(client.post(f"{URL}/sweep", json=body), 202)["job_id"])


def test_a_sweep_is_queued_run_read_and_forgotten(
    client: TestClient, session: Session, settings: Settings, features: list[Feature],
    body: dict[str, Any],
) -> None:  # fmt: skip
    sweep_id = start(client, body | {"kl_targets": [0.5]})
    waiting = data_of(client.get(f"{URL}/sweeps/{sweep_id}"))
    assert (waiting["state"], waiting["table"]) == ("queued", None)
    error_of(client.delete(f"{URL}/sweeps/{sweep_id}"), 409, "CONFLICT", "Cancel it first")
    context = context_of(session, settings, sweep_id)
    assert run_steering_sweep(cast(JobContext, context)).state == "succeeded"
    session.get_one(Job, sweep_id).state = JobState.SUCCEEDED
    read = data_of(client.get(f"{URL}/sweeps/{sweep_id}"))
    table = read["table"]
    [swept] = table["features"]
    assert [(r["strength"], r["unit"]) for r in swept["rows"][:3]] == [
        (0.0, "max_multiple"), (-1.0, "max_multiple"), (1.5, "max_multiple"),
    ]  # fmt: skip
    assert swept["rows"][2]["activation_units"] == 1.5 * 13
    assert (swept["rows"][3]["kl_target"], swept["rows"][3]["unit"]) == (0.5, "activation")
    assert swept["best"]["is_held_out"]
    controls = {control["name"]: control for control in swept["controls"]}
    assert all(control["figures"] for control in controls.values())
    assert controls["matched_feature"]["note"].startswith("Compared with #")
    assert (swept["layer"], swept["hook_type"]) == (2, "residual")
    named = {effect["neuron_index"]: effect["name"] for effect in swept["side_effects"]}
    assert named.keys() <= set(range(16)) - {3}
    assert named.get(4, 'token "4"') == 'token "4"'
    assert table["environment"]["device"] == "cpu"
    assert "Harmonic mean" in read["select_by_definition"]
    assert context.reports[-1][0] == context.reports[-1][1]
    rows, _ = page_of(client.get(f"{URL}/sweeps", params={"model_id": body["model_id"]}))
    assert [row["id"] for row in rows] == [str(sweep_id)]
    assert data_of(client.delete(f"{URL}/sweeps/{sweep_id}"))["id"] == str(sweep_id)
    error_of(client.get(f"{URL}/sweeps/{sweep_id}"), 404, "NOT_FOUND")


def test_a_condition_holds_for_all_rows(
    client: TestClient, session: Session, settings: Settings, features: list[Feature],
    body: dict[str, Any],
) -> None:  # fmt: skip
    condition = {"feature_id": features[1].id, "threshold": 0.5}
    sweep_id = start(client, body | {"condition": condition, "controls": ["opposite"]})
    context = context_of(session, settings, sweep_id)
    assert run_steering_sweep(cast(JobContext, context)).state == "succeeded"
    read = data_of(client.get(f"{URL}/sweeps/{sweep_id}"))
    assert read["settings"]["condition"]["threshold"] == 0.5
    [swept] = read["table"]["features"]
    plain = start(client, body | {"controls": []})
    assert run_steering_sweep(cast(JobContext, context_of(session, settings, plain)))
    everywhere = data_of(client.get(f"{URL}/sweeps/{plain}"))["table"]["features"][0]["best"]
    touched = [row["figures"]["positions_touched"] for row in (swept["best"], *swept["controls"])]
    assert all(0 < n < everywhere["figures"]["positions_touched"] for n in touched)
    wrong = client.post(f"{URL}/sweep", json=body | {"mode": "reconstruction"})
    error_of(wrong, 400, "VALIDATION_ERROR", "mode")


def test_a_cancelled_sweep_keeps_its_finished_prompts(
    client: TestClient, session: Session, settings: Settings, body: dict[str, Any]
) -> None:
    sweep_id = start(client, body)
    context = context_of(session, settings, sweep_id)
    context.stop_at = 1
    outcome = run_steering_sweep(cast(JobContext, context))
    assert (outcome.state, (outcome.result or {})["n_prompts_done"]) == ("cancelled", 1)
    session.get_one(Job, sweep_id).state = JobState.CANCELLED
    read = data_of(client.get(f"{URL}/sweeps/{sweep_id}"))
    assert (read["state"], read["table"]["stopped"]) == ("cancelled", True)
    assert [r["figures"]["n_texts"] for r in read["table"]["features"][0]["rows"]] == [1, 1, 1]
    assert read["table"]["features"][0]["best"] is None


def test_the_matched_feature_is_none_of_the_swept_ones(
    client: TestClient, session: Session, features: list[Feature], body: dict[str, Any]
) -> None:
    both = body | {"features": [{"id": features[0].id}, {"id": features[1].id}]}
    payload = session.get_one(Job, start(client, both)).payload
    assert [edit["id"] for edit in payload["matched"]] == [features[2].id] * 2
    assert payload["matched"][0]["max_activation"] == 19.0
    features[0].activation_frequency = 0.0
    session.flush()
    assert session.get_one(Job, start(client, body)).payload["matched"] == [None]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"strengths": []}, "strengths"),
        ({"strengths": [0]}, "strengths"),
        ({"strengths": [1e9]}, "strengths"),
        ({"strengths": [n / 10 for n in range(1, 31)], "n_samples": 16, "prompts": ["x"] * 16},
         "strengths"),
        ({"prompts": []}, "prompts"),
        ({"prompts": ["fine", "  "]}, "prompts.1.prompt"),
        ({"kl_targets": [0]}, "kl_targets"),
        ({"controls": ["magic"]}, "controls"),
        ({"select_by": "luck"}, "select_by"),
        ({"n_samples": 99}, "n_samples"),
        ({"prompt": "one"}, "prompt"),
    ],
)  # fmt: skip
def test_what_cannot_be_swept_names_its_field(
    client: TestClient, body: dict[str, Any], values: dict[str, Any], field: str
) -> None:
    error = error_of(client.post(f"{URL}/sweep", json=body | values), 400, "VALIDATION_ERROR")
    assert any(field in item["field"] for item in error["details"]["errors"])


def test_features_that_cannot_be_swept(client: TestClient, body: dict[str, Any]) -> None:
    [feature] = body["features"]

    def post(**values: Any) -> Any:
        asked = {"features": [feature | values], "kl_targets": values.pop("kl_targets", [])}
        return client.post(f"{URL}/sweep", json=body | asked)

    error_of(post(id=999_999_999), 404, "NOT_FOUND", "Feature 999999999")
    error_of(post(method="ablate"), 400, "VALIDATION_ERROR")
    error_of(post(unit="kl"), 400, "VALIDATION_ERROR")
    error_of(post(layer=40), 400, "HOOK_POINT_NOT_FOUND", "0 to 3")
    error_of(post(method="clamp", layer=1), 400, "VALIDATION_ERROR", "only at layer 2")
    clamped = body | {"features": [feature | {"method": "clamp"}], "kl_targets": [1]}
    error_of(client.post(f"{URL}/sweep", json=clamped), 400, "VALIDATION_ERROR", '"add" only')
    removed = body | {"features": [feature | {"method": "project"}], "strengths": [0]}
    data_of(client.post(f"{URL}/sweep", json=removed), 202)
    unchanged = client.post(f"{URL}/sweep", json=removed | {"strengths": [1]})
    error_of(unchanged, 400, "VALIDATION_ERROR", "changes nothing at 1")


def test_the_job_goes_where_interactive_steering_is_not(
    client: TestClient, session: Session, body: dict[str, Any]
) -> None:
    job = session.get_one(Job, start(client, body))
    assert (job.kind, job.queue) == (JobKind.STEERING_SWEEP, "analysis")
