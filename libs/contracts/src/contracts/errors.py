"""The body of every error that a Tonesmith service answers with."""

from pydantic import Field

from contracts.model import Recorded


class ErrorBody(Recorded):
    """What went wrong, where, and the way out; never a stack trace, path or secret."""

    code: str = Field(description="stable, snake_case, for programs")
    message: str = Field(description="one sentence, for people")
    field: str | None = Field(default=None, description="the field at fault, dotted path")
    hint: str | None = Field(default=None, description="what to do next")


class ErrorResponse(Recorded):
    """The envelope, the same shape as OpenAI's so that any client of theirs can show it."""

    error: ErrorBody
