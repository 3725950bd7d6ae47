"""Steering beside a running training: ``python -m benchmarks.steering_answer URL``.

Asks a running stack that has a training with features: alone first, then while another training
of the same kind runs, which is stopped and deleted afterwards. Everything goes through the API,
the queues and the warm process.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import httpx

PROMPT = "The function returns the"


class Api:
    """The few calls that are needed."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=f"{url.rstrip('/')}/api/v1", timeout=600)

    def call(self, method: str, path: str, **options: Any) -> Any:
        response = self._client.request(method, path, **options)
        if response.is_error:
            raise SystemExit(f"{method} {path}: {response.status_code} {response.text}")
        return response.json()["data"]

    def wait(self, path: str, key: str, values: set[str]) -> Any:
        while (found := self.call("GET", path))[key] not in values:
            time.sleep(0.2)
        return found


def ask(api: Api, body: dict[str, Any], rounds: int) -> tuple[list[float], list[float]]:
    """Seconds until the whole answer, and until the first token, of each round."""
    whole, first = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = api.call("POST", "/steering/generate", json=body)
        whole.append(time.perf_counter() - began)
        first.append(answer["first_token_seconds"])
    return whole, first


def show(name: str, seconds: tuple[list[float], list[float]]) -> None:
    whole, first = seconds
    print(
        f"{name:<28}{statistics.median(whole):>10.2f}{max(whole):>10.2f}"
        f"{1000 * statistics.median(first):>16.0f}"
    )


def start_training(api: Api, like: dict[str, Any]) -> str:
    """Start a training that will not end by itself, and wait until it steps."""
    kept = ("model_id", "dataset_id", "activation_id", "encoder_type")
    settings = {**like["hyperparameters"], "training_steps": 1_000_000, "checkpoint_every": 0}
    body = {key: like[key] for key in kept} | {"hyperparameters": settings, "name": "beside"}
    made = api.call("POST", "/trainings", json=body)
    path = f"/trainings/{made['training_id']}"
    while api.call("GET", path)["current_step"] == 0:
        time.sleep(0.5)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--tokens", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    api = Api(options.url)
    trainings = api.call("GET", "/trainings", params={"limit": 50})
    like = next(t for t in trainings if t["n_features"] and t["status"] == "completed")
    query = {"training_id": like["id"], "limit": 1, "sort_by": "max_activation"}
    [feature] = api.call("GET", "/features", params=query)
    body = {
        "model_id": like["model_id"],
        "prompt": PROMPT,
        "features": [{"id": feature["id"], "coefficient": 0.5}],
        "max_new_tokens": options.tokens,
        "temperature": 0,
    }
    ask(api, body, 1)  # loads the model
    print(f"{options.tokens} tokens of two texts, {options.rounds} rounds")
    print(f"{'seconds until the answer':<28}{'median':>10}{'longest':>10}{'first token, ms':>16}")
    show("alone", ask(api, body, options.rounds))
    path = start_training(api, like)
    try:
        before = api.call("GET", path)["current_step"]
        show("beside a training", ask(api, body, options.rounds))
        after = api.call("GET", path)
        print(f"the training went on: steps {before} to {after['current_step']}")
    finally:
        api.call("POST", f"{path}/stop")
        api.wait(path, "status", {"stopped", "completed", "error"})
        api.call("DELETE", path)


if __name__ == "__main__":
    main()
