"""An embedded PostgreSQL: one data folder, one loopback port, started and stopped by us."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2

from app.supervisor import binaries, launch, ports
from app.supervisor.postgres_cluster import (
    USER,
    PostgresFailed,
    clear_stale_lock,
    create_cluster,
)
from app.supervisor.private_files import make_private_folder, own_tree, read_tail, write_private

START_TIMEOUT_SECONDS = 120.0  # crash recovery on a slow SD card takes longer than a start does
STOP_TIMEOUT_SECONDS = 30.0
DATABASE = "mistudio"
MAX_SOCKET_PATH_BYTES = 107
# Seen in 4 of 12 restarts right after kill -9: the old backends need about 0.1 s to leave, and
# seconds on a busy machine.
_TRANSIENT_SECONDS = 30.0
_TRANSIENT_FAILURES = ("pre-existing shared memory block", "could not create lock file")


@dataclass
class PostgresServer:
    """A PostgreSQL in ``home/postgres`` with its log in ``home/logs/postgres.log``."""

    home: Path
    port: int
    password: str = field(repr=False)
    process: subprocess.Popen[bytes] | None = None
    name: str = "postgres"

    @property
    def url(self) -> str:
        """SQLAlchemy and libpq address of the database ``mistudio``."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        return f"postgresql://{USER}:{self.password}@{ports.LOOPBACK}:{self.port}/{database}"

    @property
    def data_folder(self) -> Path:
        return self.home / "postgres"

    @property
    def log_path(self) -> Path:
        return self.home / "logs" / "postgres.log"

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_ready(self) -> bool:
        """Whether the server answers a query now."""
        try:
            connection = psycopg2.connect(self.url_of("postgres"), connect_timeout=2)
        except psycopg2.OperationalError:
            return False
        connection.close()
        return True

    def start(self) -> None:
        """Start on the same port and wait until the server answers; recovers from any crash.

        Raises:
            PostgresFailed: it did not answer within ``START_TIMEOUT_SECONDS``.
        """
        if self.is_running():
            return
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        retry_until = time.monotonic() + _TRANSIENT_SECONDS
        while True:
            offset = self.log_path.stat().st_size if self.log_path.exists() else 0
            self.spawn()
            if self._wait_until_ready(deadline):
                break
            said = read_tail(self.log_path, start=offset)
            if time.monotonic() < retry_until and any(text in said for text in _TRANSIENT_FAILURES):
                time.sleep(0.1)
                continue
            self.stop()
            raise PostgresFailed(f"PostgreSQL did not start. Its log ends with:\n{said}")
        self._ensure_database()

    def spawn(self) -> None:
        """Launch the server without waiting (the supervisor's restart uses this)."""
        bin_folder = binaries.find_postgres_bin()
        identity, owner = launch.choose_identity(bin_folder / "postgres")
        own_tree(self.data_folder, owner)
        clear_stale_lock(self.data_folder)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [bin_folder / "postgres", "-D", self.data_folder, *self._settings()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                # SIGINT is PostgreSQL's fast shutdown: it closes cleanly when we are killed.
                preexec_fn=launch.chain(identity, launch.die_with_parent(signal.SIGINT)),
            )

    def stop(self, timeout_seconds: float = STOP_TIMEOUT_SECONDS) -> None:
        """Fast shutdown (open transactions roll back), then immediate, then kill."""
        if self.process is None:
            return
        for number, patience in (
            (signal.SIGINT, timeout_seconds),
            (signal.SIGQUIT, 10.0),
            (signal.SIGKILL, 10.0),
        ):
            if self.process.poll() is not None:
                break
            self.process.send_signal(number)
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        self.process = None

    def _settings(self) -> list[str]:
        run_folder = self.home / "run"
        socket_path = run_folder / f".s.PGSQL.{self.port}"
        # The socket serves a person with psql; a path that is too long would stop the start.
        fits = len(os.fsencode(socket_path)) <= MAX_SOCKET_PATH_BYTES
        as_root = os.geteuid() == 0
        settings = {
            "port": str(self.port),
            "listen_addresses": ports.LOOPBACK,
            "unix_socket_directories": str(run_folder) if fits and not as_root else "",
            "max_connections": "120",
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] ",
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _wait_until_ready(self, deadline: float) -> bool:
        while time.monotonic() < deadline and self.is_running():
            if self.is_ready():
                return True
            time.sleep(0.03)
        return False

    def _ensure_database(self) -> None:
        connection = psycopg2.connect(self.url_of("postgres"))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
                if cursor.fetchone() is None:
                    cursor.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            connection.close()


def prepare_postgres(home: Path) -> PostgresServer:
    """Create the cluster on first use and choose a free loopback port; nothing runs yet.

    The port and the password are remembered in the home, so addresses stay valid over restarts.

    Raises:
        PostgresFailed: the cluster could not be created.
        BinaryMissing: no PostgreSQL is installed.
    """
    home = home.absolute()
    for folder in (home, home / "run", home / "logs"):
        make_private_folder(folder)
    password_file = home / "run" / "postgres.password"
    if not (home / "postgres" / "PG_VERSION").exists():
        create_cluster(home, password_file)
    port_file = home / "run" / "postgres.port"
    remembered = int(port_file.read_text(encoding="ascii")) if port_file.exists() else None
    server = PostgresServer(
        home=home,
        port=ports.pick_port(remembered),
        password=password_file.read_text(encoding="ascii").strip(),
    )
    write_private(port_file, str(server.port))
    return server


def start_postgres(home: Path) -> PostgresServer:
    """Prepare and start.

    Raises:
        PostgresFailed: the cluster could not be created or started.
        BinaryMissing: no PostgreSQL is installed.
    """
    server = prepare_postgres(home)
    server.start()
    return server
