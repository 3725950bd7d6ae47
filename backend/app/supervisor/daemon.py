"""The supervisor itself: starts the stack in order, keeps it alive, takes it down in order."""

import argparse
import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from types import FrameType

import psutil

from app.core.config import Settings, get_settings
from app.core.paths import ensure_home
from app.supervisor import stack
from app.supervisor.embedded import (
    BinaryMissing,
    PostgresFailed,
    PostgresServer,
    ValkeyFailed,
    ValkeyServer,
    prepare_postgres,
    prepare_valkey,
)
from app.supervisor.forked import Nursery
from app.supervisor.leftovers import clear_leftovers
from app.supervisor.logs import rotate_logs
from app.supervisor.private_files import read_tail
from app.supervisor.process import ChildProcess
from app.supervisor.schema_version import REFUSED_STATUS, is_up_to_date
from app.supervisor.state import HomeInUse, StackPhase, StackState, lock_home, write_state
from app.supervisor.unit import Unit

TICK_SECONDS = 0.25
STARTING_TICK_SECONDS = 0.05
READY_TIMEOUT_SECONDS = 120.0
_MIGRATION_TIMEOUT_SECONDS = 1800.0
_LOG_CHECK_SECONDS = 60.0
_CRASHES_AT_START = 4
_log = logging.getLogger("app.supervisor")


class StackFailed(Exception):
    """The stack could not be started; the message is for the person at the terminal."""


