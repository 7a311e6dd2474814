"""Samples: one question and its styled reply, accepted or rejected with a reason."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from contracts.model import Recorded
from contracts.style import Language

Role = Literal["system", "user", "assistant"]
# How the feeling of a simulated user goes on: it rises, it settles, or the user leaves the topic.
Trajectory = Literal["escalates", "calms", "deflects"]
Speaker = Literal["user", "assistant"]


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
    CROSS_STYLE_DUPLICATE = "cross_style_duplicate"
    OTHER_STYLE = "other_style"
    UNLIKE_REFERENCES = "unlike_references"
    JUDGE = "judge"
    PERSONAL_DATA = "personal_data"
    CRISIS = "crisis"
    CONTROL_TOKEN = "control_token"
    BROKEN_TEXT = "broken_text"
    MALFORMED = "malformed"
    ROLE_REVERSAL = "role_reversal"
    REPEATED_TURN = "repeated_turn"
    OFF_TRAJECTORY = "off_trajectory"
    UNKNOWN_STYLE = "unknown_style"
    REVIEWER = "reviewer"


class RowReview(Recorded):
    """What a person decided about a row before it went into a later version."""

    decision: Literal["open", "accepted"]
    edit: Literal["person", "replacement", "teacher"] | None = None
    original: str | None = Field(default=None, description="the reply before it was edited")
    forced: bool = Field(default=False, description="kept though a gate refuses it")
    note: str = ""


class Provenance(Recorded):
    """The call that a reply comes from: enough to find it at the teacher and to ask it again.

    The prompt itself is the row's: its card (`plan.json`), its history and its question.
    """

    model: str = Field(default="", description="as the teacher names it in its answer")
    request_id: str = Field(default="", description="sent as X-Client-Request-Id")
    answer_id: str = Field(default="", description="the teacher's x-request-id, or its answer's id")
    prompt_sha256: str = Field(default="", description="of the messages as compact JSON")
    seed: int | None = None
    temperature: float | None = None
    input_tokens: int | None = None
    cached_tokens: int | None = Field(default=None, description="part of input_tokens")
    output_tokens: int | None = None
    reasoning_tokens: int | None = Field(default=None, description="part of output_tokens")


class UserState(Recorded):
    """How a simulated user was asked to feel at one turn, and how the words came out."""

    emotion: str = Field(default="", description="id in the bank; empty: not known")
    intensity: int = Field(ge=1, le=5, description="asked for; the first turn's is a nominal one")
    measured: float = Field(ge=0, le=5, description="estimated from the words by a lexicon")
    teacher: str = Field(default="", description="who wrote the words; empty: the bank")
    provenance: Provenance | None = Field(default=None, description="the call of the user's words")


class Dialogue(Recorded):
    """What a row of several turns was asked to be: one state for each user turn, in their order."""

    trajectory: Trajectory
    states: list[UserState]
    replies: list[Provenance | None] = Field(
        default=[], description="calls of the earlier replies; the last one's is the row's own"
    )


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
    masked: list[str] = Field(default=[], description="kinds of personal data that were replaced")
    safety: str | None = Field(
        default=None, description="kind of crisis; the reply is one of the safe replies, unstyled"
    )
    provenance: Provenance | None = None
    dialogue: Dialogue | None = Field(default=None, description="of a simulated user")
    review: RowReview | None = None


class Rejected(Recorded):
    """A row of `rejected.jsonl`: a reply, or a simulated user's words (then `reply` is empty)."""

    slot: str
    style: str
    attempt: int
    question: str
    reply: str
    reason: RejectReason
    turn: int = Field(default=0, ge=0, description="of the dialogue, from 0")
    speaker: Speaker = Field(default="assistant", description="whose words were refused")
    detail: str = ""
    history: list[Turn] = Field(default=[], description="what was said before it")
