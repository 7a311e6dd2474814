"""What the page asks of datagen about styles. Every call raises ProblemError."""

from datetime import datetime
from urllib.parse import quote

from pydantic import Field

from contracts.model import Recorded
from contracts.studio import (
    CardDraft,
    ConfusionRequest,
    PreviewRequest,
    StyleConfusion,
    StylePreview,
)
from contracts.style import Style, StyleVersion
from ui.upstream.calls import Calls

SAVE_SECONDS = 5.0
IMPORT_SECONDS = 10.0
# A little more than datagen itself waits for its teacher, so that its own words arrive.
PREVIEW_SECONDS = 65.0
CONFUSION_SECONDS = 310.0


class UsedStyle(Recorded):
    """Which style something was made of; the rest of the card is not read."""

    id: str


class UsedVersion(Recorded):
    """Which version of a style something was made of."""

    version: int
    style: UsedStyle


class Artefact(Recorded):
    """A dataset or a model, as far as it says which styles it was made of."""

    id: str
    created_at: datetime
    styles: list[UsedVersion] = Field(default=[])


class StyleCalls:
    """The library of styles, and the studio.

    Args:
        calls: the way to datagen.
    """

    def __init__(self, calls: Calls) -> None:
        self.calls = calls

    async def library(self) -> list[StyleVersion]:
        """Return the styles, each in its newest version."""
        return await self.calls.get("/styles", list[StyleVersion])

    async def archived(self) -> list[StyleVersion]:
        """Return the styles that were put away."""
        return await self.calls.get("/styles", list[StyleVersion], archived=True)

    async def versions(self, style_id: str) -> list[StyleVersion]:
        """Return every version of a style, the oldest first."""
        return await self.calls.get(f"{path_of(style_id)}/versions", list[StyleVersion])

    async def save(self, style: Style, after: int) -> StyleVersion:
        """Store a card as the version after `after`; 0 for a style that is new."""
        return await self.calls.send(
            "PUT", path_of(style.id), StyleVersion, style, seconds=SAVE_SECONDS, after=after
        )

    async def archive(self, style_id: str) -> StyleVersion:
        """Put a style away; stored again, it is back."""
        return await self.calls.send("DELETE", path_of(style_id), StyleVersion)

    async def preview(self, request: PreviewRequest) -> StylePreview:
        """Return what the teacher answers in a style."""
        return await self.calls.send(
            "POST", "/styles/preview", StylePreview, request, seconds=PREVIEW_SECONDS
        )

    async def confusion(self, request: ConfusionRequest) -> StyleConfusion:
        """Return which styles a judge mixes up."""
        return await self.calls.send(
            "POST", "/styles/confusion", StyleConfusion, request, seconds=CONFUSION_SECONDS
        )

    async def read_card(self, content: bytes) -> CardDraft:
        """Return the draft of a card from another tool."""
        return await self.calls.send(
            "POST", "/styles/import", CardDraft, content, seconds=IMPORT_SECONDS
        )

    async def datasets(self) -> list[Artefact]:
        """Return which styles each dataset was made of."""
        return await self.calls.get("/datasets", list[Artefact])


def path_of(style_id: str) -> str:
    """Return the path of a style; an id may come from a browser."""
    return f"/styles/{quote(style_id, safe='')}"
