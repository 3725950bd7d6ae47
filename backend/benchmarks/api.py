"""The API under load, alone and while a training runs: ``python -m benchmarks.api``.

A whole stack in a temporary home; the clients run on the same machine and take their share of it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import psutil

from app.core.config import Settings, get_settings
from app.db.session import reset_engine
from app.supervisor import control
from app.websocket.publisher import publish, reset_publisher
from benchmarks import database
from benchmarks.load import Load, ask_for
from benchmarks.realtime import progress
from benchmarks.sockets import run_crowd

GLASS = Path(__file__).parents[1] / "tests" / "data" / "glass-en"
IDLE_SECONDS = 20
PAGES = 150
SETTINGS = {"training_steps": 1_000_000, "batch_size": 2048, "k": 16, "expansion_factor": 8}


@contextmanager
def running_stack() -> Iterator[tuple[Settings, str]]:
    """Everything that `make up` starts, and the address of its API."""
    with tempfile.TemporaryDirectory(prefix="mistudio-bench-") as home:
        os.environ |= {"MISTUDIO_HOME": home, "MISTUDIO_PORT": "0"}
        settings = Settings(home=Path(home))
        state = control.start_stack(settings, lambda _text: None)
        get_settings.cache_clear()
        try:
            yield settings, str(state.url)
        finally:
            reset_engine()
            reset_publisher()
            control.stop_stack(settings, lambda _text: None)


def process_of(settings: Settings, name: str) -> psutil.Process:
    state = control.running_stack(settings)
    assert state is not None
    return psutil.Process(next(p.pid for p in state.processes if p.name == name))


def memory_of(settings: Settings) -> dict[str, int]:
    """Proportional set sizes in bytes: pages that processes share are counted once."""
    supervisor = process_of(settings, "api").parent()
    while supervisor is not None and "app.supervisor.daemon" not in supervisor.cmdline():
        supervisor = supervisor.parent()
    assert supervisor is not None
    found: dict[str, int] = {}
    for process in (supervisor, *supervisor.children(recursive=True)):
        found[process.name()] = found.get(process.name(), 0) + process.memory_full_info().pss
    return found


class Client:
    """The steps before a training, over REST."""

    def __init__(self, address: str) -> None:
        self._http = httpx.Client(base_url=f"{address}/api/v1", timeout=300)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        answer = self._http.post(path, json=body)
        answer.raise_for_status()
        return answer.json()["data"]

    def get(self, path: str) -> Any:
        return self._http.get(path).raise_for_status().json()["data"]

    def finish(self, accepted: dict[str, Any]) -> str:
        while (job := self.get(f"/jobs/{accepted['job_id']}"))["state"] != "succeeded":
            if job["state"] in {"failed", "cancelled"}:
                raise RuntimeError(job["error_message"])
            time.sleep(0.2)
        return str(job["resource_id"])

    def cursors(self, table: str) -> list[str]:
        """Where the first pages end, as the page scrolls through them."""
        found: list[str] = []
        while len(found) < PAGES:
            path = f"{table}&cursor={found[-1]}" if found else table
            answer = self._http.get(path).raise_for_status().json()
            found.append(quote(answer["pagination"]["next_cursor"]))
        return found

    def start_training(self) -> str:
        """A training that does not end by itself; returns its job when it has begun."""
        model = self.post("/models/import", {"path": str(GLASS), "name": "glass"})
        docs = {"builtin": "python-docs", "name": "docs", "max_documents": 200}
        dataset = self.post("/datasets/import", docs)
        ids = {"model_id": self.finish(model), "dataset_id": self.finish(dataset)}
        store = self.post("/activations/extract", {**ids, "layers": [2], "max_tokens": 100_000})
        body = {**ids, "activation_id": self.finish(store), "hyperparameters": SETTINGS}
        created = self.post("/trainings", body)
        while self.get(f"/trainings/{created['training_id']}")["current_step"] < 20:
            time.sleep(0.2)
        return str(created["job_id"])


def print_load(name: str, load: Load, processor: float) -> None:
    failures = f"  {load.failures} FAILED" if load.failures else ""
    print(
        f"{name:<44}{load.per_second:>8,.0f}/s{load.median_ms:>9.1f}{load.p95_ms:>9.1f}"
        f"{1000 * processor / load.requests:>9.2f}{failures}"
    )


def measure(address: str, paths: dict[str, list[str]], api: psutil.Process) -> None:
    print(f"{'':<44}{'':>10}{'median':>9}{'p95 ms':>9}{'CPU ms':>9}")
    for name, asked in paths.items():
        for clients in (1, 4):
            ask_for(address, asked, clients=clients, seconds=1)
            before = sum(api.cpu_times()[:2])
            load = ask_for(address, asked, clients=clients, seconds=6)
            spent = sum(api.cpu_times()[:2]) - before
            print_load(f"{name}, {clients} at once", load, spent)


def measure_sockets(address: str, clients: int) -> None:
    training_id = uuid4()
    crowd = asyncio.run(
        run_crowd(
            address,
            f"training:{training_id}",
            lambda seq: publish(progress(training_id, seq)),
            clients=clients,
            events=30,
            per_second=2,
        )
    )
    print(
        f"{f'{clients} sockets, 2 events/s each':<44}{crowd.lost(clients):>8} lost"
        f"{crowd.p95_ms():>12.1f} ms p95"
    )


def paths_of(client: Client, training_id: UUID, ids: list[int]) -> dict[str, list[str]]:
    job_id = client.get("/jobs?limit=1")[0]["id"]
    table = f"/features?training_id={training_id}&limit=50"
    return {
        "one job": [f"/api/v1/jobs/{job_id}"],
        "one feature": [f"/api/v1/features/{number}" for number in ids[:2000]],
        "50 of all features, by cursor": [
            f"/api/v1{table}&cursor={cursor}" for cursor in client.cursors(table)
        ],
        "50 of all features, by number": [
            f"/api/v1{table}&page={page}" for page in range(1, PAGES)
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=int, default=131_072)
    parser.add_argument("--sockets", type=int, default=500)
    options = parser.parse_args()
    with running_stack() as (settings, address):
        time.sleep(IDLE_SECONDS)
        parts = memory_of(settings)
        listed = ", ".join(f"{name} {size / 1e6:.0f}" for name, size in sorted(parts.items()))
        print(f"\nIdle: {sum(parts.values()) / 1e6:,.0f} MB in all ({listed})")
        training_id = database.make_training()
        ids = database.load(training_id, options.features, 1)
        client = Client(address)
        api = process_of(settings, "api")
        job_id = client.start_training()
        client.post(f"/jobs/{job_id}/pause", {})
        paths = paths_of(client, training_id, ids)
        print(f"\nThe API alone, load average {os.getloadavg()[0]:.1f}")
        measure(address, paths, api)
        measure_sockets(address, options.sockets)
        client.post(f"/jobs/{job_id}/resume", {})
        while client.get(f"/jobs/{job_id}")["state"] != "running":
            time.sleep(0.2)
        print(f"\nWhile a training runs, load average {os.getloadavg()[0]:.1f}")
        measure(address, paths, api)
        measure_sockets(address, options.sockets)
        client.post(f"/jobs/{job_id}/cancel", {})


if __name__ == "__main__":
    main()
