"""Ask a served model through its OpenAI routes: bounded, patient with 429 and 503."""

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from contracts.sample import Message
from kit.errors import InvalidInputError, TonesmithError, UnauthorizedError, UnavailableError

logger = logging.getLogger(__name__)
ROUTE = "/v1/chat/completions"
TEXT_ROUTE = "/v1/completions"
# How vLLM, SGLang, llama.cpp and OpenAI refuse a prompt that leaves no room for the reply.
TOO_LONG = re.compile(r"context (?:length|size|window)|max_model_len|too long|longer than|exceed")
PATIENCE = frozenset({408, 429, 500, 502, 503, 504})
# Serving restarts its engine within about two minutes on a slow CPU: wait longer than that.
ATTEMPTS = 12
FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 30.0
# A busy CPU server may need minutes for a queue of replies.
REPLY_TIMEOUT = httpx.Timeout(300.0, connect=10.0)


@dataclass(frozen=True)
class Sampling:
    """How replies are drawn: at temperature 0 the same question gives the same reply."""

    max_tokens: int = 96
    temperature: float = 0.0
    seed: int = 7


@dataclass(frozen=True)
class Answer:
    """A model's reply and why it ended (`stop`, `length`)."""

    text: str
    finish_reason: str


class PromptTooLongError(InvalidInputError):
    """The prompt and the asked tokens do not fit the model's context length."""


class ChatClient:
    """Asks one server; waits where it is busy.

    Args:
        http: a client whose `base_url` is the server (without `/v1`).
        first_wait: seconds before the second try where the server names no time; it doubles.
    """

    def __init__(self, http: httpx.AsyncClient, *, first_wait: float = FIRST_WAIT_SECONDS) -> None:
        self.http = http
        self.first_wait = first_wait

    async def ask(self, model: str, messages: Sequence[Message], sampling: Sampling) -> Answer:
        """Return the model's answer.

        Raises:
            InvalidInputError: the server has no such model, or refuses the request.
            UnauthorizedError: the server wants a (another) key.
            PromptTooLongError: the prompt does not fit the model's context length.
            UnavailableError: it stayed busy or out of reach through ATTEMPTS tries.
        """
        said = [message.model_dump(include={"role", "content"}) for message in messages]
        return await self._send(ROUTE, {"messages": said}, model, sampling)

    async def write_on(self, model: str, text: str, sampling: Sampling) -> Answer:
        """Return how the model goes on with `text`, outside any chat, to the end of the line.

        Raises what `ask` raises.
        """
        return await self._send(TEXT_ROUTE, {"prompt": text, "stop": ["\n"]}, model, sampling)

    async def _send(
        self, route: str, content: dict[str, Any], model: str, sampling: Sampling
    ) -> Answer:
        body = content | request_body(model, sampling)
        reason = ""
        for attempt in range(ATTEMPTS):
            try:
                response = await self.http.post(route, json=body)
            except httpx.TransportError as error:
                reason, wait = type(error).__name__, self._wait(attempt, None)
            else:
                if response.status_code not in PATIENCE:
                    return answer_of(response, model)
                reason = f"HTTP {response.status_code}"
                wait = self._wait(attempt, response.headers.get("retry-after"))
            if attempt + 1 < ATTEMPTS:
                logger.info("model is busy", extra={"model": model, "reason": reason, "wait": wait})
                await asyncio.sleep(wait)
        raise UnavailableError(
            f"serving did not answer for model {model[:80]!r} ({reason}, {ATTEMPTS} tries)",
            hint="check that serving is ready, then resume the evaluation",
        )

    def _wait(self, attempt: int, retry_after: str | None) -> float:
        """Return the seconds to wait: what the server asks for, else doubling, never over 30."""
        doubling = self.first_wait * 2**attempt
        wanted = float(retry_after) if is_seconds(retry_after) and retry_after else doubling
        return min(wanted, LONGEST_WAIT_SECONDS)


def is_seconds(text: str | None) -> bool:
    """Return whether a Retry-After header is a number of seconds (it may be a date)."""
    return bool(text) and str(text).replace(".", "", 1).isdigit()


def request_body(model: str, sampling: Sampling) -> dict[str, Any]:
    """Return what every request holds; a greedy one carries no seed, which would do nothing."""
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
    }
    return body | ({"seed": sampling.seed} if sampling.temperature > 0 else {})


def answer_of(response: httpx.Response, model: str) -> Answer:
    """Return the answer in a server's response. Raises TonesmithError where there is none."""
    if response.status_code >= 400:
        raise refusal(response, model)
    try:
        choice = response.json()["choices"][0]
        text = choice["message"]["content"] if "message" in choice else choice["text"]
        return Answer(storable(text or ""), choice.get("finish_reason") or "")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise UnavailableError(
            "the server's answer is no chat completion", hint="check SERVING_URL"
        ) from error


def storable(text: str) -> str:
    """Return `text` with U+FFFD for half a surrogate pair: JSON can spell it, no file holds it."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def refusal(response: httpx.Response, model: str) -> TonesmithError:
    """Return the error for a status that no waiting mends."""
    said = server_message(response)
    if response.status_code in (401, 403):
        return UnauthorizedError(f"serving refused the API key: {said}")
    if response.status_code == 404:
        return InvalidInputError(
            f"serving has no model {model[:80]!r}: {said}",
            field="model",
            hint="GET /v1/models on serving lists the names; stage or promote the model first",
        )
    refused = PromptTooLongError if TOO_LONG.search(said.casefold()) else InvalidInputError
    return refused(
        f"serving refused a question to {model[:80]!r} (HTTP {response.status_code}): {said}",
        hint="a prompt over the context length needs a smaller max_tokens, or fewer turns",
    )


def server_message(response: httpx.Response) -> str:
    """Return what the server says of its error, at most 300 characters."""
    try:
        body = response.json()
        said = body.get("error", body)
        text = said.get("message", said) if isinstance(said, dict) else said
    except (ValueError, AttributeError):
        text = response.text
    return str(text)[:300]
