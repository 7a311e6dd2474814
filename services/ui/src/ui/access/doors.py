"""How the page knows who somebody is: by a log-in of its own, by a proxy's word, or not at all."""

import ipaddress
import re
from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Protocol
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from ui.access.networks import Network, is_loopback, within
from ui.access.sessions import Session, Sessions

# Who there is where nobody logs in: everything belongs to one person.
LOCAL_USER = "local"
# A name that a proxy sends: an account, an e-mail address or an opaque id.
PROXY_NAME = re.compile(r"[\w.@+:|-]{1,128}", re.ASCII)


class Door(Protocol):
    """Tells who is there; `refusal` is the locale key of why nobody is let in."""

    refusal: str

    def user(self, scope: Scope) -> str | None:
        """Return the person behind a request, or None: let nobody in."""


class OpenDoor:
    """Everybody who asks this machine by one of its own names is the one local user.

    A page elsewhere may point a name of its own at 127.0.0.1 (DNS rebinding): to the browser that
    is then the same site, and this page would be open to it. Its name gives it away.
    """

    refusal = "login.elsewhere"

    def user(self, scope: Scope) -> str | None:
        """Return the local user, or None where another name was asked for."""
        host = asked_host(scope)
        return LOCAL_USER if is_loopback(host) or host.endswith(".localhost") else None


class SessionDoor:
    """Who has a session's cookie.

    Args:
        sessions: reads cookies.
        cookie: the cookie's name.
    """

    refusal = "login.needed"

    def __init__(self, sessions: Sessions, cookie: str) -> None:
        self.sessions = sessions
        self.cookie = cookie

    def user(self, scope: Scope) -> str | None:
        """Return the person of the session, or None."""
        session = self.session(scope)
        return session.user if session else None

    def session(self, scope: Scope) -> Session | None:
        """Return the session of a request, or None."""
        value = cookie_of(scope, self.cookie)
        return self.sessions.read(value) if value else None


class HeaderDoor:
    """Whom a proxy names that has asked for a password itself, such as an OIDC proxy.

    Args:
        header: the proxy's header.
        proxies: the only ones whose word counts.
    """

    refusal = "login.needed"

    def __init__(self, header: str, proxies: Sequence[Network]) -> None:
        self.header = header
        self.proxies = proxies

    def user(self, scope: Scope) -> str | None:
        """Return the named person, or None: another one asks, or names nobody, or two at once."""
        if not trusted(scope, self.proxies):
            return None
        names = Headers(scope=scope).getlist(self.header)
        return names[0] if len(names) == 1 and PROXY_NAME.fullmatch(names[0]) else None


def asked_host(scope: Scope) -> str:
    """Return the name that a browser found this server by, without the port; else nothing."""
    try:
        return urlsplit(f"//{Headers(scope=scope).get('host', '')}").hostname or ""
    except ValueError:
        return ""


def peer(scope: Scope) -> str:
    """Return the address that the connection comes from, or nothing."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def trusted(scope: Scope, proxies: Sequence[Network]) -> bool:
    """Return whether a connection comes from one of these proxies."""
    return within(peer(scope), proxies)


def origin(scope: Scope, proxies: Sequence[Network]) -> str:
    """Return the address that asks, as far as it can be believed; of IPv6 the /64 of one customer.

    Behind trusted proxies it is the last in X-Forwarded-For that is none of them.
    """
    address = peer(scope)
    if trusted(scope, proxies):
        said = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).split(",")
        others = (hop.strip() for hop in reversed(said))
        address = next((hop for hop in others if hop and not within(hop, proxies)), address)
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if found.version == 6 and not found.ipv4_mapped:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def cookie_of(scope: Scope, name: str) -> str:
    """Return a cookie's value, or nothing."""
    for line in Headers(scope=scope).getlist("cookie"):
        for part in line.split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
    return ""


def cookie_line(name: str, value: str, *, path: str, seconds: int, secure: bool) -> str:
    """Return a Set-Cookie line: no script reads it, and no other site sends it with a form.

    `seconds` 0 takes the cookie away. Raises CookieError for a name that is none.
    """
    jar: SimpleCookie = SimpleCookie()
    jar[name] = value
    kept = {"path": path, "max-age": seconds, "httponly": True, "samesite": "Lax"}
    for key, setting in kept.items():
        jar[name][key] = setting
    if secure:
        jar[name]["secure"] = True
    if not value.isprintable():
        raise CookieError("a cookie's value is printable")
    return jar[name].OutputString()
