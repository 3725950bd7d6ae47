"""The optional access token: who may use a server that a network can reach.

Off by default, when the server listens on this machine only. With ``MISTUDIO_TOKEN`` set, a program
sends it as a bearer token; a browser asks for it once (any user name, the token as the password)
and is then known by a cookie that page scripts cannot read.
"""

import base64
import binascii
import hashlib
import hmac
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address

COOKIE = "mistudio_access"
CHALLENGE = 'Basic realm="MechInterp Studio", charset="UTF-8"'


def is_authorized(token: str, authorization: str | None, cookies: str | None) -> bool:
    """Whether a request carries the token, as bearer, as password, or as the cookie of it."""
    offered = _offered(authorization)
    if offered is not None:
        return _same(offered, token)
    given = _cookie(cookies)
    return given is not None and _same(given, cookie_value(token))


def is_password(authorization: str | None) -> bool:
    """Whether a browser's own dialogue sent the token, so that a cookie can follow."""
    return authorization is not None and authorization[:6].lower() == "basic "


def cookie_value(token: str) -> str:
    """What the cookie holds: derived from the token, of no use to find it."""
    return hmac.new(token.encode(), b"mistudio access cookie", hashlib.sha256).hexdigest()


def is_loopback(address: str | None) -> bool:
    """Whether a peer is on this machine; one without an IP address came over no network."""
    try:
        return ip_address(address or "").is_loopback
    except ValueError:
        return True


def _offered(authorization: str | None) -> str | None:
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        pair = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return pair.partition(":")[2]


def _cookie(cookies: str | None) -> str | None:
    try:
        morsel = SimpleCookie(cookies or "").get(COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel is not None else None


def _same(offered: str, wanted: str) -> bool:
    return hmac.compare_digest(offered.encode("utf-8", "surrogateescape"), wanted.encode())
