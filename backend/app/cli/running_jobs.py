"""The jobs that run now, asked of the API."""

import httpx

from app.cli.console import format_duration
from app.core.config import access_headers

_RUNNING = ("starting", "running", "queued")


def read_running_jobs(url: str) -> list[str] | None:
    """One line for each job that runs or waits; None when the API does not answer."""
    try:
        response = httpx.get(
            f"{url}/api/v1/jobs", params={"limit": 100}, headers=access_headers(), timeout=10.0
        )
        response.raise_for_status()
    except httpx.HTTPError:
        return None
    jobs = [job for job in response.json()["data"] if job["state"] in _RUNNING]
    return [_describe(job) for job in jobs]


def _describe(job: dict[str, object]) -> str:
    parts = [str(job["kind"]).replace("_", " "), str(job["state"])]
    progress, eta = job.get("progress"), job.get("eta_seconds")
    if isinstance(progress, int | float) and job["state"] == "running":
        parts.append(f"{progress:.0f} %")
    if isinstance(eta, int | float):
        parts.append(f"{format_duration(eta)} left")
    if job.get("message"):
        parts.append(str(job["message"]))
    return " · ".join(parts)
