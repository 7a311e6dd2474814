"""How often the garbage collector looks, and at what."""

import gc

# New objects between two looks: at Python's 700 the collector took a tenth of the processor time of
# a generation at 256 calls at once, at 5,000 a thirtieth, with the same peak of memory.
YOUNG = 5000


def settle_memory() -> None:
    """Keep what start-up made out of the collector's sight: it stays as long as the process.

    A full collection walks every object there is: 0.1 s of standstill with the SDK's models in
    memory, and a generation brought one about every hundred calls (`benchmarks/teacher.py`).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
