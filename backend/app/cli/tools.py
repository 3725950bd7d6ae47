"""``migrate`` and ``openapi``."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from app.cli.console import console, fail
from app.core.config import Settings, get_settings
from app.core.paths import ensure_home
from app.supervisor import migrations
from app.supervisor.control import running_stack
from app.supervisor.embedded import BinaryMissing, PostgresFailed, start_postgres
from app.supervisor.state import HomeInUse, lock_home


def migrate(
    message: str = typer.Option(
        "", "--message", "-m", help="Write a new migration from the changed tables instead."
    ),
) -> None:
    """Bring the database's tables to the newest version."""
    settings = get_settings()
    try:
        with database(settings) as url:
            migrations.upgrade_to_head(url)
            if message:
                migrations.write_revision(url, message)
                migrations.upgrade_to_head(url)
            record, head = migrations.revisions(url)
    except migrations.SchemaRefused as error:
        fail(str(error))
    console.print(f"[green]✓[/] The database stands at revision {record.revision} (newest {head})")


def openapi(
    output: Annotated[Path, typer.Argument(help="File to write.")] = Path("openapi.json"),
) -> None:
    """Write the OpenAPI document; needs no servers."""
    from app.main import create_app  # the API is not needed by any other command

    document = create_app().openapi()
    output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    console.print(f"[green]✓[/] {output}: {len(document['paths'])} paths")


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Address of the given, the running, or an embedded server started for this moment."""
    if settings.database_url or running_stack(settings) is not None:
        yield settings.require_database_url()
        return
    ensure_home(settings.home)
    try:
        lock = lock_home(settings.run_dir)
        server = start_postgres(settings.home)
    except (HomeInUse, PostgresFailed, BinaryMissing) as error:
        fail(str(error))
    try:
        yield server.url
    finally:
        server.stop()
        os.close(lock)