@dataclass
class Daemon:
    """One running stack. ``dev`` adds reload and Vite's server."""

    settings: Settings
    dev: bool = False
    servers: list[Unit] = field(default_factory=list)
    programs: list[Unit] = field(default_factory=list)
    nurseries: list[Nursery] = field(default_factory=list)
    _told_to_stop: bool = False
    _state: StackState = field(init=False)

    def __post_init__(self) -> None:
        me = psutil.Process()
        self._state = StackState(
            pid=me.pid,
            pid_created_at=me.create_time(),
            phase=StackPhase.STARTING,
            message="starting",
            started_at=time.time(),
        )

    def run(self) -> None:
        """Start everything, supervise until told to stop, then stop everything.

        Raises:
            StackFailed: something could not be started; all that ran has been stopped again.
        """
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        try:
            self._start()
            self._supervise()
        except (BinaryMissing, PostgresFailed, ValkeyFailed, stack.PortTaken, OSError) as error:
            raise StackFailed(str(error)) from error
        finally:
            self._shut_down()

    def _start(self) -> None:
        self._publish(StackPhase.STARTING, "clearing what an earlier run left")
        clear_leftovers(self.settings.home)
        self._start_servers()
        if self._told_to_stop:
            return
        self._publish(StackPhase.STARTING, "bringing the database up to date")
        self._migrate()
        self._start_programs()
        self._close_nurseries()
        self._wait_until_ready()

    def _start_servers(self) -> None:
        """Addresses are known before the servers run, so the programs load their modules beside."""
        home = self.settings.home
        self._publish(StackPhase.STARTING, "starting PostgreSQL and Valkey")
        database_url, redis_url = self.settings.database_url, self.settings.redis_url
        servers: list[PostgresServer | ValkeyServer] = []
        if redis_url is None:
            servers.append(prepare_valkey(home))
            redis_url = servers[-1].url
        if database_url is None:
            servers.append(prepare_postgres(home))
            database_url = servers[-1].url
        self._publish(
            StackPhase.STARTING,
            "starting PostgreSQL and Valkey",
            database_url=database_url,
            redis_url=redis_url,
        )
        self._open_nurseries()
        for server in servers:
            self.servers.append(Unit(server))
            server.start()
            self.servers[-1].adopt()
        self._publish(StackPhase.STARTING, "servers run")

    def _open_nurseries(self) -> None:
        self.nurseries = [stack.worker_nursery(self.settings), stack.api_nursery(self.settings)]
        for nursery in self.nurseries:
            nursery.start()

    def _close_nurseries(self) -> None:
        for nursery in self.nurseries:
            nursery.close()

    def _migrate(self) -> None:
        """In a process of its own: the supervisor stays small and free of the database layer."""
        if is_up_to_date(self.settings.require_database_url()):
            return
        child = ChildProcess(
            name="migrate",
            command=[sys.executable, "-m", "app.supervisor.migrations"],
            home=self.settings.home,
            folder=stack.BACKEND_FOLDER,
            environment={"MISTUDIO_HOME": str(self.settings.home)},
        )
        child.spawn()
        if child.process is None:
            return
        try:
            code = child.process.wait(_MIGRATION_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            child.stop()
            code = -1
        if code == REFUSED_STATUS:
            raise StackFailed(read_tail(child.log_path).splitlines()[-1])
        if code != 0:
            raise StackFailed(f"The database could not be brought up to date; see {child.log_path}")

    def _start_programs(self) -> None:
        port = stack.choose_api_port(self.settings)
        url = stack.address(self.settings.host, port)
        page_url = url
        workers, api = self.nurseries
        self.programs = [
            stack.api_unit(self.settings, port, nursery=None if self.dev else api, reload=self.dev),
            *stack.worker_units(self.settings, workers),
        ]
        if self.dev:
            page_port = stack.choose_page_port()
            page_url = stack.address("127.0.0.1", page_port)
            self.programs.append(stack.page_unit(self.settings, port, page_port))
        self._publish(
            StackPhase.STARTING, "starting the API and the workers", url=url, page_url=page_url
        )
        for unit in reversed(self.programs):  # the workers' modules are loaded before the API's
            if self._told_to_stop:
                return
            unit.start()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        while not self._told_to_stop:
            self._tick()
            slow = [unit.name for unit in self.programs if not unit.is_ready]
            if not slow:
                self._publish(StackPhase.READY, "everything runs")
                return
            self._give_up_on_crash_loops()
            if time.monotonic() > deadline:
                raise StackFailed(
                    f"{', '.join(slow)} did not start within {READY_TIMEOUT_SECONDS:.0f} s; "
                    f"see {self.settings.logs_dir}"
                )
            time.sleep(STARTING_TICK_SECONDS)

    def _give_up_on_crash_loops(self) -> None:
        """A program that ends again and again before it ever ran is not mended by waiting."""
        for unit in self.programs:
            if unit.failures >= _CRASHES_AT_START:
                log = unit.target.log_path
                raise StackFailed(
                    f"{unit.name} does not start. Its log {log} ends with:\n{read_tail(log)}"
                )

    def _supervise(self) -> None:
        next_log_check = 0.0
        while not self._told_to_stop:
            self._tick()
            if time.monotonic() > next_log_check:
                rotate_logs(self.settings.logs_dir)
                next_log_check = time.monotonic() + _LOG_CHECK_SECONDS
            time.sleep(TICK_SECONDS)

    def _tick(self) -> None:
        for unit in (*self.servers, *self.programs):
            unit.tick()
        self._publish(self._state.phase, self._state.message)

    def _shut_down(self) -> None:
        """Workers first and together (each may be saving a job), then the API, then the servers."""
        self._publish(StackPhase.STOPPING, "stopping; running jobs save themselves")
        self._close_nurseries()
        for unit in self.programs:
            if isinstance(unit.target, ChildProcess) and unit.name != "api":
                unit.target.ask_to_stop()
        for unit in reversed(self.programs):
            unit.stop()
        for unit in reversed(self.servers):
            unit.stop()
        clear_leftovers(self.settings.home)

    def _publish(self, phase: StackPhase, message: str, **changes: str) -> None:
        """Write services.json when something in it has changed."""
        units = [unit.describe() for unit in (*self.servers, *self.programs)]
        state = StackState(
            **{
                **vars(self._state),
                **changes,
                "phase": phase,
                "message": message,
                "processes": units,
            }
        )
        if state != self._state:
            write_state(self.settings.services_file, state)
            self._state = state

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        _log.info("received %s", signal.Signals(number).name)
        self._told_to_stop = True

    def fail(self, message: str) -> None:
        """Leave the reason where `mistudio up` and `mistudio status` find it."""
        self._publish(StackPhase.FAILED, message)


def main(arguments: list[str] | None = None) -> int:
    """Entry point of ``python -m app.supervisor.daemon``; runs until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dev", action="store_true")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = get_settings()
    ensure_home(settings.home)
    try:
        lock = lock_home(settings.run_dir)
    except HomeInUse as error:
        _log.error("%s", error)
        return 1
    daemon = Daemon(settings, dev=options.dev)
    try:
        daemon.run()
    except StackFailed as error:
        _log.error("%s", error)
        daemon.fail(str(error))
        return 1
    finally:
        os.close(lock)
    settings.services_file.unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
