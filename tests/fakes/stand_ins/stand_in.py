"""A stand-in for a service: answers every GET with 200, and has a child in a session of its own.

Run as `python -m datagen` (trainer, serving, ui) with this folder first in PYTHONPATH: the stack
is then started, watched and stopped for real, with programs that start at once. `STAND_IN_FAILS`
names the one that ends with an error.
"""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CHILD = "import time; time.sleep(60)"


class Always(BaseHTTPRequestHandler):
    """Every path is fine."""

    def do_GET(self) -> None:
        """Answer 200 with an empty document."""
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def main(name: str) -> None:
    """Serve on the ports of the service `name` until a signal ends the process."""
    if os.environ.get("STAND_IN_FAILS") == name:
        sys.exit(f"{name}: no such base model")
    subprocess.Popen([sys.executable, "-c", CHILD], start_new_session=True)
    if name == "serving":
        control = ThreadingHTTPServer(
            ("127.0.0.1", int(os.environ["SERVING_CONTROL_PORT"])), Always
        )
        threading.Thread(target=control.serve_forever, daemon=True).start()
    ThreadingHTTPServer(
        ("127.0.0.1", int(os.environ[f"{name.upper()}_PORT"])), Always
    ).serve_forever()
