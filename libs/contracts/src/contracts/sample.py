"""Samples: one question and its styled reply, accepted or rejected with a reason."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from contracts.model import Recorded
from contracts.style import Language

Role = Literal["system", "user", "assistant"]


class Message(Recorded):
    """One message of an OpenAI chat."""

    role: Role
    content: str


class Turn(Recorded):
    """One earlier exchange of a dialogue."""

    user: str
    assistant: str


class RejectReason(StrEnum):
    """Why a gate refused a row. A closed list: dashboards and reports count by it."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    ECHO = "echo"
    WRONG_LANGUAGE = "wrong_language"
    ASSISTANT_VOICE = "assistant_voice"
    OFF_STYLE = "off_style"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    CONTROL_TOKEN = "control_token"
    BROKEN_TEXT = "broken_text"
    MALFORMED = "malformed"
    UNKNOWN_STYLE = "unknown_style"


class Sample(Recorded):
    """A row of `samples.jsonl`: accepted, acknowledged after fsync."""

    id: str
    slot: str = Field(description="what was asked for: style, number; unique in the dataset")
    style: str
    style_version: int
    language: Language
    question: str
    reply: str
    system: str = ""
    history: list[Turn] = []
    situation: str | None = Field(default=None, description="area/emotion of the bank")
    teacher: str = ""
    attempt: int = 1
    scores: dict[str, float] = {}


class Rejected(Recorded):
    """A row of `rejected.jsonl`."""

    slot: str
    style: str
    attempt: int
    question: str
    reply: str
    reason: RejectReason
    detail: str = ""
