"""``mistudio``: starts, stops and looks after the native installation."""

import typer

from app.cli.backups import backup, restore
from app.cli.demo.command import demo
from app.cli.doctor import doctor
from app.cli.settings_check import check_settings
from app.cli.stack_commands import dev, down, status, up
from app.cli.tools import migrate, openapi

app = typer.Typer(
    name="mistudio",
    help="MechInterp Studio: from a corpus and a language model to named features.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    callback=check_settings,
)
for command in (up, down, status, doctor, demo, backup, restore, migrate, openapi, dev):
    app.command()(command)


if __name__ == "__main__":
    app()
