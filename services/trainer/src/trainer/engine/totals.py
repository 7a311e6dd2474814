"""What only ever grows over a run, whatever happens to its engines. Pure.

Steps that are repeated after a resume count again: it is work that was done, and a counter that
steps back would be taken for one that began anew.
"""

from typing import Any

NAMES = ("steps", "samples", "tokens", "flops", "nonfinite_steps", "alloc_retries", "ooms")
ALWAYS = ("steps", "nonfinite_steps")  # from the first moment; the others once they are known


class Totals:
    """Counts of a run as one of its processes knows them.

    Args:
        earlier: the document of an earlier engine of the run.
    """

    def __init__(self, earlier: Any = None) -> None:
        given = earlier if isinstance(earlier, dict) else {}
        self.before = {name: float(given[name]) for name in NAMES if is_number(given.get(name))}
        self.here: dict[str, float] = dict.fromkeys(ALWAYS, 0.0)

    def add(self, name: str, amount: float) -> None:
        """Count `amount` more."""
        self.here[name] = self.here.get(name, 0.0) + amount

    def show(self, counted: dict[str, float]) -> None:
        """Take over counts that somebody else keeps since this process started."""
        self.here |= counted

    def document(self) -> dict[str, float]:
        """Return every count that is known."""
        names = self.before.keys() | self.here.keys()
        return {name: self.before.get(name, 0.0) + self.here.get(name, 0.0) for name in names}


def is_number(value: Any) -> bool:
    """Return whether `value` is a plain number."""
    return isinstance(value, int | float) and not isinstance(value, bool)
