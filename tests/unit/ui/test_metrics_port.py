"""The metrics on their port, and the page on its own: as a process, and what may be in the way."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from fakes.page_process import PageProcess
from fakes.serving_process import free_port
from fakes.stack import Stack
from kit.config import SettingsError
from ui.__main__ import measured
from ui.app import create_app
from ui.config import UiSettings

FAMILIES = (
    "ui_chat_requests_total",
    "ui_upstream_errors_total",
    "ui_tokens_total",
    "ui_client_disconnects_total",
    "ui_chats_in_progress",
    "ui_queue_length",
    "ui_sessions",
    "ui_time_to_first_token_seconds",
    "ui_chat_duration_seconds",
    "build_info",
    "process_resident_memory_bytes",
)


@contextmanager
def taken_port() -> Iterator[int]:
    """Listen on a port, as another program does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_metrics_are_on_their_own_port_only(tmp_path: Path, stack: Stack) -> None:
    """Prometheus finds every family there, and nobody finds one on the page's port."""
    port = free_port()
    page = PageProcess(tmp_path / "ui.log", stack.urls | {"UI_METRICS_PORT": str(port)})
    try:
        page.ready()
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        assert [name for name in FAMILIES if f"# TYPE {name} " not in text] == []
        assert "_created" not in text
        assert httpx.get(f"{page.url}/metrics").status_code == 404
        page.terminate()
        assert page.ended(60) == 0
    finally:
        page.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics")


def test_taken_port_is_named_with_its_setting(tmp_path: Path, stack: Stack) -> None:
    """Two pages on one machine: the second says what to change, and ends with status 2."""
    with taken_port() as port:
        told = stack.urls | {"UI_METRICS_PORT": str(port)}
        page = PageProcess(tmp_path / "ui.log", told)
        try:
            assert page.ended(60) == 2
        finally:
            page.close()
    said = page.log.read_text()
    assert f"ui: UI_METRICS_PORT: metrics cannot be served on 127.0.0.1:{port}" in said
    assert "Traceback" not in said


async def test_any_free_port_is_taken_when_told_so() -> None:
    """0 is for tests and for a second page on one machine; the port is yielded."""
    settings = UiSettings(metrics_port=0)
    app = create_app(settings)
    with measured(app, settings) as port:
        found = await asyncio.to_thread(httpx.get, f"http://127.0.0.1:{port}/metrics")
    assert "ui_sessions 0.0" in found.text


async def test_host_that_is_not_ours_is_a_setting_that_is_wrong() -> None:
    """An address of another machine."""
    settings = UiSettings(metrics_host="192.0.2.1", metrics_port=0)
    with (
        pytest.raises(SettingsError, match="UI_METRICS_PORT"),
        measured(create_app(settings), settings),
    ):
        pass
