"""Who may talk to this server: the Host and Origin rule of REST and Socket.IO.

Localhost is no boundary: any page in the browser can send requests to it, and a name that is
re-bound to 127.0.0.1 arrives with a foreign Host.
"""

import re
from urllib.parse import urlsplit

from app.core.config import Settings

# What begins another part of an address: a host with it would be read differently by others.
_NO_HOST = re.compile(r"[/?#@\\\s]")


def host_name(header: str | None) -> str | None:
    """The name in a Host header, without port and brackets; None when it is malformed."""
    if not header or _NO_HOST.search(header):
        return None
    try:
        parts = urlsplit(f"//{header}")
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname


def is_trusted_host(settings: Settings, header: str | None) -> bool:
    name = host_name(header)
    return name is not None and name in settings.trusted_hosts


def is_trusted_origin(settings: Settings, origin: str | None) -> bool:
    """Whether a browser page of this origin may change something.

    Any port of a trusted name counts, because the development page and reverse proxies have
    ports of their own.

    Args:
        settings: Trusted names.
        origin: The Origin header; absent for programs that are no browser.
    """
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.hostname in settings.trusted_hosts
