"""Who somebody is, by what a request carries."""

from typing import Any

import pytest

from ui.access.doors import LOCAL_USER, HeaderDoor, OpenDoor, cookie_line, cookie_of, origin
from ui.access.networks import is_loopback, networks

PROXIES = networks("10.0.0.5, 192.168.0.0/24")


def scope(peer: str, *headers: tuple[str, str]) -> dict[str, Any]:
    """Return a request from an address."""
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    return {"type": "http", "client": (peer, 1), "headers": raw}


@pytest.mark.parametrize(
    ("host", "user"),
    [
        ("127.0.0.1:7860", LOCAL_USER),
        ("localhost", LOCAL_USER),
        ("[::1]:7860", LOCAL_USER),
        ("studio.localhost:7860", LOCAL_USER),
        ("127.0.0.1.example.org:7860", None),
        ("localhost.example.org", None),
        ("10.0.0.5", None),
        ("[", None),
        ("", None),
    ],
)
def test_page_without_a_log_in_answers_to_names_of_this_machine(
    host: str, user: str | None
) -> None:
    """A site whose name was pointed at this machine is not let in."""
    assert OpenDoor().user(scope("127.0.0.1", ("Host", host))) == user


@pytest.mark.parametrize("peer", ["10.0.0.5", "192.168.0.9", "::ffff:10.0.0.5"])
def test_trusted_proxy_names_the_person(peer: str) -> None:
    """Also where IPv4 comes in IPv6's clothes."""
    door = HeaderDoor("X-Forwarded-User", PROXIES)
    assert door.user(scope(peer, ("X-Forwarded-User", "ann@example.org"))) == "ann@example.org"


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("10.0.0.6", [("X-Forwarded-User", "ann")]),
        ("nonsense", [("X-Forwarded-User", "ann")]),
        ("10.0.0.6", [("X-Forwarded-User", "ann"), ("X-Forwarded-For", "10.0.0.5")]),
        ("10.0.0.5", []),
        ("10.0.0.5", [("X-Forwarded-User", "")]),
        ("10.0.0.5", [("X-Forwarded-User", "a b")]),
        ("10.0.0.5", [("X-Forwarded-User", "ann"), ("X-Forwarded-User", "root")]),
    ],
)
def test_header_of_anybody_else_is_nobody(peer: str, headers: list[tuple[str, str]]) -> None:
    """An unknown address, no name, two names, or one that is none."""
    assert HeaderDoor("X-Forwarded-User", PROXIES).user(scope(peer, *headers)) is None


def test_address_is_the_last_that_no_trusted_proxy_has_written() -> None:
    """What the client itself put there is not believed."""
    chain = ("X-Forwarded-For", "1.1.1.1, 203.0.113.7, 192.168.0.9")
    assert origin(scope("10.0.0.5", chain), PROXIES) == "203.0.113.7"
    assert origin(scope("203.0.113.9", chain), PROXIES) == "203.0.113.9"
    assert origin(scope("2001:db8:1:2:3::4"), PROXIES) == "2001:db8:1:2::/64"
    assert origin(scope("testclient"), PROXIES) == "unknown"


def test_cookie_is_read_by_its_name_and_hidden_from_scripts() -> None:
    """It is not sent with another site's form, and over TLS only where there is TLS."""
    asked = scope("1.1.1.1", ("Cookie", "a=1; tonesmith_7860=v1.x.y; b=2"))
    assert cookie_of(asked, "tonesmith_7860") == "v1.x.y"
    assert cookie_of(asked, "tonesmith_1") == ""
    line = cookie_line("n", "v", path="/studio/", seconds=9, secure=True)
    for part in ("n=v", "HttpOnly", "SameSite=Lax", "Secure", "Path=/studio/", "Max-Age=9"):
        assert part in line
    assert "Secure" not in cookie_line("n", "v", path="/", seconds=9, secure=False)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("localhost", True)]
    + [("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("studio.example", False)],
)
def test_loopback_is_known(host: str, loopback: bool) -> None:
    """A name that is not localhost may be anything."""
    assert is_loopback(host) is loopback
