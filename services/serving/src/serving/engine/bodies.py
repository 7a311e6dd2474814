"""The bodies that the gate lets through: known fields with limits, nothing else.

vLLM reads many more fields (templates, embeddings, schemas, media, tools); each is a door. What
passes here is written anew from the checked values, so that vLLM never sees another spelling.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from serving.engine.refusal import Refusal

MESSAGES = 256
TEXT = 65_536
STOPS = 8
Text = Annotated[str, Field(max_length=TEXT)]
Stop = Annotated[str, Field(min_length=1, max_length=64)]


class Part(BaseModel):
    """A piece of text in OpenAI's list form; pictures and sound have no place here."""

    model_config = ConfigDict(extra="forbid")
    type: Literal["text"]
    text: Text


class ChatMessage(BaseModel):
    """One message of a conversation."""

    model_config = ConfigDict(extra="forbid")
    role: Literal["system", "user", "assistant"]
    content: Text | list[Part]

    @property
    def text(self) -> str:
        """The content as one string."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content)


class StreamOptions(BaseModel):
    """What a stream carries besides the text."""

    model_config = ConfigDict(extra="forbid")
    include_usage: bool | None = None
    continuous_usage_stats: bool | None = None


class Sampling(BaseModel):
    """The fields that both routes share."""

    model_config = ConfigDict(extra="forbid")
    model: str
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=STOPS)] | None = None
    seed: int | None = Field(default=None, ge=0, lt=2**63)
    n: Literal[1] | None = None
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    repetition_penalty: float | None = Field(default=None, gt=0, le=2)
    user: str | None = Field(default=None, max_length=256)


class ChatBody(Sampling):
    """Body of `POST /v1/chat/completions`."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=MESSAGES)
    max_completion_tokens: int | None = Field(default=None, ge=1)


class CompletionBody(Sampling):
    """Body of `POST /v1/completions`."""

    prompt: Text


BODIES: dict[str, type[Sampling]] = {
    "/v1/chat/completions": ChatBody,
    "/v1/completions": CompletionBody,
}


def parse_body(path: str, raw: bytes, max_tokens: int) -> dict[str, Any]:
    """Return the checked body of a request to `path`, without absent fields. Raises Refusal."""
    try:
        body = BODIES[path].model_validate_json(raw)
    except ValidationError as error:
        raise refusal(error) from None
    for name in ("max_tokens", "max_completion_tokens"):
        if (getattr(body, name, None) or 0) > max_tokens:
            raise Refusal(400, "invalid_input", f"{name}: at most {max_tokens} here", field=name)
    values = body.model_dump(exclude_none=True, exclude={"user", "messages"})
    if isinstance(body, ChatBody):
        values["messages"] = [{"role": one.role, "content": one.text} for one in body.messages]
    return values


def refusal(error: ValidationError) -> Refusal:
    """Return the refusal for pydantic's first complaint; the value itself is not repeated."""
    first = error.errors(include_url=False, include_input=False)[0]
    kinds = {"str", "list[Part]", "function-after", "constrained-str"}
    parts = [str(part) for part in first["loc"] if str(part) not in kinds and "[" not in str(part)]
    field = ".".join(parts)[:120] or None
    if first["type"] == "extra_forbidden":
        known = ", ".join(sorted({*ChatBody.model_fields, *CompletionBody.model_fields}))
        message, hint = f"{field}: this field is not accepted", f"accepted: {known}"
    elif first["type"] == "json_invalid":
        message, hint = "the body is not valid JSON", "send one JSON object"
    else:
        message, hint = f"{field or 'body'}: {first['msg']}", None
    return Refusal(400, "invalid_input", message[:300], field=field, hint=hint)
