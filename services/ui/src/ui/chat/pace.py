"""How often a reply that grows is drawn anew: the busier the page, the rarer.

All streams share one event loop. What a redraw takes there, from the moment it is handed over until
the stream goes on, is how long everybody's first word may wait: so each stream then leaves the loop
to the others for SHARE times as long. A page with one reader draws as often as tokens are gathered.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

# A stream asks for a quarter of the loop at most.
SHARE = 3.0
# A reader would see a longer one as a halt.
LONGEST_SECONDS = 0.5


class Pace:
    """Measures what drawing takes."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Take the time of what is done within."""
        began = time.monotonic()
        yield
        self.seconds = time.monotonic() - began

    @property
    def pause(self) -> float:
        """How long to draw nothing now, in seconds."""
        return min(LONGEST_SECONDS, SHARE * self.seconds)
