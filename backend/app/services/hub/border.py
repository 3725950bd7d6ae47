"""Where a download may lead: the hub, and from there to other public hosts, never to this network.

The hub sends files from other hosts by redirect. A redirect (or an address in a repository) that
leads to this machine or its network would let a stranger's repository read what only we can reach.
A mirror inside the network (``HF_ENDPOINT``) is the owner's own choice, and its network with it.
"""

import socket
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from app.services.hub.errors import HubUnreachable


class PrivateAddress(HubUnreachable):
    retryable = False


def guard_requests() -> None:
    """Let the hub libraries' client look at every address, those of redirects too."""
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import _http

    if _http._GLOBAL_CLIENT_FACTORY is not _make_client:
        set_client_factory(_make_client)


def _make_client() -> Any:
    from huggingface_hub.utils._http import default_client_factory

    client = default_client_factory()
    client.event_hooks["request"].append(_look_at)
    return client


def _look_at(request: Any) -> None:
    from huggingface_hub import constants

    check_address(str(request.url), endpoint=constants.ENDPOINT)


def check_address(url: str, *, endpoint: str) -> None:
    """
    Args:
        url: What is about to be asked.
        endpoint: The hub, or the mirror that stands for it.

    Raises:
        PrivateAddress: It leads into this network, and the hub is not there.
    """
    parts, home = urlsplit(url), urlsplit(endpoint)
    if parts.netloc == home.netloc:
        return
    is_encrypted = parts.scheme == "https" or home.scheme == "http"
    if is_encrypted and (not _is_private(parts.hostname or "") or _is_private(home.hostname or "")):
        return
    raise PrivateAddress(
        "The hub led to an address inside this network, which is not followed.",
        details={"host": parts.netloc[:200]},
    )


@cache
def _is_private(host: str) -> bool:
    """Whether any of its addresses is not a public one; a name that nobody knows is left alone."""
    try:
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    return any(not ip_address(str(address).partition("%")[0]).is_global for address in found)
