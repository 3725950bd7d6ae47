"""The warm process that answers steering jobs, usually a copy of the nursery.

``python -m app.workers.steering_server PARENT_PID`` starts it the long way.

One JSON object per line. In: ``{"run": job_id, "attempt": n}`` and
``{"request": "cancel", "by_shutdown": false}``. Out: ``{"outcome": {...}}`` per job. It leaves by
itself after a while without work, which gives all memory back, and when its stdin ends.
"""

import json
import os
import queue
import sys
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import IO, Any, cast
from uuid import UUID

from app.core.config import Settings, get_settings
from app.core.enums import ErrorCode, JobAction, JobKind
from app.core.logging import configure_logging
from app.core.memory import read_memory
from app.workers import child
from app.workers.context import JobContext, JobOutcome, StopSignal
from app.workers.giving_way import going_first
from app.workers.lifeline import die_with_parent
from app.workers.model_cache import ModelCache
from app.workers.outcome import Outcome
from app.workers.queues import GOING_FIRST
from app.workers.tasks import WARM_TASKS, extra_tasks, load

CACHE_SHARE_OF_MEMORY = 0.4
MEMORY_CODES = frozenset({ErrorCode.GPU_OOM, ErrorCode.OUT_OF_MEMORY})

Handler = Callable[[JobContext, ModelCache], JobOutcome]


class SteeringServer:
    """Runs one job at a time; requests reach it while it runs."""

    def __init__(self, settings: Settings, commands: IO[str], answers: IO[str]) -> None:
        self._settings = settings
        self._commands = commands
        self._answers = answers
        self._jobs: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._stop = StopSignal()
        self._cache = ModelCache(int(read_memory().total * CACHE_SHARE_OF_MEMORY))

    def serve(self) -> None:
        """Answer jobs until stdin ends or nothing came for ``steering_idle_unload``."""
        threading.Thread(target=self._read, name="commands", daemon=True).start()
        idle_seconds = self._settings.steering_idle_unload.total_seconds()
        while True:
            try:
                command = self._jobs.get(timeout=idle_seconds)
            except queue.Empty:
                return
            if command is None:
                return
            outcome = self._run(UUID(command["run"]), int(command["attempt"]))
            self._answers.write(json.dumps({"outcome": outcome.to_json()}) + "\n")
            self._answers.flush()

    def _read(self) -> None:
        for line in self._commands:
            command = json.loads(line)
            if "request" in command:
                action = JobAction(command["request"])
                self._stop.set(action, by_shutdown=bool(command["by_shutdown"]))
            else:
                self._stop = StopSignal()
                self._jobs.put(command)
        self._jobs.put(None)

    def _run(self, job_id: UUID, attempt: int) -> Outcome:
        outcome = child.run(self._settings, job_id, attempt, self._stop, self._load)
        if outcome.failure is not None and outcome.failure.code in MEMORY_CODES:
            self._cache.clear()
        return outcome

    def _load(self, kind: JobKind) -> child.Task:
        handler = cast(Handler, load(extra_tasks().get(kind.value) or WARM_TASKS[kind]))

        def run(context: JobContext) -> JobOutcome:
            # What takes minutes must not hold a training down to a step a second meanwhile.
            first = kind in GOING_FIRST
            with going_first(self._settings.run_dir) if first else nullcontext():
                return handler(context, self._cache)

        return run


def main(_arguments: list[str]) -> int:
    """Serve until it is no longer needed; the exit status is 0."""
    settings = get_settings()
    configure_logging(settings, process="steering")
    # Libraries print to stdout; the protocol keeps the pipe to itself.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    SteeringServer(settings, sys.stdin, answers).serve()
    return 0


if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    sys.exit(main([]))
