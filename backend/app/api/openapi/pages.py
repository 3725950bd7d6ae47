"""Swagger at ``/docs`` and ReDoc at ``/redoc``, from files of this machine alone."""

from importlib.resources import files

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.responses import HTMLResponse

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
STYLES = '<link rel="stylesheet" href="/docs/static/swagger-ui.css">\n'


def add_docs(app: FastAPI) -> None:
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
        library="redoc.standalone.js",
        starter="redoc.js",
    )

    def show_swagger() -> HTMLResponse:
        return HTMLResponse(swagger)

    def show_redoc() -> HTMLResponse:
        return HTMLResponse(redoc)

    app.add_api_route("/docs", show_swagger, include_in_schema=False)
    app.add_api_route("/redoc", show_redoc, include_in_schema=False)
