"""Votes and corrections from the chat, and the preference pairs made of them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from contracts.model import Authored, Name, Recorded
from contracts.sample import Turn

Said = Annotated[str, StringConstraints(min_length=1, max_length=8000, strip_whitespace=True)]
Opaque = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
PairSource = Literal["votes", "edits", "contrast"]


class Vote(Authored):
    """Body of `POST /votes`: what a person thinks of one reply; said again, it replaces."""

    question: Said
    reply: Said
    style: Name
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="as served: name and version"
    )
    value: Literal[-1, 0, 1] = Field(description="0 takes an earlier vote back")
    correction: Said | None = Field(default=None, description="what it should have said")
    history: list[Turn] = Field(default=[], max_length=32)
    user: Opaque = Field(default="anonymous", description="an opaque id, no name and no address")

    @field_validator("history")
    @classmethod
    def _history_can_be_stored(cls, history: list[Turn]) -> list[Turn]:
        """Refuse half of a surrogate pair, which no file holds."""
        texts = (text for turn in history for text in (turn.user, turn.assistant))
        if any("\ud800" <= sign <= "\udfff" for text in texts for sign in text):
            raise ValueError("it holds half of a surrogate pair, which is no text")
        return history


class StoredVote(Recorded):
    """A vote as it is kept."""

    id: int
    at: datetime
    vote: Vote


class VoteCounts(Recorded):
    """How many votes there are, by style and value."""

    votes: int
    corrections: int
    by_style: dict[str, dict[str, int]]


class PairRequest(Authored):
    """Body of `POST /datasets/preferences`: a new version of a dataset, with pairs."""

    dataset_id: Name = Field(description="whose rows, cards and split it takes over")
    name: Name | None = Field(default=None, description="none: as the dataset")
    sources: list[PairSource] = Field(default=["votes", "edits", "contrast"], min_length=1)
    same_question: bool = Field(default=False, description="only pairs of one question")
