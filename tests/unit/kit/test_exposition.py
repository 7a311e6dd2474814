"""Metrics on a port of their own, and what every registry has."""

import socket

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest

from kit.exposition import add_standard, exposing


def test_registry_is_served_on_a_free_port_until_the_block_is_left() -> None:
    """In threads: the service's own loop has no part in it."""
    registry = CollectorRegistry()
    Counter("work_done", "Work.", registry=registry).inc(3)
    with exposing(registry, "127.0.0.1", 0) as port:
        found = httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)
        assert found.status_code == 200
        assert "work_done_total 3.0" in found.text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False)


def test_taken_port_is_named() -> None:
    """The operator is to know which setting to change."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(OSError, match=f"127.0.0.1:{port}: Address already in use"),
            exposing(CollectorRegistry(), "127.0.0.1", port),
        ):
            pass


@pytest.mark.parametrize(
    ("environ", "revision"), [({}, "unknown"), ({"TONESMITH_REVISION": "a1"}, "a1")]
)
def test_build_names_the_revision(environ: dict[str, str], revision: str) -> None:
    """From the environment of the image."""
    registry = CollectorRegistry()
    add_standard(registry, "testing", "1.0", environ)
    labels = {"service": "testing", "version": "1.0", "revision": revision}
    assert registry.get_sample_value("build_info", labels) == 1
    assert b"process_start_time_seconds" in generate_latest(registry)
