"""The built page, served by the API in the native installation (nginx does it in containers)."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from app.core.config import Settings
from app.core.paths import UnsafePath, safe_join

DEFAULT_DIST = Path(__file__).resolve().parents[3] / "frontend" / "dist"
SERVER_PATHS = ("/api", "/ws", "/docs", "/redoc", "/openapi.json", "/metrics")
HASHED_FOLDER = "assets/"
ONE_YEAR = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"


def page_response(request: Request) -> Response | None:
    """A file of the page, or its index for an address that the page itself routes.

    None when the request is not for the page, or when the page is not built.
    """
    path = request.url.path
    if request.method not in {"GET", "HEAD"} or path.startswith(SERVER_PATHS):
        return None
    dist = _dist(request.app.state.settings)
    wanted = path.lstrip("/")
    file = _file(dist, wanted)
    if file is not None:
        caching = ONE_YEAR if wanted.startswith(HASHED_FOLDER) else REVALIDATE
        return FileResponse(file, headers={"Cache-Control": caching})
    index = dist / "index.html"
    if Path(wanted).suffix or not index.is_file():  # a missing file is missing
        return None
    return FileResponse(index, headers={"Cache-Control": REVALIDATE})


def _dist(settings: Settings) -> Path:
    return settings.frontend_dist or DEFAULT_DIST


def _file(dist: Path, wanted: str) -> Path | None:
    if not wanted:
        return None
    try:
        file = safe_join(dist, wanted)
        return file if file.is_file() else None
    except (UnsafePath, OSError):  # such as a name that no file system has room for
        return None
