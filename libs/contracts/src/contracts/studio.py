"""The style studio: previews, confusion between styles, and cards from elsewhere."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from contracts.model import Authored, Name, Recorded
from contracts.sample import Turn
from contracts.style import Style

Asked = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]


class PreviewRequest(Authored):
    """Body of `POST /styles/preview`: a card, saved or not, and what a person says to it."""

    card: Style
    question: Asked
    history: list[Turn] = Field(default=[], max_length=12)
    seed: int = Field(default=7, ge=0, le=0x7FFFFFFF)


class GateVerdict(Recorded):
    """What one gate says of a reply."""

    gate: str
    passed: bool
    reason: str | None = None
    detail: str = ""


class StylePreview(Recorded):
    """The teacher's reply and every gate's verdict on it."""

    reply: str
    accepted: bool
    verdicts: list[GateVerdict]
    scores: dict[str, float] = {}
    teacher: str
    version: int | None = Field(description="of the saved card that is equal, if any")


class ConfusionRequest(Authored):
    """Body of `POST /styles/confusion`: which styles a judge mixes up, before any training."""

    styles: list[Name] = Field(default=[], max_length=32, description="of the library")
    cards: list[Style] = Field(default=[], max_length=16, description="not saved; they go first")
    replies: int = Field(default=8, ge=3, le=32, description="of the teacher, for each style")
    seed: int = Field(default=7, ge=0, le=0x7FFFFFFF)


class Collision(Recorded):
    """Two styles that are near each other, why, and what would part them."""

    styles: tuple[str, str]
    mixed_up: float = Field(description="share of their replies that the judge swaps, 0 to 1")
    likeness: float = Field(description="of their words, 0 to 1")
    indistinguishable: bool
    shared: dict[str, list[str]] = Field(description="openers, closers, particles, emoji, traits")
    suggestions: list[str]


class StyleConfusion(Recorded):
    """Asked style -> recognised style -> replies, and the pairs that collide, worst first."""

    matrix: dict[str, dict[str, int]]
    accuracy: float
    replies: int
    missing: dict[str, int] = Field(default={}, description="replies that the teacher refused")
    collisions: list[Collision]


class Unmapped(Recorded):
    """A part of the file that the card does not hold, and why."""

    field: str
    why: str


class CardDraft(Recorded):
    """A card read from another tool's file: to be completed by a person, then stored with PUT."""

    source: Literal[
        "character_card_v1", "character_card_v2", "character_card_v3", "persona_pack", "exchanges"
    ]
    draft: dict[str, Any] = Field(description="as a style card, perhaps incomplete")
    complete: bool = Field(description="PUT /styles/{id} would take it as it is")
    problems: list[Unmapped] = Field(description="what a person must fill in or correct")
    unmapped: list[Unmapped] = Field(description="what the card has no place for")
