"""Which processes make up the stack, and with which commands."""

import sys
from pathlib import Path

from app.core.config import Settings
from app.supervisor import ports
from app.supervisor.forked import Nursery
from app.supervisor.probe import answers
from app.supervisor.process import ChildProcess
from app.supervisor.unit import Unit

BACKEND_FOLDER = Path(__file__).resolve().parents[2]
FRONTEND_FOLDER = BACKEND_FOLDER.parent / "frontend"

# Queue and slots of each Celery worker. Separate queues instead of priorities: on Redis priority 0
# is the highest, and a long training must not keep a download waiting.
WORKER_SLOTS = {"training": 1, "extraction": 1, "analysis": 2, "downloads": 2, "steering": 1}

# What the programs import, also what Celery and uvicorn import late. Each worker costs 2 s of
# processor time this way only once, and both are loaded while the servers start.
WORKER_MODULES = (
    *("app.workers.celery_app", "app.workers.sweeper", "celery.__main__", "celery.bin.worker"),
    *("celery.apps.worker", "celery.concurrency.prefork", "celery.worker.components"),
    *("celery.worker.consumer", "celery.worker.autoscale", "kombu.transport.redis"),
)
API_MODULES = (
    *("app.main", "uvicorn.main", "uvicorn.lifespan.on", "uvicorn.loops.auto"),
    *("app.api.connection", "uvicorn.protocols.websockets.auto"),
)

# A worker asked to leave lets its jobs write a checkpoint (Settings.stop_grace) before it goes.
_WORKER_STOP_MARGIN_SECONDS = 15.0
_API_HANG_SECONDS = 60.0
HTTP_PROTOCOL = "app.api.connection:BoundedHead"
_DEV_PAGE_PORT = 5173


class PortTaken(Exception):
    """The port that was asked for belongs to another program."""


def choose_api_port(settings: Settings) -> int:
    """The port of the settings; unless it was set on purpose, the next free one when taken.

    Raises:
        PortTaken: MISTUDIO_PORT names a port that another program holds.
    """
    host = settings.host
    if "port" not in settings.model_fields_set:
        return ports.next_free_port(settings.port, host)
    if settings.port == 0:
        return ports.pick_port()
    if not ports.is_free(settings.port, host):
        raise PortTaken(
            f"Port {settings.port} is taken by another program. Free it, choose another with "
            "MISTUDIO_PORT=…, or leave MISTUDIO_PORT unset to take the next free one."
        )
    return settings.port


def address(host: str, port: int) -> str:
    """What a browser on this machine opens."""
    name = "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


# The access token is the API's alone.
NO_TOKEN = {"MISTUDIO_TOKEN": ""}


def worker_nursery(settings: Settings) -> Nursery:
    environment = _environment(settings) | NO_TOKEN
    return Nursery(WORKER_MODULES, settings.home, BACKEND_FOLDER, environment)


def api_nursery(settings: Settings) -> Nursery:
    return Nursery(API_MODULES, settings.home, BACKEND_FOLDER, _environment(settings))


def worker_units(settings: Settings, nursery: Nursery | None = None) -> list[Unit]:
    """One Celery worker for each queue, and the sweeper that re-publishes what was lost."""
    grace = settings.stop_grace.total_seconds() + _WORKER_STOP_MARGIN_SECONDS
    units = [
        Unit(
            _python(
                settings,
                f"worker-{queue}",
                _celery_worker(queue, slots),
                environment=NO_TOKEN,
                nursery=nursery,
                stop_timeout_seconds=grace,
            )
        )
        for queue, slots in WORKER_SLOTS.items()
    ]
    sweeper = _python(
        settings, "sweeper", ["app.workers.sweeper"], environment=NO_TOKEN, nursery=nursery
    )
    return [*units, Unit(sweeper)]


def _celery_worker(queue: str, slots: int) -> list[str]:
    command = ["celery", "--app", "app.workers.celery_app", "worker", "--queues", queue]
    options = ["--concurrency", str(slots), "--hostname", f"{queue}@%h", "--loglevel", "INFO"]
    return [*command, *options, "--without-gossip", "--without-mingle"]


def api_unit(
    settings: Settings, port: int, *, nursery: Nursery | None = None, reload: bool = False
) -> Unit:
    """The API with Socket.IO and, in the native installation, the built page."""
    base = address(settings.host, port)
    options = ["--host", settings.host, "--port", str(port), "--no-access-log"]
    options += ["--timeout-graceful-shutdown", "5", "--http", HTTP_PROTOCOL]
    environment = {"MISTUDIO_PORT": str(port)}
    if reload:
        options += ["--reload", "--reload-dir", str(BACKEND_FOLDER / "app")]
        environment["MISTUDIO_LOG_JSON"] = "false"  # a person reads them
    child = _python(
        settings,
        "api",
        ["uvicorn", "app.main:create_app", "--factory", *options],
        environment=environment,
        nursery=nursery,
    )
    child.probe = lambda: answers(f"{base}/api/v1/health/live")
    return Unit(child, hang_after_seconds=_API_HANG_SECONDS)


def page_unit(settings: Settings, api_port: int, page_port: int) -> Unit:
    """Vite's development server, which forwards the API's paths."""
    command = ["npm", "run", "dev", "--", "--port", str(page_port), "--strictPort"]
    child = ChildProcess(
        name="page",
        command=[*command, "--host", ports.LOOPBACK],
        home=settings.home,
        folder=FRONTEND_FOLDER,
        environment={"MISTUDIO_URL": address(settings.host, api_port)},
    )
    child.probe = lambda: ports.is_listening(page_port)
    return Unit(child)


def choose_page_port() -> int:
    return ports.next_free_port(_DEV_PAGE_PORT)


def _python(
    settings: Settings,
    name: str,
    module: list[str],
    *,
    environment: dict[str, str] | None = None,
    nursery: Nursery | None = None,
    stop_timeout_seconds: float = 15.0,
) -> ChildProcess:
    return ChildProcess(
        name=name,
        command=[sys.executable, "-m", *module],
        home=settings.home,
        folder=BACKEND_FOLDER,
        environment=_environment(settings) | (environment or {}),
        nursery=nursery,
        stop_timeout_seconds=stop_timeout_seconds,
    )


def _environment(settings: Settings) -> dict[str, str]:
    return {"MISTUDIO_HOME": str(settings.home), "PYTHONUNBUFFERED": "1"}
