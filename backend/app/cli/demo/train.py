"""Training the dictionary, as long as the time allows."""

from typing import Any

from app.cli.demo.api import Api, DemoFailed
from app.cli.demo.budget import Budget
from app.cli.demo.display import Step, already_there, running_step
from app.cli.demo.jobs import Job, follow, unfinished

Resource = dict[str, Any]
_TITLE = "Sparse autoencoder"
EXPANSION, K, BATCH_TOKENS = 4, 32, 2048
# Passes over the stored tokens: more of them help little and cost time.
MOST_PASSES = 5
FEWEST_STEPS = 150
# The rate is believed after this share of the steps.
_MEASURED_PERCENT = 6.0
_TOLERANCE = 1.25
_SAFETY = 0.85


def train(api: Api, model: Resource, store: Resource, budget: Budget) -> Resource:
    """The training of this store: as found, continued, or new.

    A new one is planned for ``MOST_PASSES``; when its first measured steps show that this takes
    longer than the time left, it is stopped and planned again with the steps that fit.
    """
    found = _find(api, store)
    if found is not None and found["status"] == "completed":
        already_there(_TITLE, describe(found))
        return found
    with running_step(_TITLE) as step:
        training_id = _continue(api, found) if found is not None else None
        if training_id is None:
            windows = _evaluation_windows(model, store, budget)
            training_id = _train_within(api, store, windows, budget, step)
        else:
            _follow(api, training_id, step)
        training: Resource = api.get(f"/trainings/{training_id}")
        if training["status"] != "completed":
            raise DemoFailed(f"{_TITLE}: {training['error_message'] or training['status']}")
        step.figures = describe(training)
    return training


def describe(training: Resource) -> str:
    latents, steps = training["n_latents"], training["current_step"]
    tokens = steps * training["hyperparameters"]["batch_size"]
    return f"{latents:,} latents, {steps:,} steps, {tokens:,} tokens seen"


def _evaluation_windows(model: Resource, store: Resource, budget: Budget) -> int:
    share = (store["layers"][0] + 1) / model["n_layers"]
    return budget.evaluation_windows(float(store["metadata"]["tokens_per_second"]), share)


def _train_within(api: Api, store: Resource, windows: int, budget: Budget, step: Step) -> str:
    steps = max(FEWEST_STEPS, MOST_PASSES * int(store["n_tokens"]) // BATCH_TOKENS)
    allowed = budget.training_seconds()
    training_id = _create(api, store, windows, steps)

    def is_too_slow(job: Job) -> bool:
        eta = job["eta_seconds"]
        measured = job["state"] == "running" and job["progress"] >= _MEASURED_PERCENT
        return bool(measured and eta is not None and eta > allowed * _TOLERANCE)

    job = _follow(api, training_id, step, watch=is_too_slow)
    if job["state"] == "succeeded":
        return training_id
    training = api.get(f"/trainings/{training_id}")
    rate = (training["latest_metrics"] or {}).get("tokens_per_second")
    if not rate or steps == FEWEST_STEPS:
        _follow(api, training_id, step)
        return training_id
    _discard(api, training_id, step)
    fitting = int(rate * budget.training_seconds() * _SAFETY) // BATCH_TOKENS
    training_id = _create(api, store, windows, max(FEWEST_STEPS, min(steps, fitting)))
    _follow(api, training_id, step)
    return training_id


def _create(api: Api, store: Resource, windows: int, steps: int) -> str:
    hyperparameters = {
        "activation": "topk",
        "expansion_factor": EXPANSION,
        "k": K,
        "batch_size": BATCH_TOKENS,
        "training_steps": steps,
        "checkpoint_every": max(50, steps // 5),
        "evaluation_windows": windows,
    }
    body = {
        "model_id": store["model_id"],
        "dataset_id": store["dataset_id"],
        "activation_id": store["id"],
        "layer": store["layers"][0],
        "name": _name(store),
        "hyperparameters": hyperparameters,
    }
    return str(api.post("/trainings", body)["training_id"])


def _follow(api: Api, training_id: str, step: Step, **watch: Any) -> Job:
    job = api.get(f"/trainings/{training_id}")["job"]
    return follow(api, job["id"], step, **watch)


def _continue(api: Api, training: Resource) -> str | None:
    """Id of a training that goes on; None when a new one is needed."""
    training_id = str(training["id"])
    if training["status"] in {"paused", "error"} and training["n_checkpoints"]:
        api.post(f"/trainings/{training_id}/resume")
        return training_id
    return training_id if unfinished(training["job"]) is not None else None


def _discard(api: Api, training_id: str, step: Step) -> None:
    api.post(f"/trainings/{training_id}/stop")
    job = api.get(f"/trainings/{training_id}")["job"]
    follow(api, job["id"], step, watch=lambda seen: seen["state"] == "stopped")
    api.delete(f"/trainings/{training_id}")


def _find(api: Api, store: Resource) -> Resource | None:
    """The newest training of the store that the demo made and did not give up."""
    for training in api.list("/trainings"):
        mine = training["activation_id"] == store["id"] and training["name"] == _name(store)
        if mine and training["status"] != "stopped":
            return training
    return None


def _name(store: Resource) -> str:
    return f"Demo: {store['model_name']}, layer {store['layers'][0]}"
