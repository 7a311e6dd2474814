"""What the page asks of datagen about styles. Every call raises ProblemError."""

from contracts.style import StyleVersion
from ui.calls import Calls


class StyleCalls:
    """The library of styles.

    Args:
        calls: the way to datagen.
    """

    def __init__(self, calls: Calls) -> None:
        self.calls = calls

    async def library(self) -> list[StyleVersion]:
        """Return the styles, each in its newest version."""
        return await self.calls.get("/styles", list[StyleVersion])
