"""Several trainings, one run: what is shared, what is not, and how they part."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app.core.enums import JobKind, JobState, ResourceType, TrainingStatus
from app.core.errors import AppError
from app.db.models import Job, Training
from app.services.estimates import training as estimates
from app.services.estimates.room import Limit, Room
from app.services.job_lifecycle import transition
from app.services.memory_needs import bytes_needed
from app.services.reconciliation.protection import protected_ids
from app.services.training_grids import read_plans, record_failure
from tests.api.asserts import data_of, error_of
from tests.factories import make_activation, make_job

URL = "/api/v1/trainings"
Grid = dict[str, Any]


@pytest.fixture
def body(session: Session) -> dict[str, Any]:
    store = make_activation(session, layers=[1, 2])
    return {
        "model_id": str(store.model_id), "dataset_id": str(store.dataset_id),
        "layer": 1, "name": "grid", "hyperparameters": {"training_steps": 100, "k": 8, "seed": 3},
        "variants": [
            {"name": "few"},
            {"name": "many", "hyperparameters": {"k": 32, "seed": 4}},
            {"layer": 2, "encoderType": "skip"},
        ],
    }  # fmt: skip


@pytest.fixture
def grid(client: TestClient, body: dict[str, Any]) -> Grid:
    made: Grid = data_of(client.post(f"{URL}/grid", json=body), 201)
    return made


def rows_of(session: Session, grid: Grid) -> list[Training]:
    session.expire_all()
    return [session.get_one(Training, one["training_id"]) for one in grid["trainings"]]


def statuses(session: Session, grid: Grid) -> list[str]:
    return [row.status.value for row in rows_of(session, grid)]


def run(session: Session, grid: Grid, *states: JobState, **values: Any) -> Job:
    job = session.get_one(Job, grid["job_id"])
    for state in states:
        transition(session, job, state, **values)
    session.flush()
    return job


def test_a_variant_differs_in_what_it_says(
    client: TestClient, session: Session, grid: Grid
) -> None:
    few, many, skip = rows_of(session, grid)
    assert [(r.name, r.layer, r.encoder_type.value) for r in (few, many, skip)] == [
        ("few", 1, "sparse"), ("many", 1, "sparse"), ("grid", 2, "skip"),
    ]  # fmt: skip
    assert [r.hyperparameters["k"] for r in (few, many, skip)] == [8, 32, 8]
    assert [r.hyperparameters["seed"] for r in (few, many, skip)] == [3, 4, 3]
    assert {r.hyperparameters["data_seed"] for r in (few, many, skip)} == {3}
    job = session.get_one(Job, grid["job_id"])
    assert (job.kind, job.queue) == (JobKind.TRAINING_GRID, "training")
    shown = data_of(client.get(f"{URL}/{many.id}"))
    assert (shown["job"]["id"], shown["shares_run"]) == (grid["job_id"], True)
    assert {p.training_id for p in read_plans(session, job.id)} == {few.id, many.id, skip.id}
    assert {str(row.id) for row in (few, many, skip)} <= protected_ids(session)
    width, latents = 128, 1024
    assert bytes_needed(session, job) == 3 * 4 * 4 * (2 * width * latents + width + latents)


def test_they_pause_resume_and_end_together(
    client: TestClient, session: Session, grid: Grid
) -> None:
    first, second, _ = (one["training_id"] for one in grid["trainings"])
    run(session, grid, JobState.STARTING, JobState.RUNNING)
    assert statuses(session, grid) == ["training"] * 3
    data_of(client.post(f"{URL}/{second}/pause"))
    assert session.get_one(Job, grid["job_id"]).requested == "pause"
    run(session, grid, JobState.PAUSED)
    assert statuses(session, grid) == ["paused"] * 3
    in_use = client.delete(f"{URL}/{first}")
    error_of(in_use, 409, "CONFLICT", "shares with other trainings")
    data_of(client.post(f"{URL}/{first}/resume"))
    assert statuses(session, grid) == ["initializing"] * 3
    run(session, grid, JobState.STARTING, JobState.RUNNING, JobState.SUCCEEDED)
    assert statuses(session, grid) == ["completed"] * 3
    assert all(row.completed_at and row.progress == 100 for row in rows_of(session, grid))
    data_of(client.delete(f"{URL}/{second}"), 202)


def test_one_that_diverged_leaves_and_can_go_on_alone(
    client: TestClient, session: Session, grid: Grid
) -> None:
    first, second, third = rows_of(session, grid)
    run(session, grid, JobState.STARTING, JobState.RUNNING)
    record_failure(session, first.id, "The loss became nan.")
    left = {
        plan.training_id for plan in read_plans(session, session.get_one(Job, grid["job_id"]).id)
    }
    assert left == {second.id, third.id}
    run(session, grid, JobState.SUCCEEDED)
    assert statuses(session, grid) == ["error", "completed", "completed"]
    shown = data_of(client.get(f"{URL}/{first.id}"))
    assert (shown["error_message"], shown["shares_run"]) == ("The loss became nan.", False)
    data_of(client.post(f"{URL}/{first.id}/resume"))
    assert statuses(session, grid) == ["initializing", "completed", "completed"]
    own = session.query(Job).filter_by(kind=JobKind.TRAINING_RUN).one()
    assert own.resource_id == first.id


def test_a_failed_run_is_repeated_for_all_or_one_goes_its_own_way(
    client: TestClient, session: Session, grid: Grid
) -> None:
    ids = [one["training_id"] for one in grid["trainings"]]
    run(session, grid, JobState.STARTING, JobState.RUNNING)
    run(session, grid, JobState.FAILED, error=AppError("The disk is gone."))
    assert statuses(session, grid) == ["error"] * 3
    data_of(client.post(f"{URL}/{ids[2]}/resume"))
    assert [row.shared_run_id is None for row in rows_of(session, grid)] == [False, False, True]
    again = data_of(client.post(f"/api/v1/jobs/{grid['job_id']}/retry"), 202)
    repeated = session.get_one(Job, again["id"])
    assert (repeated.kind, repeated.retry_of) == (JobKind.TRAINING_GRID, run(session, grid).id)
    assert statuses(session, grid) == ["initializing"] * 3
    assert {str(p.training_id) for p in read_plans(session, repeated.id)} == set(ids[:2])


def test_a_failed_run_is_repeated_for_those_that_are_left(
    client: TestClient, session: Session, grid: Grid
) -> None:
    """The first, which the job names, went its own way; then all of them do."""
    ids = [one["training_id"] for one in grid["trainings"]]
    run(session, grid, JobState.STARTING, JobState.RUNNING)
    run(session, grid, JobState.FAILED, error=AppError("The disk is gone."))
    session.delete(session.get_one(Training, ids[0]))
    session.flush()
    again = data_of(client.post(f"/api/v1/jobs/{grid['job_id']}/retry"), 202)
    repeated = session.get_one(Job, again["id"])
    assert str(repeated.resource_id) in ids[1:]
    assert {str(p.training_id) for p in read_plans(session, repeated.id)} == set(ids[1:])
    transition(session, repeated, JobState.FAILED, error=AppError("The disk is gone."))
    for training_id in ids[1:]:
        data_of(client.post(f"{URL}/{training_id}/resume"))
    gone = client.post(f"/api/v1/jobs/{repeated.id}/retry")
    error_of(gone, 404, "NOT_FOUND", "was deleted")


def test_an_empty_data_seed_is_none_at_all(
    client: TestClient, session: Session, body: dict[str, Any]
) -> None:
    """The page's form sends every field; seeds then differ while the batches are shared."""
    body["hyperparameters"]["data_seed"] = None
    made = data_of(client.post(f"{URL}/grid", json=body), 201)
    recipes = [row.hyperparameters for row in rows_of(session, made)]
    assert [(r["seed"], r["data_seed"]) for r in recipes] == [(3, 3), (4, 3), (3, 3)]


