"""Kill this process at a named place, so that a test can prove what survives it.

`FAILPOINT=ckpt.after_model` dies at the first arrival, `FAILPOINT=ckpt.after_model@3` at the third.
"""

import os
import signal
from collections import Counter

ARRIVALS: Counter[str] = Counter()


def reach(place: str) -> None:
    """Die by SIGKILL if the environment asks for it here; else do nothing."""
    wanted, _, count = os.environ.get("FAILPOINT", "").partition("@")
    if wanted != place:
        return
    ARRIVALS[place] += 1
    if ARRIVALS[place] >= int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL)
