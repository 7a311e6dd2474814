"""A container's health check: `python -m kit.probe URL` exits 0 if the URL answers 200.

Images hold no curl; this imports nothing but the standard library, so that it starts fast.
"""

import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 3.0


def answers(url: str, timeout: float = TIMEOUT_SECONDS) -> bool:
    """Return whether `GET url` answers 200 within `timeout` seconds."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=timeout)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(not answers(sys.argv[1]))
