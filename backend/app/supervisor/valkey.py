"""An embedded Valkey (Redis protocol): append-only file, a password, one loopback port."""

import secrets
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import redis

from app.supervisor import binaries, launch, ports
from app.supervisor.private_files import make_private_folder, read_tail, write_private

START_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 15.0


class ValkeyFailed(Exception):
    """The server did not start; the message holds the end of its log."""


@dataclass
class ValkeyServer:
    """A Valkey in ``home/valkey`` with its log in ``home/logs/valkey.log``."""

    home: Path
    port: int
    password: str = field(repr=False)
    process: subprocess.Popen[bytes] | None = None
    name: str = "valkey"

    @property
    def url(self) -> str:
        """Address of database 0."""
        return f"redis://:{self.password}@{ports.LOOPBACK}:{self.port}/0"

    @property
    def data_folder(self) -> Path:
        return self.home / "valkey"

    @property
    def log_path(self) -> Path:
        return self.home / "logs" / "valkey.log"

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_ready(self) -> bool:
        """Whether the server answers now; false while it still loads its file."""
        client = redis.Redis.from_url(self.url, socket_connect_timeout=2, socket_timeout=2)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def start(self) -> None:
        """Start on the same port and wait until the server answers.

        Raises:
            ValkeyFailed: it did not answer within ``START_TIMEOUT_SECONDS``.
        """
        if self.is_running():
            return
        offset = self.log_path.stat().st_size if self.log_path.exists() else 0
        self.spawn()
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while time.monotonic() < deadline and self.is_running():
            if self.is_ready():
                return
            time.sleep(0.02)
        self.stop()
        said = read_tail(self.log_path, start=offset)
        raise ValkeyFailed(f"Valkey did not start. Its log ends with:\n{said}")

    def spawn(self) -> None:
        """Launch the server without waiting (the supervisor's restart uses this)."""
        config = self.data_folder / "valkey.conf"
        write_private(config, self._config())
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [binaries.find_valkey_server(), config],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data_folder,
                start_new_session=True,
                preexec_fn=launch.die_with_parent(signal.SIGTERM),
            )

    def stop(self, timeout_seconds: float = STOP_TIMEOUT_SECONDS) -> None:
        """Ask it to flush and leave, then kill."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _config(self) -> str:
        # The password stands in this private file and not among the arguments, which `ps` shows.
        # Eviction would delete the broker's bindings, and a failed snapshot would refuse writes.
        lines = (
            f"bind {ports.LOOPBACK}",
            f"port {self.port}",
            f"requirepass {self.password}",
            f'dir "{self.data_folder}"',
            "daemonize no",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            "stop-writes-on-bgsave-error no",
            "databases 16",
        )
        return "\n".join(lines) + "\n"


def prepare_valkey(home: Path) -> ValkeyServer:
    """Choose a free loopback port; data and password are kept in the home. Nothing runs yet."""
    home = home.absolute()
    for folder in (home, home / "run", home / "logs", home / "valkey"):
        make_private_folder(folder)
    password_file = home / "run" / "valkey.password"
    if not password_file.exists():
        write_private(password_file, secrets.token_urlsafe(24))
    port_file = home / "run" / "valkey.port"
    remembered = int(port_file.read_text(encoding="ascii")) if port_file.exists() else None
    server = ValkeyServer(
        home=home,
        port=ports.pick_port(remembered),
        password=password_file.read_text(encoding="ascii").strip(),
    )
    write_private(port_file, str(server.port))
    return server


def start_valkey(home: Path) -> ValkeyServer:
    """Prepare and start.

    Raises:
        ValkeyFailed: it did not start.
        BinaryMissing: no Valkey or Redis is installed.
    """
    server = prepare_valkey(home)
    server.start()
    return server
