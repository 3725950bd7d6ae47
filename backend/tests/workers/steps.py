"""What tests with the sample task do again and again."""

from pathlib import Path
from uuid import UUID

from app.core.enums import JobState
from tests.fixtures.rig import Rig, wait_for


def lines(files: dict[str, str]) -> list[str]:
    trace = Path(files["trace"])
    return trace.read_text().splitlines() if trace.exists() else []


def running(rig: Rig, files: dict[str, str], job_id: UUID, attempt: int = 1) -> None:
    """Wait until the task itself is at work."""
    rig.wait_state(job_id, JobState.RUNNING, attempt=attempt)
    wait_for(lambda: str(attempt) in lines(files), "task at work")


def release(files: dict[str, str]) -> None:
    Path(files["release"]).touch()
