"""Swagger at ``/docs`` and ReDoc at ``/redoc``, from files of this machine alone."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse, Response

LIBRARIES = str(files("fastapi_offline") / "static")
STARTERS = str(files("app.api.openapi") / "static")

# No script in the page itself, so the policy needs no 'unsafe-inline' for scripts.
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="/docs/static/favicon.png">
{styles}</head>
<body>
<div id="reference"></div>
<script src="/docs/static/{library}"></script>
<script src="/docs/start/{starter}"></script>
</body>
</html>
"""
# ReDoc asks its maker's server for a picture beside its name; an empty one takes its place.
REDOC = "redoc.standalone.js"
FOREIGN_PICTURE = "https://cdn.redoc.ly/redoc/logo-mini.svg"
EMPTY_PICTURE = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
STYLES = '<link rel="stylesheet" href="/docs/static/swagger-ui.css">\n'


@cache
def _offline_redoc() -> str:
    return (Path(LIBRARIES) / REDOC).read_text("utf-8").replace(FOREIGN_PICTURE, EMPTY_PICTURE)


def add_docs(app: FastAPI) -> None:
    def redoc_library() -> Response:
        return Response(_offline_redoc(), media_type="text/javascript")

    app.add_api_route(f"/docs/static/{REDOC}", redoc_library, include_in_schema=False)
    app.mount("/docs/static", StaticFiles(directory=LIBRARIES), name="docs-static")
    app.mount("/docs/start", StaticFiles(directory=STARTERS), name="docs-start")
    swagger = PAGE.format(
        title=f"{app.title} API: try it",
        styles=STYLES,
        library="swagger-ui-bundle.js",
        starter="swagger.js",
    )
    redoc = PAGE.format(
        title=f"{app.title} API: reference",
        styles="",
        library=REDOC,
        starter="redoc.js",
    )

    def show_swagger() -> HTMLResponse:
        return HTMLResponse(swagger)

    def show_redoc() -> HTMLResponse:
        return HTMLResponse(redoc)

    app.add_api_route("/docs", show_swagger, include_in_schema=False)
    app.add_api_route("/redoc", show_redoc, include_in_schema=False)
