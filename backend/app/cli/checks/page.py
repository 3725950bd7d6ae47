"""The built page."""

from app.cli.checks.outcome import Outcome, ok, warn
from app.core.config import Settings
from app.supervisor.stack import FRONTEND_FOLDER


def check_page(settings: Settings) -> Outcome:
    dist = settings.frontend_dist or FRONTEND_FOLDER / "dist"
    if not (dist / "index.html").is_file():
        return warn("page", f"not built ({dist})", "Run `make setup`; the API works without it.")
    return ok("page", f"built ({dist})")
