"""A small HTTP server for one page of metrics: `/metrics`, `/health` and `/ready`.

The exporter runs beside whatever a host is for, so it must cost next to nothing: the services'
server wakes ten times a second and takes longer over a request than it takes to read eight GPUs
(benchmarks/exporter.py). This one sleeps until somebody asks.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client.exposition import CONTENT_TYPE_LATEST

from contracts.errors import ErrorBody, ErrorResponse

JSON = "application/json"
READY = b'{"ready":true,"reasons":[]}'
HEALTHY = b'{"status":"ok"}'
# A client that says nothing for so long is hung up on; Prometheus keeps its connection.
CLIENT_SECONDS = 120
IDLE_SECONDS = 60.0
Page = Callable[[], bytes]


class Server(ThreadingHTTPServer):
    """Answers each request in a thread of its own, none of which holds up the end."""

    daemon_threads = True

    def __init__(self, host: str, port: int, metrics: Page) -> None:
        self.metrics = metrics
        super().__init__((host, port), Handler)


class Handler(BaseHTTPRequestHandler):
    """One connection, over which a client may ask again and again."""

    protocol_version = "HTTP/1.1"
    timeout = CLIENT_SECONDS
    # An answer goes out whole and at once, or its second half would wait for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        """Answer with one of the three pages, or with our error body."""
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._answer(200, CONTENT_TYPE_LATEST, self.server.metrics())
        elif path == "/health":
            self._answer(200, JSON, HEALTHY)
        elif path == "/ready":
            self._answer(200, JSON, READY)
        else:
            body = ErrorResponse(error=ErrorBody(code="http_error", message="Not Found"))
            self._answer(404, JSON, body.model_dump_json().encode())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing: a scrape is no event."""


@contextmanager
def serving(host: str, port: int, metrics: Page) -> Iterator[int]:
    """Serve until the end of the block; yield the port.

    Args:
        host: address to listen on.
        port: 0 takes a free one.
        metrics: returns the page of metrics.

    Raises OSError where the address is taken or not ours.
    """
    server = Server(host, port, metrics)
    thread = threading.Thread(
        target=server.serve_forever, args=(IDLE_SECONDS,), name="gpu-http", daemon=True
    )
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.server_close()  # its thread sleeps on, and ends with the process
