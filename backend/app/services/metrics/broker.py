"""Redis, the queues in it, and what processes counted there."""

from typing import Any

from prometheus_client.core import Metric

from app.core.config import Settings
from app.services import counters, outbox
from app.services.counters import Count
from app.services.metrics.families import counter, gauge
from app.services.shared_redis import brief_redis

TEXTS: dict[Count, tuple[str, str]] = {
    Count.DUPLICATE_DELIVERIES: ("Messages of jobs that were claimed already", ""),
    Count.MESSAGES_SENT_AGAIN: ("Messages that the broker had lost", ""),
    Count.OWNERS_LOST: ("Jobs whose process was gone", ""),
    Count.CANCELS: ("Running jobs that ended because somebody wished it", ""),
    Count.CANCEL_SECONDS: ("Time from the wish to the end", ""),
    Count.CHILDREN_KILLED: ("Processes of jobs that a signal ended", "signal"),
    Count.CHECKPOINT_SAVES: ("Checkpoints written", ""),
    Count.CHECKPOINT_SECONDS: ("Time spent writing them", ""),
    Count.CHECKPOINT_BYTES: ("Size of those", ""),
    Count.CHECKPOINT_FAILURES: ("Checkpoints that could not be written", ""),
    Count.WRITE_ERRORS: ("Attempts that a full disk ended", "kind"),
    Count.EVENTS_DROPPED: ("Events for the page that Redis did not take", ""),
    Count.CHECKPOINTS_DAMAGED: ("Checkpoints passed over at a resume", ""),
}


def collect(settings: Settings) -> list[Metric]:
    with brief_redis(settings) as client:
        facts: dict[str, Any] = client.info()
        waiting = {name: client.llen(key) for name, key in outbox.broker_keys().items()}
    return [
        gauge("redis_memory_bytes", "Memory of Redis", [], [([], facts["used_memory"])]),
        gauge("redis_clients", "Connections to it", [], [([], facts["connected_clients"])]),
        gauge("redis_append_only", "Whether it writes a log", [], [([], facts["aof_enabled"])]),
        gauge("redis_append_only_ok", "Whether its last write went well", [],
              [([], facts.get("aof_last_write_status") == "ok")]),
        counter("redis_evicted_keys", "Keys thrown out for want of memory", [],
                [([], facts["evicted_keys"])]),
        counter("redis_rejected_connections", "Connections refused", [],
                [([], facts["rejected_connections"])]),
        gauge("mistudio_queue_messages", "Messages that wait", ["queue"],
              [([name], number) for name, number in waiting.items()]),
        *_counted(),
    ]  # fmt: skip


def _counted() -> list[Metric]:
    found = counters.read()
    families: list[Metric] = []
    for count, (text, label) in TEXTS.items():
        samples = [([given] if label else [], number) for c, given, number in found if c is count]
        name = f"mistudio_{count}"
        families.append(counter(name, text, [label] if label else [], samples or _zero(label)))
    return families


def _zero(label: str) -> list[tuple[list[str], float]]:
    return [] if label else [([], 0.0)]
