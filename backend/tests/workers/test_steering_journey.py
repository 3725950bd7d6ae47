"""Sweeps and scores through the queues and real workers: to the end, cancelled, paused, killed."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import psutil
import pytest

from tests.fixtures.stack import ENDED, ENDLESS_STEPS, Prepared, Stack
from tests.fixtures.text_reader import TextReader, Told

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def feature(stack: Stack, reference: str) -> dict[str, Any]:
    """The feature that fires most strongly."""
    body = {"training_id": reference, "examples_per_feature": 20, "layout": "none"}
    stack.succeed(stack.post("/features/extract", body))
    best: dict[str, Any] = stack.get(
        f"/features?training_id={reference}&sort_by=max_activation&limit=1"
    )[0]
    return best


def sweep_body(prepared: Prepared, feature: dict[str, Any], n_prompts: int) -> dict[str, Any]:
    return {
        "model_id": prepared.model_id,
        "prompts": [f"Alice was {n} years" for n in range(n_prompts)],
        "features": [{"id": feature["id"]}],
        "strengths": [-1, 1, 2],
        "max_new_tokens": 12,
    }


def test_a_sweep_ends_with_a_best_strength_beside_its_controls(
    stack: Stack, prepared: Prepared, feature: dict[str, Any]
) -> None:
    accepted = stack.post("/steering/sweep", sweep_body(prepared, feature, 2))
    assert stack.finish(accepted["job_id"])["state"] == "succeeded"
    sweep = stack.get(f"/steering/sweeps/{accepted['job_id']}")
    assert (sweep["state"], sweep["progress"]) == ("succeeded", 100)
    [swept] = sweep["table"]["features"]
    assert [row["strength"] for row in swept["rows"]] == [0, -1, 1, 2]
    assert swept["best"]["is_held_out"]
    assert {c["name"] for c in swept["controls"] if c["figures"]} >= {
        "random_direction", "opposite", "diffmean",
    }  # fmt: skip
    assert swept["side_effects"]


def test_a_sweep_cancelled_midway_keeps_its_finished_prompts(
    stack: Stack, prepared: Prepared, feature: dict[str, Any]
) -> None:
    body = sweep_body(prepared, feature, 16) | {"max_new_tokens": 6, "n_samples": 4}
    with stack.held_down():  # a step is a token
        job_id = stack.post("/steering/sweep", body)["job_id"]
        path = f"/steering/sweeps/{job_id}"
        seen = stack.wait_until(path, is_in_its_middle)
        assert seen["state"] == "running"
        assert 0 < seen["progress"] < 100
        stack.post(f"/jobs/{job_id}/cancel")
        assert stack.finish(job_id)["state"] == "cancelled"
    table = stack.get(path)["table"]
    assert table["stopped"]
    assert 1 <= table["n_prompts_done"] < 16
    rows = table["features"][0]["rows"]
    assert {row["figures"]["n_texts"] for row in rows} == {4 * table["n_prompts_done"]}
    assert table["features"][0]["best"] is None
    stack.call("DELETE", path)
    assert stack.client.get(path).status_code == 404


def is_in_its_middle(sweep: dict[str, Any]) -> bool:
    """The table is stored after a prompt, the progress a moment later."""
    return bool(sweep["table"] and sweep["progress"]) or sweep["state"] in ENDED


def test_scores_are_measured_paused_killed_and_finished(
    stack: Stack, reference: str, feature: dict[str, Any]
) -> None:
    # Eight batches in each block, held down, so that there is a middle to interrupt.
    slowly = {"training_id": reference, "batch_size": 32, "null_directions": 8}
    with stack.held_down():
        job_id = stack.post("/features/score", slowly)["job_id"]
        path = f"/jobs/{job_id}"
        first = f"/features?training_id={reference}&range=output_score:0:&limit=1"
        stack.wait_until(first, bool)
        stack.post(f"{path}/pause")
        paused = stack.wait_until(path, lambda job: job["state"] in {"paused", *ENDED})
        kept = scored(stack, reference)
        assert len(kept) == 256  # a block of two
        assert 0 < paused["progress"] < 100
        stack.post(f"{path}/resume")
        stack.wait_until(path, lambda job: job["state"] in {"running", *ENDED})
        assert kill_child(job_id) == 1
    assert stack.finish(job_id)["state"] == "succeeded"
    whole = scored(stack, reference)
    assert len(whole) == 512
    assert kept.items() <= whole.items()
    read = stack.get(f"/features/{feature['id']}")
    assert read["metadata"]["scoring"]["job_id"] == job_id


def scored(stack: Stack, training_id: str) -> dict[int, float]:
    """Output score by index, of the features that have one."""
    url = f"/features?training_id={training_id}&range=output_score:0:&limit=200"
    pages = [stack.get(f"{url}&page={page}") for page in (1, 2, 3)]
    rows = [row for page in pages for row in page]
    return {row["neuron_index"]: row["output_score"] for row in rows}


def kill_child(job_id: str) -> int:
    """SIGKILL to the process that runs a job; a later attempt goes on. How many there were."""
    killed = 0
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "app.workers.child" in command and job_id in command:
            process.kill()
            process.wait(120)
            killed += 1
    return killed


def test_steering_answers_while_a_training_runs(
    stack: Stack, prepared: Prepared, feature: dict[str, Any]
) -> None:
    body = prepared.training(training_steps=ENDLESS_STEPS, checkpoint_every=0)
    created = stack.post("/trainings", body)
    path = f"/trainings/{created['training_id']}"
    stack.wait_until(path, lambda t: t["current_step"] > 0 or t["status"] == "error")
    answer = stack.post(
        "/steering/generate",
        {
            "model_id": prepared.model_id,
            "prompt": "Alice was",
            "features": [{"id": feature["id"], "coefficient": 1.0}],
            "max_new_tokens": 5,
        },
    )
    assert answer["proof"]["positions_touched"] > 0
    assert stack.get(path)["status"] == "training"
    stack.post(f"{path}/stop")
    stack.finish(created["job_id"])
    stack.succeed(stack.call("DELETE", path))


def test_a_lost_connection_costs_no_token(
    stack: Stack, prepared: Prepared, feature: dict[str, Any]
) -> None:
    run_id = str(uuid4())
    body = {
        "model_id": prepared.model_id, "prompt": "Alice was", "run_id": run_id,
        "features": [{"id": feature["id"]}], "max_new_tokens": 100, "mode": "reconstruction",
    }  # fmt: skip
    room, address = f"job:{run_id}", str(stack.client.base_url).partition("/api")[0]
    readers = [TextReader(address)]
    heard: list[Told] = []
    with ThreadPoolExecutor(1) as pool:
        assert readers[0].subscribe(room=room, after=-1)["ok"]
        answer = pool.submit(stack.post, "/steering/generate", body)
        for stop in (0, 3, 8):
            while not heard or heard[-1][0] < stop:
                heard += readers[-1].next()
            readers[-1].drop()
            readers.append(TextReader(address))
            assert readers[-1].subscribe(room=room, after=heard[-1][0])["ok"]
        result = answer.result()
    outputs = {
        "unsteered": result["unsteered_output"],
        "steered": result["steered_output"],
        "reconstruction": result["reconstruction"]["output"],
    }
    while len(heard) < 1 + sum(len(output["tokens"]) for output in outputs.values()):
        heard += readers[-1].next()
    for branch, output in outputs.items():
        told = [index for index, of, _ in heard if of == branch]
        assert told == list(range(len(output["tokens"])))
        assert "".join(text for _, of, text in heard if of == branch) == output["text"]
    for reader in readers[1:]:
        reader.client.disconnect()


def test_one_search_also_finds_what_fires_on_its_own_text(
    stack: Stack, reference: str, feature: dict[str, Any]
) -> None:
    text = "the return value of the function"
    probed = stack.post("/features/probe", {"training_id": reference, "text": text, "top_k": 200})
    wanted = {found["id"]: found["share_of_max"] for found in probed["features"]}
    query = {"training_id": reference, "search": text, "sort_by": "relevance", "limit": 100}
    plain = stack.client.get("/features", params=query).json()
    assert plain["live"] is None
    found = stack.client.get("/features", params=query | {"live": True}).json()
    assert found["live"] == {"is_answered": True, "n_hits": min(50, len(wanted)), "message": None}
    shares = {
        row["id"]: match["weight"]
        for row in found["data"]
        for match in row["matches"]
        if match["where"] == "fires_on_text"
    }
    assert len(shares) == found["live"]["n_hits"]
    assert shares == {id_: pytest.approx(wanted[id_]) for id_ in shares}
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
