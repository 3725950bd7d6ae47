"""One installation's life through the program: up, twice, accidents, kill -9, up again, down.

The tests run in this order on one stack, as one person would do it; each finds it running.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg2
import pytest
from typer.testing import CliRunner, Result

from app.cli.main import app
from app.cli.running_jobs import read_running_jobs
from app.core.config import Settings, get_settings
from app.supervisor.control import running_stack, stop_stack
from app.supervisor.leftovers import find_leftovers
from app.supervisor.postgres_cluster import processes_in
from app.supervisor.state import StackState
from tests.fixtures.rig import wait_for

PROGRAMS = {
    *("postgres", "valkey", "api", "sweeper"),
    *(f"worker-{queue}" for queue in ("training", "extraction", "analysis", "downloads")),
    "worker-steering",
}
ANSWER_SECONDS = 120
pytestmark = pytest.mark.slow


def mistudio(*arguments: str) -> Result:
    answer = CliRunner().invoke(app, arguments)
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exc_info
    return answer


def spoken(answer: Result) -> str:
    """The output in one line: a narrow terminal breaks it anywhere."""
    return " ".join(answer.output.split())


@pytest.fixture(scope="module")
def home(
    bare_environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("life")
    bare_environment.setenv("MISTUDIO_HOME", str(home))
    bare_environment.setenv("MISTUDIO_PORT", "0")
    bare_environment.setenv("OMP_NUM_THREADS", "1")
    get_settings.cache_clear()
    yield home
    stop_stack(Settings(home=home), lambda _: None)


@pytest.fixture(scope="module")
def first_up(home: Path) -> Result:
    assert spoken(mistudio("status")) == "Not running. Start it with: make up"
    return mistudio("up")


@pytest.fixture
def state(first_up: Result, home: Path) -> StackState:
    assert first_up.exit_code == 0, first_up.output
    return current(home)


def current(home: Path) -> StackState:
    state = running_stack(Settings(home=home))
    assert state is not None
    return state


def pids(state: StackState) -> dict[str, int]:
    return {item.name: item.pid for item in state.processes if item.pid is not None}


def family(state: StackState) -> list[psutil.Process]:
    """The supervisor and all that it and its children started."""
    supervisor = psutil.Process(state.pid)
    return [supervisor, *supervisor.children(recursive=True)]


def is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_up_starts_everything_and_says_where_it_is(state: StackState, first_up: Result) -> None:
    assert set(pids(state)) == PROGRAMS
    assert f"MechInterp Studio runs at {state.page_url}" in spoken(first_up)
    assert f"{len(PROGRAMS)} processes started in" in spoken(first_up)
    ready = httpx.get(f"{state.url}/api/v1/health/ready", timeout=ANSWER_SECONDS)
    assert ready.status_code == 200


def test_nobody_else_reads_addresses_and_passwords(state: StackState, home: Path) -> None:
    assert state.database_url is not None
    assert (home / "run" / "services.json").stat().st_mode & 0o777 == 0o600
    assert (home / "run").stat().st_mode & 0o777 == 0o700
    shown = [" ".join(process.cmdline()) for process in family(state)]
    for address in (state.database_url, str(state.redis_url)):
        password = address.split("@")[0].rsplit(":", 1)[1]
        assert not any(password in command for command in shown)


def test_a_second_up_changes_nothing(state: StackState, home: Path) -> None:
    answer = mistudio("up")

    assert (answer.exit_code, spoken(answer)) == (0, f"✓ Already running: {state.page_url}")
    assert pids(current(home)) == pids(state)


def test_dev_does_not_start_beside_it(state: StackState) -> None:
    answer = mistudio("dev")

    assert answer.exit_code == 1
    assert "make down" in answer.output


def test_status_shows_every_process_and_no_job(state: StackState) -> None:
    answer = mistudio("status")

    assert answer.exit_code == 0
    rows = {line.split()[0]: line.split() for line in answer.output.splitlines() if line.strip()}
    for name, pid in pids(state).items():
        assert rows[name][1:3] == [str(pid), "running"]
    assert "No job is running." in answer.output


def test_status_shows_a_job_that_waits_or_runs(state: StackState) -> None:
    body = {"builtin": "python-docs", "name": "manuals"}
    with httpx.Client(base_url=f"{state.url}/api/v1", timeout=ANSWER_SECONDS) as client:
        worker = pids(state)["worker-downloads"]
        os.kill(worker, signal.SIGSTOP)  # the job is not over before it is looked for
        try:
            accepted = client.post("/datasets/import", json=body).json()["data"]
            assert "dataset import" in mistudio("status").output
            client.post(f"/jobs/{accepted['job_id']}/cancel")
        finally:
            os.kill(worker, signal.SIGCONT)
    wait_for(lambda: read_running_jobs(str(state.url)) == [], "the job's end")


def test_an_api_that_does_not_answer_has_no_jobs_to_tell() -> None:
    assert read_running_jobs("http://127.0.0.1:1") is None


def test_doctor_and_migrate_ask_the_running_servers(state: StackState) -> None:
    answer = mistudio("doctor")
    assert f"the page is at {state.page_url}" in answer.output
    assert answer.output.count("answers") == 2

    answer = mistudio("migrate")
    assert (answer.exit_code, "stands at revision" in answer.output) == (0, True)


def test_a_killed_postgres_and_a_killed_worker_come_back(state: StackState, home: Path) -> None:
    killed = ("postgres", "worker-analysis")
    for name in killed:
        os.kill(pids(state)[name], signal.SIGKILL)

    def back() -> StackState | None:
        now = current(home)
        ready = [item for item in now.processes if item.name in killed and item.restarts >= 1]
        done = len(ready) == 2 and all(item.state == "running" for item in ready)
        return now if done and set(pids(now)) == PROGRAMS else None

    now = wait_for(back, "both again")

    assert now.database_url == state.database_url
    url = f"{now.url}/api/v1/health/ready"
    wait_for(lambda: httpx.get(url, timeout=ANSWER_SECONDS).status_code == 200, "readiness")


def test_a_killed_supervisor_leaves_nobody_and_the_next_up_recovers(
    state: StackState, home: Path
) -> None:
    words = "CREATE TABLE kept (word text); INSERT INTO kept VALUES ('still here')"
    with psycopg2.connect(state.database_url) as connection, connection.cursor() as cursor:
        cursor.execute(words)
    connection.close()
    before = family(state)

    os.kill(state.pid, signal.SIGKILL)

    wait_for(lambda: all(is_gone(process) for process in before), "everybody's end")
    answer = mistudio("status")
    assert (answer.exit_code, "it was killed" in answer.output) == (3, True)

    assert mistudio("up").exit_code == 0
    now = current(home)
    assert now.pid != state.pid
    assert now.database_url == state.database_url
    with psycopg2.connect(now.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT word FROM kept")
        assert cursor.fetchall() == [("still here",)]
    connection.close()


def test_down_leaves_no_process(state: StackState, home: Path) -> None:
    before = family(state)

    answer = mistudio("down")

    assert (answer.exit_code, "Your data stays in" in answer.output) == (0, True)
    assert [process for process in before if not is_gone(process)] == []
    assert find_leftovers(home) == []
    assert processes_in(home / "postgres") == []
    assert not (home / "run" / "services.json").exists()
    assert mistudio("status").exit_code == 3
    assert spoken(mistudio("down")) == "Nothing was running."
