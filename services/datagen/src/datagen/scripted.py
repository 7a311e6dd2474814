"""The scripted teacher: an OpenAI-compatible ASGI app that needs no key, no network, no GPU.

It knows the style by the card's system prompt in the system message, the situation by the last
user message, and composes the reply from card and advice. The request's seed decides every draw,
so the same request has the same answer. Like a real teacher it errs now and then.
"""

import json
import random
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.style import Language, Style
from datagen.compose import plain_reply, styled_reply
from datagen.questions import Bank

MODEL = "scripted"
Flaw = Callable[[str, str, Language], str]
SERVICE: dict[Language, str] = {
    "zh": "作为一个AI助手，很高兴为您服务。{advice}。",
    "en": "As an AI language model, I am happy to help. {advice}.",
}
FOREIGN: dict[Language, str] = {
    "zh": "Please take a deep breath first, and then take one small step.",
    "en": "请先做一次深呼吸，然后迈出一小步。",
}
FLAWS: tuple[Flaw, ...] = (
    lambda question, advice, language: SERVICE[language].format(advice=advice),
    lambda question, advice, language: f"{question} {plain_reply(advice, language)}",
    lambda question, advice, language: FOREIGN[language],
    lambda question, advice, language: plain_reply(advice, language),
    lambda question, advice, language: advice[:4],
    lambda question, advice, language: advice[: len(advice) // 2],
)


class ScriptedTeacher:
    """Answers one chat.

    Args:
        styles: returns the cards it can speak as; asked on each request, so new cards count.
        banks: situations by language.
        flaw_rate: share of replies that are wrong on purpose, 0 to 1.
    """

    def __init__(
        self,
        styles: Callable[[], list[Style]],
        banks: Mapping[Language, Bank],
        flaw_rate: float = 0.0,
    ) -> None:
        self.styles = styles
        self.banks = banks
        self.flaw_rate = flaw_rate

    def reply(self, body: Any) -> str:
        """Return the reply to an OpenAI chat request. Raises ValueError for a malformed one."""
        system, question = contents(body)
        chance = random.Random(f"{body.get('seed', 0)}/{zlib.crc32(question.encode())}")
        style = self.find_style(system)
        if style is None:
            raise ValueError("the system message holds no style card")
        bank = self.banks[style.language]
        situation = bank.recognise(question)
        advice = situation.advice if situation else bank.file.fallback
        if chance.random() < self.flaw_rate:
            return chance.choice(FLAWS)(question, advice, style.language)
        return styled_reply(style, advice, chance)

    def find_style(self, system: str) -> Style | None:
        """Return the card whose system prompt is in `system`; the longest where several are."""
        found = [style for style in self.styles() if style.system_prompt in system]
        return max(found, key=lambda style: len(style.system_prompt), default=None)


def contents(body: Any) -> tuple[str, str]:
    """Return the system message and the last user message of a request. Raises ValueError."""
    messages = body.get("messages") if isinstance(body, Mapping) else None
    if not isinstance(messages, list) or not all(isinstance(entry, dict) for entry in messages):
        raise ValueError("messages must be a list of objects")
    texts = {entry.get("role"): str(entry.get("content", "")) for entry in messages}
    if not texts.get("user"):
        raise ValueError("there is no user message")
    return texts.get("system", ""), unfenced(texts["user"])


def unfenced(text: str) -> str:
    """Return `text` without the markers that fence it as data."""
    return text.replace("<message>", "").replace("</message>", "").strip()


def completion(text: str, prompt_characters: int) -> dict[str, Any]:
    """Return the body of an answer; tokens are counted as characters."""
    usage = {"prompt_tokens": prompt_characters, "completion_tokens": len(text)}
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "model": MODEL,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
            }
        ],
        "usage": usage | {"total_tokens": sum(usage.values())},
    }


def scripted_app(teacher: ScriptedTeacher) -> Starlette:
    """Return the app with `/v1/chat/completions` and `/v1/models`."""

    async def chat(request: Request) -> Response:
        content = await request.body()
        try:
            text = teacher.reply(json.loads(content))
        except ValueError as error:
            return JSONResponse({"error": {"message": str(error)}}, status_code=400)
        return JSONResponse(completion(text, len(content)))

    async def models(_: Request) -> Response:
        return JSONResponse({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    return Starlette(
        routes=[
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/v1/models", models),
        ]
    )
