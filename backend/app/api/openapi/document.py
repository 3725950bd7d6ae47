"""Makes the document of what FastAPI knows, and adds what it cannot know."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from app.api.access import OPEN_PATHS
from app.api.openapi.events import add_events
from app.api.openapi.examples import add_examples
from app.api.openapi.parameters import describe_parameters
from app.api.openapi.prose import INTRODUCTION, describe, tags
from app.api.openapi.responses import add_responses, declare_responses

UNUSED_SCHEMAS = ("HTTPValidationError", "ValidationError")
SECURITY_SCHEMES = {
    "accessToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "Asked for only where the server was started with `MISTUDIO_TOKEN`.",
    },
    "browser": {
        "type": "http",
        "scheme": "basic",
        "description": "The same token as the password, with any user name.",
    },
}


def operation_id(route: APIRoute) -> str:
    """Operation ids are the endpoints' function names, so the client's functions read well."""
    return route.name


def build_openapi(app: FastAPI) -> dict[str, Any]:
    """REST as it really answers (400, never FastAPI's 422) and the Socket.IO events beside it.

    Where the server asks for no token, the document says that none is needed.
    """
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=INTRODUCTION,
        routes=app.routes,
        tags=tags(),
        servers=[{"url": "/", "description": "The server that this document comes from"}],
        license_info={"name": "Apache 2.0", "identifier": "Apache-2.0"},
    )
    components = document.setdefault("components", {})
    for name in UNUSED_SCHEMAS:
        components.get("schemas", {}).pop(name, None)
    components["securitySchemes"] = SECURITY_SCHEMES
    wanted: list[dict[str, list[str]]] = [{name: []} for name in SECURITY_SCHEMES]
    document["security"] = wanted if app.state.settings.token is not None else [{}, *wanted]
    declare_responses(components)
    for path, siblings in document["paths"].items():
        for method, operation in siblings.items():
            if path in OPEN_PATHS:
                operation["security"] = []
            describe(operation)
            describe_parameters(operation)
            add_responses(path, method, operation, siblings)
            add_examples(operation)
    add_events(document)
    app.openapi_schema = document
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of everything that can be requested."""
    for path, siblings in document["paths"].items():
        for method, operation in siblings.items():
            yield path, method, operation
