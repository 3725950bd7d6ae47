"""Waiting for a job, with its progress on the screen."""

import time
from collections.abc import Callable
from typing import Any

from app.cli.demo.api import Api, DemoFailed
from app.cli.demo.display import Step

Job = dict[str, Any]
POLL_SECONDS = 0.5
_ENDED = {"succeeded", "failed", "cancelled", "stopped", "paused"}


def follow(api: Api, job_id: str, step: Step, *, watch: Callable[[Job], bool] | None = None) -> Job:
    """Show the job until it ends.

    Args:
        api: Where it runs.
        job_id: Which job.
        step: The line on the screen.
        watch: Asked at every look; True leaves the job to itself.

    Returns:
        The job as it was seen last.

    Raises:
        DemoFailed: it failed or was cancelled; the message is the job's own.
    """
    while True:
        job: Job = api.get(f"/jobs/{job_id}")
        state = job["state"]
        step.show(job["progress"], job["message"] or state, job["eta_seconds"])
        if state == "succeeded" or (watch is not None and watch(job)):
            return job
        if state == "paused":
            raise DemoFailed(f"{step.title}: the job was paused. `make demo` resumes it.")
        if state in _ENDED:
            reason = job["error_message"] or f"the job was {state}"
            raise DemoFailed(f"{step.title}: {reason}")
        time.sleep(POLL_SECONDS)


def unfinished(summary: Job | None) -> str | None:
    """Id of a resource's job when it is still on its way."""
    if summary is None or summary["state"] in _ENDED - {"paused"}:
        return None
    return str(summary["id"])
