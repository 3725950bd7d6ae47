"""A server with OpenAI's protocol on this machine, and nowhere else."""

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx

from app.core.enums import ErrorCode
from app.core.errors import AppError, ValidationFailed
from app.services.label_writing.prompt import Message

TIMEOUT_SECONDS = 120.0
MAX_ANSWER_BYTES = 1 << 20
MAX_TOKENS = 60


class NotOnThisMachine(ValidationFailed):
    """The address leads, or could lead, elsewhere."""


class WriterFailed(AppError):
    """The server did not answer with a text."""

    code = ErrorCode.SERVICE_UNAVAILABLE
    status = 503
    retryable = True


def check_address(address: str) -> tuple[str, str]:
    """Resolve an address once and insist on loopback.

    Returns:
        The base address with the resolved IP in it, and the name to say in ``Host``.

    Raises:
        NotOnThisMachine: Not plain http, with a user in it, or not on loopback alone.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port or 80
    except ValueError as error:
        raise NotOnThisMachine(f"{address!r} is no address: {error}.") from error
    if parts.scheme != "http" or not host or parts.username or parts.query or parts.fragment:
        raise NotOnThisMachine(
            "The writer's address must look like http://127.0.0.1:11434/v1.",
            details={"field": "endpoint"},
        )
    ip = _loopback(host, port)
    shown = f"[{ip}]" if ":" in ip else ip
    return f"http://{shown}:{port}{parts.path.rstrip('/')}", parts.netloc


def _loopback(host: str, port: int) -> str:
    """The one address that is asked: looked up here, so that a name cannot change its mind."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotOnThisMachine(f"The writer's host {host!r} is unknown.") from error
    ips = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not ips or not all(ipaddress.ip_address(ip.partition("%")[0]).is_loopback for ip in ips):
        raise NotOnThisMachine(
            f"The writer's host {host!r} is not this machine. Only loopback addresses are used.",
            details={"field": "endpoint", "host": host},
        )
    return ips[0]


class EndpointWriter:
    """Asks one server; follows no redirect and uses no proxy.

    Args:
        address: Base address, such as http://127.0.0.1:11434/v1.
        model: Name of the model there.

    Raises:
        NotOnThisMachine: See ``check_address``.
    """

    def __init__(self, address: str, model: str) -> None:
        self._base, host = check_address(address)
        self.model = model
        self._client = httpx.Client(
            timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False, headers={"Host": host}
        )

    def answer(self, messages: list[Message]) -> str:
        """The model's answer.

        Raises:
            WriterFailed: No answer, an error, a redirect, or something that is no answer.
        """
        body = {
            "model": self.model, "messages": messages, "max_tokens": MAX_TOKENS, "temperature": 0,
            "stream": False,
        }  # fmt: skip
        found = self._post("/chat/completions", body)
        try:
            text = found["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError) as error:
            raise WriterFailed("The writer's answer holds no text.") from error
        if not isinstance(text, str):
            raise WriterFailed("The writer's answer holds no text.")
        return text

    def close(self) -> None:
        self._client.close()

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        try:
            with self._client.stream("POST", self._base + path, json=body) as response:
                content = b""
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > MAX_ANSWER_BYTES:
                        raise WriterFailed("The writer's answer is larger than a label can be.")
        except httpx.HTTPError as error:
            raise WriterFailed(
                f"The writer at {self._base} does not answer ({type(error).__name__}). Start it, "
                "then repeat this job: labels that stand already are kept."
            ) from error
        if not response.is_success:
            raise WriterFailed(
                f"The writer refused: HTTP {response.status_code}. See whether it has the model "
                f"{self.model!r}.",
                details={"status": response.status_code},
            )
        try:
            return httpx.Response(200, content=content).json()
        except ValueError as error:
            raise WriterFailed("The writer's answer is no JSON.") from error