def test_a_cancelled_run_stops_all(client: TestClient, session: Session, grid: Grid) -> None:
    data_of(client.post(f"/api/v1/jobs/{grid['job_id']}/cancel"))
    assert statuses(session, grid) == ["stopped"] * 3
    assert {row.status for row in rows_of(session, grid)} == {TrainingStatus.STOPPED}


@pytest.mark.parametrize(
    ("variant", "code", "sentence"),
    [
        ({"hyperparameters": {"batch_size": 2048}}, "VALIDATION_ERROR", "batch_size"),
        ({"hyperparameters": {"data_seed": 9}}, "VALIDATION_ERROR", "data_seed"),
        ({"hyperparameters": {"source": "stream"}}, "VALIDATION_ERROR", "source"),
        ({"hyperparameters": {"k": 5000}}, "VALIDATION_ERROR", "k"),
        ({"layer": 3}, "HOOK_POINT_NOT_FOUND", "It holds: 1, 2"),
        ({"encoder_type": "transcoder"}, "HOOK_POINT_NOT_FOUND", "mlp_input"),
    ],
)
def test_what_cannot_share_a_pass_is_refused_before_anything_is_made(
    client: TestClient, session: Session, body: dict[str, Any],
    variant: dict[str, Any], code: str, sentence: str,
) -> None:  # fmt: skip
    body["variants"][1] = variant
    error_of(client.post(f"{URL}/grid", json=body), 400, code, sentence)
    assert session.query(Training).count() == session.query(Job).count() == 0
    body["variants"] = body["variants"][:1]
    error_of(client.post(f"{URL}/grid", json=body), 400, "VALIDATION_ERROR", "variants")


def test_too_many_for_the_memory_are_refused_with_how_many_fit(
    client: TestClient, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights, gradients and moments of each stay; their steps take turns."""
    most = 10**12

    def give(gpu: int) -> None:
        room = Room("cuda:0", Limit(most, most), Limit(most, most), Limit(gpu, gpu))
        monkeypatch.setattr(estimates, "look_around", lambda _: room)

    give(most)
    latents = 65_536
    body["hyperparameters"] |= {"batch_size": 256, "d_sae": latents}
    found = data_of(client.post(f"{URL}/grid/estimate", json=body))
    needed = next(need for need in found["resources"] if need["name"] == "gpu_memory")
    one = 4 * 4 * (2 * 128 * latents + 3 * latents + 128)
    path = 4 * 4 * 2 * 128 * 8  # of the skip autoencoder
    assert needed["parts"][0]["size_bytes"] == 3 * one + path
    two = data_of(
        client.post(f"{URL}/grid/estimate", json=body | {"variants": body["variants"][:2]})
    )
    give(next(n["needed_bytes"] for n in two["resources"] if n["name"] == "gpu_memory"))
    error = error_of(client.post(f"{URL}/grid", json=body), 409, "GPU_OOM", "n_variants 2")
    assert error["details"]["proposal"] == {"n_variants": 2}


def test_another_job_on_one_of_them_does_not_hide_the_run(
    client: TestClient, session: Session, grid: Grid
) -> None:
    second = rows_of(session, grid)[1]
    make_job(session, JobKind.FEATURE_EXTRACT, JobState.SUCCEEDED, ResourceType.TRAINING, second.id)
    listed = data_of(client.get(f"{URL}/{second.id}"))
    assert listed["job"]["id"] == grid["job_id"]
    found = client.get("/api/v1/saes").json()["data"]
    assert {one["job"]["id"] for one in found} <= {grid["job_id"]}
