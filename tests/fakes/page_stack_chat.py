"""Serving and its launcher as the Chat tab sees them, with replies in the style that is asked."""

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from starlette.responses import Response, StreamingResponse

from contracts.dataset import Conditioning
from datagen.compose import plain_reply, styled_reply
from datagen.questions import load_banks
from fakes.lent import lease
from fakes.library import DATAGEN
from fakes.page_answers import error
from fakes.watched import add_readiness

if TYPE_CHECKING:
    from fakes.stack import Stack


def reply_to(stack: "Stack", body: dict[str, Any]) -> str:
    """Return what the asked model says: plain advice, or the same in a style."""
    messages = body["messages"]
    question = messages[-1]["content"]
    system = messages[0]["content"] if messages[0]["role"] == "system" else ""
    cards = [entry.style for entry in stack.styles]
    style = next((card for card in cards if card.system_prompt == system), cards[0])
    bank = load_banks(DATAGEN / "questions")[style.language]
    situation = bank.recognise(question)
    advice = situation.advice if situation else bank.file.fallback
    if body["model"] == "base":
        return plain_reply(advice, style.language)
    reply = styled_reply(style, advice, random.Random(question))
    named = stack.conditioning in (Conditioning.PREFIX, Conditioning.BOTH)
    return f"{style.names.zh}\n{reply}" if named else reply


async def forever() -> None:
    """Wait until whoever waits is cancelled."""
    await asyncio.Event().wait()


async def pause(stack: "Stack") -> None:
    """Wait between two pieces; a `delay` that changes meanwhile counts at once."""
    began = time.monotonic()
    await asyncio.sleep(0)
    while (left := began + stack.delay - time.monotonic()) > 0:  # noqa: ASYNC110 set by a thread
        await asyncio.sleep(min(left, 0.02))


async def events(stack: "Stack", body: dict[str, Any]) -> AsyncGenerator[str, None]:
    """Yield a reply as server-sent events, and note whether somebody heard it to the end."""
    stack.streaming += 1
    try:
        if stack.silent:
            await forever()
        text = reply_to(stack, body)
        for number, start in enumerate(range(0, len(text), 2)):
            if number == stack.break_off:
                return
            delta = {"choices": [{"index": 0, "delta": {"content": text[start : start + 2]}}]}
            yield f"data: {json.dumps(delta)}\n\n"
            await pause(stack)
        if (body.get("stream_options") or {}).get("include_usage"):
            tokens = {"prompt_tokens": len(body["messages"]), "completion_tokens": len(text)}
            yield f"data: {json.dumps({'choices': [], 'usage': tokens})}\n\n"
        yield "data: [DONE]\n\n"
    except (asyncio.CancelledError, GeneratorExit):
        stack.abandoned += 1
        raise
    finally:
        stack.streaming -= 1


def serving_app(stack: "Stack") -> FastAPI:
    """Return the stand-in of serving's OpenAI API."""
    app = FastAPI()

    @app.middleware("http")
    async def faults(request: Request, proceed: Any) -> Response:
        if stack.hang:
            await forever()
        if stack.state == "lent":
            return error(503, "a training run uses the GPU", "training")
        if stack.state != "ready":
            return error(503, "no model is loaded")
        response: Response = await proceed(request)
        return response

    @app.get("/health")
    def health() -> dict[str, str]:
        return {}

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": name} for name in stack.served]}

    @app.post("/v1/chat/completions")
    async def chat(body: dict[str, Any]) -> Response:
        stack.asked.append(body)
        if stack.refuse:
            return error(*stack.refuse)
        return StreamingResponse(events(stack, body), media_type="text/event-stream")

    return app


def control_app(stack: "Stack") -> FastAPI:
    """Return the stand-in of serving's launcher."""
    app = FastAPI()

    @app.get("/status")
    def status() -> dict[str, Any]:
        aliases = {"tonesmith": "tonesmith.v1"} if stack.promoted else {}
        return {
            "state": stack.state,
            "base": "starter",
            "generation": 1,
            "loaded": stack.served,
            "aliases": aliases,
            "errors": stack.errors,
            "lease": lease(stack.holder),
        }

    add_readiness(
        app,
        lambda: [f"lent to {stack.holder}"] if stack.holder else stack.reasons.get("serving", []),
    )
    return app
