"""The OpenAPI document as the client generator needs it, and Swagger without a foreign host."""

from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from fastapi.staticfiles import StaticFiles
from pydantic.json_schema import models_json_schema
from starlette.responses import HTMLResponse

from app.schemas.events import EVENTS

REFERENCE = "#/components/schemas/{model}"
UNUSED_SCHEMAS = ("HTTPValidationError", "ValidationError")


def operation_id(route: APIRoute) -> str:
    """Operation ids are the endpoints' function names, so the client's functions read well."""
    return route.name


def build_openapi(app: FastAPI) -> dict[str, Any]:
    """REST as it really answers (400, never 422) and the Socket.IO events beside it."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    for path in document["paths"].values():
        for operation in path.values():
            _drop_foreign_422(operation["responses"])
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in UNUSED_SCHEMAS:
        schemas.pop(name, None)
    _, events = models_json_schema(
        [(event, "serialization") for event in EVENTS], ref_template=REFERENCE
    )
    for name, schema in events.get("$defs", {}).items():
        schemas.setdefault(name, schema)
    document["x-socket-events"] = {
        event.name: {"$ref": REFERENCE.format(model=event.__name__)} for event in EVENTS
    }
    app.openapi_schema = document
    return document


def _drop_foreign_422(responses: dict[str, Any]) -> None:
    """FastAPI declares its own 422, which is never answered; a declared one of ours stays."""
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]


def add_docs(app: FastAPI) -> None:
    """Swagger at ``/docs`` from files of this machine."""
    folder = str(files("fastapi_offline") / "static")
    app.mount("/docs/static", StaticFiles(directory=folder), name="docs-static")

    def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title=f"{app.title} API",
            swagger_js_url="/docs/static/swagger-ui-bundle.js",
            swagger_css_url="/docs/static/swagger-ui.css",
            swagger_favicon_url="/docs/static/favicon.png",
        )

    app.add_api_route("/docs", docs, include_in_schema=False, response_class=HTMLResponse)
