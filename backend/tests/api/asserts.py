"""What every answer of the API must look like."""

from typing import Any

from httpx2 import Response


def data_of(response: Response, status: int = 200) -> Any:
    """The data of a good answer."""
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body["meta"]) == {"timestamp", "request_id"}
    return body["data"]


def error_of(response: Response, status: int, code: str, sentence: str = "") -> dict[str, Any]:
    """The error of a refusal: the envelope, the code, a sentence that helps."""
    assert response.status_code == status, response.text
    error: dict[str, Any] = response.json()["error"]
    assert set(error) == {"code", "message", "details", "retryable", "timestamp"}
    assert error["code"] == code
    assert sentence in error["message"], error["message"]
    return error


def page_of(response: Response) -> tuple[list[Any], dict[str, Any]]:
    """Rows and pagination of a page."""
    rows = data_of(response)
    return rows, response.json()["pagination"]


def indices_of(rows: list[dict[str, Any]]) -> list[int]:
    """Which latents the rows of a table of features are."""
    return [row["neuron_index"] for row in rows]
