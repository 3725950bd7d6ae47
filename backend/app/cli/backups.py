"""``backup`` and ``restore``."""

import os
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import typer

from app.cli.console import console, errors, fail, format_bytes, format_duration
from app.cli.tools import database
from app.core.config import get_settings
from app.core.paths import ensure_home
from app.supervisor.backups import (
    BackupFailed,
    BackupInvalid,
    NotEmpty,
    restore_backup,
    write_backup,
)
from app.supervisor.backups.writing import backup_size
from app.supervisor.control import running_stack
from app.supervisor.migrations import SchemaRefused

PIPE = Path("-")
ROOM_FOR_DATABASE = 200_000_000


def backup(
    target: Annotated[
        Path, typer.Argument(help="Folder or file to write; - writes to standard output.")
    ] = Path(),
    without_activations: Annotated[
        bool,
        typer.Option(help="Leave out activation stores: large, and extracted again in minutes."),
    ] = False,
) -> None:
    """Write database and files to one checksummed archive; everything may go on running."""
    settings = get_settings()
    ensure_home(settings.home)
    without = frozenset({"activations"}) if without_activations else frozenset[str]()
    began, written = time.monotonic(), 0

    def count(size: int) -> None:
        nonlocal written
        written += size

    if target == PIPE:
        with database(settings) as url:
            write_backup(settings, url, sys.stdout.buffer, without=without, on_bytes=count)
        sys.stdout.buffer.flush()
        errors.print(f"[green]✓[/] {format_bytes(written)} written")
        return
    path = _file_of(target)
    _refuse_small_disk(path.parent, backup_size(settings, without))
    part = path.with_name(f"{path.name}.part")
    try:
        with database(settings) as url, _private(part) as file:
            write_backup(settings, url, file, without=without, on_bytes=count)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except (BackupFailed, OSError) as error:
        fail(f"No backup was written: {error}")
    finally:
        part.unlink(missing_ok=True)  # interrupted, too
    took = format_duration(time.monotonic() - began)
    console.print(f"[green]✓[/] {path}: {format_bytes(written)} in {took}", soft_wrap=True)
    console.print(f"  bring it back with: mistudio restore {path}", style="dim", soft_wrap=True)


def restore(
    source: Annotated[Path, typer.Argument(help="A backup; - reads it from standard input.")],
    replace: Annotated[
        bool, typer.Option(help="Put it in the place of the data that is here.")
    ] = False,
) -> None:
    """Check a backup, load it beside what is here, then change places; nothing may run."""
    settings = get_settings()
    ensure_home(settings.home)
    if running_stack(settings) is not None:
        fail("MechInterp Studio runs here.", hint="Stop it first: mistudio down")
    given = source
    if given == PIPE:
        given = settings.home / "restoring.tar"
        with _private(given) as file:
            shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
    if not given.is_file():
        fail(f"There is no file {given}.")
    try:
        _refuse_small_disk(settings.home, given.stat().st_size)
        with console.status("Restoring …") as spinner, database(settings) as url:
            contents = restore_backup(
                settings, url, given, replace=replace,
                on_step=lambda text: spinner.update(f"{text} …"),
            )  # fmt: skip
    except (BackupInvalid, NotEmpty, SchemaRefused, OSError) as error:
        fail(f"Nothing was changed: {error}")
    finally:
        if source == PIPE:
            given.unlink(missing_ok=True)
    console.print(
        f"[green]✓[/] Restored what was here on {contents.created_at} "
        f"({', '.join(contents.folders)}). Start it with: mistudio up"
    )


def _file_of(target: Path) -> Path:
    if target.is_dir():
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S")
        return target / f"mistudio-{stamp}.tar"
    if not target.parent.is_dir():
        fail(f"There is no folder {target.parent}.")
    return target


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _refuse_small_disk(folder: Path, size: int) -> None:
    needed, free = size + ROOM_FOR_DATABASE, shutil.disk_usage(folder).free
    if needed > free:
        fail(
            f"About {format_bytes(needed)} are needed in {folder}, and {format_bytes(free)} are "
            "free.",
            hint="Name another folder, or leave out activations: --without-activations",
        )
