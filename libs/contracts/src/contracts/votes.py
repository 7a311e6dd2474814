"""Votes and corrections from the chat, and the preference pairs made of them."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from contracts.model import Authored, Name, Recorded
from contracts.sample import Turn

Said = Annotated[str, StringConstraints(min_length=1, max_length=8000, strip_whitespace=True)]
Opaque = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]
PairSource = Literal["votes", "edits", "contrast"]


class Rival(Authored):
    """The other reply of a comparison, and whose it is."""

    reply: Said
    model: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    contestant: str = Field(default="", max_length=128, description="as in `Vote`")


class Vote(Authored):
    """Body of `POST /votes`: what a person thinks of one reply; said again, it replaces.

    With `against` it compares two replies to one question: 1 is for this one, -1 for the other, 0
    for neither. Whoever compares does not know whose they are until the vote is cast.
    """

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
    contestant: str = Field(
        default="", max_length=128, description="base, prompted, tuned, or a further served name"
    )
    against: Rival | None = Field(default=None, description="compared with this one, unseen whose")
    both_bad: bool = Field(default=False, description="neither is better, for neither is good")

    @model_validator(mode="after")
    def _comparison_makes_sense(self) -> Self:
        """Refuse to compare a reply with itself, and a winner that is bad."""
        if self.against and self.against.reply == self.reply:
            raise ValueError("against: both replies say the same: there is nothing to compare")
        if self.both_bad and (self.against is None or self.value != 0):
            raise ValueError("both_bad: only of two replies of which neither is better (value 0)")
        return self

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
    by_style: dict[str, dict[str, int]] = Field(description="on single replies: up, none, down")
    compared: dict[str, dict[str, int]] = Field(
        default={}, description="of two replies, by style: decided, tie, both_bad"
    )


class PairRequest(Authored):
    """Body of `POST /datasets/preferences`: a new version of a dataset, with pairs."""

    dataset_id: Name = Field(description="whose rows, cards and split it takes over")
    name: Name | None = Field(default=None, description="none: as the dataset")
    sources: list[PairSource] = Field(default=["votes", "edits", "contrast"], min_length=1)
    same_question: bool = Field(default=False, description="only pairs of one question")
