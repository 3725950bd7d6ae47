"""The demo's view of the REST interface: envelopes opened, failures as one sentence."""

import time
from collections.abc import Iterator
from typing import Any

import httpx

from app.core.config import access_headers

_TIMEOUT_SECONDS = 300.0
# A restarted API or database is back within seconds; the demo waits for it.
_PATIENCE_SECONDS = 60.0
_PAGE_SIZE = 100


class DemoFailed(Exception):
    """A step failed; the message is the sentence that the person reads."""


class Api:
    """A client of one running stack."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(
            base_url=f"{url}/api/v1", timeout=_TIMEOUT_SECONDS, headers=access_headers()
        )

    def get(self, path: str, **parameters: Any) -> Any:
        """The ``data`` of an answer.

        Raises:
            DemoFailed: the API refused, or did not answer for a minute.
        """
        return self._ask("GET", path, params=parameters)["data"]

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._ask("POST", path, json=body or {})["data"]

    def delete(self, path: str) -> Any:
        return self._ask("DELETE", path)["data"]

    def list(self, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """All items of a list, page after page."""
        page = 1
        while True:
            body = self._ask("GET", path, params={**parameters, "page": page, "limit": _PAGE_SIZE})
            yield from body["data"]
            if not body["pagination"]["has_next"]:
                return
            page += 1

    def _ask(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            reason = "it does not answer"
            try:
                response = self._http.request(method, path, **arguments)
            except httpx.TransportError:
                # Only a question may be repeated blindly; an order may have arrived.
                if method != "GET":
                    raise DemoFailed(f"The API was lost during {method} {path}.") from None
            else:
                if response.status_code < 400:
                    body: dict[str, Any] = response.json()
                    return body
                reason = _reason(response)
                if response.status_code == 429:  # counted through a proxy, looking at jobs adds up
                    time.sleep(_seconds_to_wait(response))
                    continue
                if response.status_code != 503:
                    raise DemoFailed(reason)
            if time.monotonic() > deadline:
                raise DemoFailed(f"The API at {self.url} failed for a minute: {reason}")
            time.sleep(1.0)


def _seconds_to_wait(response: httpx.Response) -> float:
    try:
        return min(max(float(response.headers["Retry-After"]), 1.0), _PATIENCE_SECONDS)
    except (KeyError, ValueError):
        return 1.0


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"{response.request.method} {response.request.url.path}: {response.status_code}"
