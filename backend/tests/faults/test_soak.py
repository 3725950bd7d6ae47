"""Short jobs for minutes, a random fault every 20 s: nothing grows.

``make soak MINUTES=10``. What is compared is the idle product before and after, both with every
program restarted alone: the copies of a loaded process that a start makes share most of their
memory, a program that crashed comes back without (658 MB became 802 MB by that alone).
"""

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import psutil
import pytest
import redis
from sqlalchemy import text

from app.supervisor.control import running_stack
from tests.fixtures.invariants import find_broken
from tests.fixtures.product import Product, number_from_environment
from tests.fixtures.rig import wait_for
from tests.fixtures.stack import Refused

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.faults]
SECONDS = 60 * number_from_environment("SOAK_MINUTES", 10)
FAULT_EVERY_SECONDS = 20.0
VICTIMS = ("worker-analysis", "worker-downloads", "sweeper", "valkey", "postgres", "api")
# Of idle figures: connections and descriptors come and go by a few. What PostgreSQL's processes
# hold open is shown and not judged: each keeps the files of the tables that it has read, up to all
# of them, and a pooled connection reads more of them the longer it lives.
LIMITS = {"memory_bytes": 1.2, "descriptors": 1.1, "connections": 1.3, "keys": 1.0, "files": 1.0}


@dataclass(frozen=True)
class Figures:
    memory_bytes: int
    descriptors: int
    database_descriptors: int
    connections: int
    keys: int
    files: int


def measure(product: Product) -> Figures:
    """The whole product at rest."""
    processes = product.processes()
    with product.session() as session:
        connections = session.scalar(text("SELECT count(*) FROM pg_stat_activity")) or 0
    with redis.Redis.from_url(product.settings.require_redis_url()) as broker:
        keys = broker.dbsize()
    # Memory that several processes share is counted once, by its share.
    return Figures(
        memory_bytes=sum(process.memory_full_info().pss for process in processes),
        descriptors=sum(p.num_fds() for p in processes if p.name() != "postgres"),
        database_descriptors=sum(p.num_fds() for p in processes if p.name() == "postgres"),
        connections=connections,
        keys=keys,
        files=sum(1 for path in product.settings.data_root.rglob("*") if path.is_file()),
    )


def short_job(product: Product) -> None:
    """Import a few documents and delete them again."""
    stack = product.stack
    body = {"builtin": "python-docs", "name": "soak", "max_documents": 5}
    dataset = stack.succeed(stack.post("/datasets/import", body))
    stack.succeed(stack.call("DELETE", f"/datasets/{dataset}"))


def kill(product: Product, random_: random.Random) -> str:
    victim = random_.choice(VICTIMS)
    os.kill(product.stack.pid_of(victim), signal.SIGKILL)
    return victim


def restart(product: Product, victim: str) -> None:
    """Kill one program and wait until the supervisor has replaced it."""
    before = product.stack.pid_of(victim)
    os.kill(before, signal.SIGKILL)

    def is_replaced() -> bool:
        state = running_stack(product.settings)
        found = [p.pid for p in state.processes if p.name == victim] if state else []
        return bool(found and found[0] not in {None, before})

    wait_for(is_replaced, f"another {victim}", seconds=60)
    product.wait_until_whole()


def patiently(work: Callable[[], None]) -> bool:
    """The API itself may be the victim: a request that it did not answer is no fault of a job."""
    try:
        work()
    except (Refused, OSError, psutil.Error):
        return False
    except Exception as error:
        if type(error).__module__.startswith("httpx"):
            return False
        raise
    return True


def test_nothing_grows(product: Product) -> None:
    random_ = random.Random(1)
    for victim in VICTIMS:
        restart(product, victim)
    for _ in range(3):
        short_job(product)
    at_rest(product)
    before = measure(product)
    began = next_fault = time.monotonic()
    done, faults = 0, []
    while time.monotonic() - began < SECONDS:
        if time.monotonic() >= next_fault:
            next_fault = time.monotonic() + FAULT_EVERY_SECONDS
            patiently(lambda: faults.append(kill(product, random_)))
        done += patiently(lambda: short_job(product))
    at_rest(product)
    after = measure(product)
    print(f"\n{done} pairs of jobs, {len(faults)} faults: {', '.join(faults)}")
    for name, first in asdict(before).items():
        print(f"  {name:<14} {first:>14,} → {asdict(after)[name]:>14,}")
    grown = [
        name for name, limit in LIMITS.items() if asdict(after)[name] > limit * asdict(before)[name]
    ]
    assert grown == []


def at_rest(product: Product) -> None:
    """Everything runs, no job does, nothing is left over; idle connections are given back."""
    product.wait_until_whole()

    def is_quiet() -> bool:
        jobs = product.stack.get("/jobs?limit=200")
        return all(job["finished_at"] is not None for job in jobs)

    def holds() -> bool:
        with product.session() as session:
            return not find_broken(session, product.settings)

    wait_for(is_quiet, "no job left", seconds=120)
    for dataset in product.stack.get("/datasets?limit=200"):  # of a pair that a fault cut in two
        product.stack.succeed(product.stack.call("DELETE", f"/datasets/{dataset['id']}"))
    wait_for(holds, "every invariant", seconds=60)
    time.sleep(10)
