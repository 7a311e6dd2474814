"""The scripted teacher: an OpenAI-compatible ASGI app that needs no key, no network, no GPU.

It knows the style by the card's system prompt in the system message, the situation by the last
user message that names one, and composes the reply from card and advice. Asked to play the user of
a dialogue, it does (`scripted_user.py`). The request's seed decides every draw, so the same request
has the same answer. Like a real teacher it errs now and then.
"""

import json
import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from contracts.style import Language, Style
from datagen.compose import plain_reply, styled_reply
from datagen.questions import Bank
from datagen.scripted_questions import QuestionWriter, question_task
from datagen.scripted_user import lines, read_part, user_words, wrong_words

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
        writer: writes questions, where it is asked for some.
    """

    def __init__(
        self,
        styles: Callable[[], list[Style]],
        banks: Mapping[Language, Bank],
        flaw_rate: float = 0.0,
        writer: QuestionWriter | None = None,
    ) -> None:
        self.styles = styles
        self.banks = banks
        self.flaw_rate = flaw_rate
        self.writer = writer

    def reply(self, body: Any) -> str:
        """Return the reply to an OpenAI chat request. Raises ValueError for a malformed one."""
        system, said = contents(body)
        question = said[-1]
        if self.writer and (task := question_task(question)):
            return self.writer.reply(task, body.get("seed", 0))
        chance = random.Random(f"{body.get('seed', 0)}/{zlib.crc32(question.encode())}")
        flawed = chance.random() < self.flaw_rate
        style = self.find_style(system)
        if style is None:
            return self.user_reply(system, question, chance, flawed=flawed)
        advice = self.advice(style.language, said, chance)
        if flawed:
            return chance.choice(FLAWS)(question, advice, style.language)
        return styled_reply(style, advice, chance)

    def user_reply(self, system: str, talk: str, chance: random.Random, *, flawed: bool) -> str:
        """Return what the user of a dialogue says next. Raises ValueError where none is asked."""
        part = read_part(system, self.banks, chance)
        if part is None:
            raise ValueError("the system message holds no style card, and asks for no user")
        return (wrong_words if flawed else user_words)(part, talk, chance)

    def advice(self, language: Language, said: Sequence[str], chance: random.Random) -> str:
        """Return the advice for a chat: all of it to what is new, a step at a time after that."""
        bank = self.banks[language]
        told = [bank.recognise(text) for text in said]
        situation = next((one for one in reversed(told) if one), None)
        if situation is None:
            return bank.file.fallback
        if told[-1] is situation and situation not in told[:-1]:
            return situation.advice
        step = situation.steps[len(said) % 2]
        return str(chance.choice(lines()[language]["followups"])).format(step=step)

    def find_style(self, system: str) -> Style | None:
        """Return the card whose system prompt is in `system`; the longest where several are."""
        found = [style for style in self.styles() if style.system_prompt in system]
        return max(found, key=lambda style: len(style.system_prompt), default=None)


def contents(body: Any) -> tuple[str, list[str]]:
    """Return the system message and all user messages of a request. Raises ValueError."""
    messages = body.get("messages") if isinstance(body, Mapping) else None
    if not isinstance(messages, list) or not all(isinstance(entry, dict) for entry in messages):
        raise ValueError("messages must be a list of objects")
    texts = [(entry.get("role"), str(entry.get("content", ""))) for entry in messages]
    said = [unfenced(text) for role, text in texts if role == "user" and text]
    if not said:
        raise ValueError("there is no user message")
    return next((text for role, text in texts if role == "system"), ""), said


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
