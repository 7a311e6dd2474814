"""Runnable stand-ins of serving, its launcher, trainer and datagen, as the page sees them.

    python -m fakes.stack --first-port 24100        # serving, launcher, trainer, datagen

They answer with the real style cards and situations, so the page can be tried without engines:
the base answers plainly, the tuned model in the style of the system prompt that it gets. What
goes wrong is a field of `Stack`, which a test may change at any time.
"""

import argparse
import asyncio
import json
import random
import threading
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from contracts.dataset import Conditioning
from contracts.gpu import GpuReport
from contracts.job import Progress
from contracts.run import RunRecord
from contracts.style import StyleVersion
from datagen.compose import plain_reply, styled_reply
from datagen.questions import load_banks
from fakes.lent import lease, run_job
from fakes.library import DATAGEN, shipped_styles
from fakes.live_model import MODEL_ID, current, manifest
from fakes.recorded_runs import recorded_runs, run_log
from fakes.running import running
from fakes.watched import add_readiness, four_gpus, prometheus_app


@dataclass
class Stack:
    """What the stand-ins say and do.

    Args:
        promoted: whether a model is live.
        state: of the launcher; serving answers only when it is `ready`.
        holder: the training run that has the GPU; the state is `lent` then.
        progress: of that run.
        hang: serving takes requests and says nothing, not even that it is healthy.
        refuse: status and sentence with which it refuses to chat.
        break_off: pieces after which a reply breaks off.
        silent: whether a reply never brings a piece, while serving is healthy.
        delay: seconds between two pieces of a reply.
        runs: what the trainer lists.
        reasons: why a service (datagen, trainer, serving) is not ready.
        gpus: what the trainer sees.
        alerts: what Prometheus has raised.
        slow: seconds that datagen takes to say whether it is ready.
    """

    promoted: bool = True
    state: str = "ready"
    holder: str = ""
    progress: Progress = field(default_factory=Progress)
    hang: bool = False
    refuse: tuple[int, str] | None = None
    break_off: int | None = None
    silent: bool = False
    delay: float = 0.0
    conditioning: Conditioning = Conditioning.SYSTEM
    errors: dict[str, str] = field(default_factory=dict)
    trainer_up: bool = True
    datagen_up: bool = True
    styles: list[StyleVersion] = field(default_factory=shipped_styles)
    asked: list[dict[str, Any]] = field(default_factory=list)
    streaming: int = 0
    abandoned: int = 0
    urls: dict[str, str] = field(default_factory=dict)
    runs: list[RunRecord] = field(default_factory=recorded_runs)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    gpus: GpuReport = field(default_factory=four_gpus)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    slow: float = 0.0

    @property
    def served(self) -> list[str]:
        """The names that serving answers to."""
        return ["base", "tonesmith", "tonesmith.v1"] if self.promoted else ["base"]


def reply_to(stack: Stack, body: dict[str, Any]) -> str:
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


def error(status: int, message: str, code: str = "fake") -> JSONResponse:
    """Return an error in the shape of OpenAI's API."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


async def forever() -> None:
    """Wait until whoever waits is cancelled."""
    await asyncio.Event().wait()


async def events(stack: Stack, body: dict[str, Any]) -> AsyncGenerator[str, None]:
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
            await asyncio.sleep(stack.delay)
        if (body.get("stream_options") or {}).get("include_usage"):
            tokens = {"prompt_tokens": len(body["messages"]), "completion_tokens": len(text)}
            yield f"data: {json.dumps({'choices': [], 'usage': tokens})}\n\n"
        yield "data: [DONE]\n\n"
    except (asyncio.CancelledError, GeneratorExit):
        stack.abandoned += 1
        raise
    finally:
        stack.streaming -= 1


def serving_app(stack: Stack) -> FastAPI:
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


def control_app(stack: Stack) -> FastAPI:
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


def trainer_app(stack: Stack) -> FastAPI:
    """Return the stand-in of the trainer."""
    app = FastAPI()

    @app.get("/current")
    def read_current() -> Any:
        return (
            current(promoted=stack.promoted)
            if stack.trainer_up
            else error(503, "the trainer is down")
        )

    @app.get("/runs/jobs/{run_id}")
    def read_job(run_id: str) -> Any:
        return run_job(run_id, stack.progress) if stack.trainer_up else error(503, "down")

    @app.get("/runs")
    def runs() -> Any:
        return stack.runs if stack.trainer_up else error(503, "the trainer is down")

    @app.get("/runs/{run_id}/log")
    def log(run_id: str) -> Any:
        return run_log(next(run for run in stack.runs if run.id == run_id))

    @app.get("/models/{model_id}")
    def read_manifest(model_id: str) -> Any:
        known = manifest(stack.styles, stack.conditioning)
        return known if model_id == MODEL_ID else error(404, "no such model")

    @app.get("/gpus")
    def gpus() -> Any:
        return stack.gpus if stack.trainer_up else error(503, "the trainer is down")

    add_readiness(app, lambda: stack.reasons.get("trainer", []))
    return app


def datagen_app(stack: Stack) -> FastAPI:
    """Return the stand-in of datagen."""
    app = FastAPI()

    @app.get("/styles")
    def styles() -> Any:
        return stack.styles if stack.datagen_up else error(503, "datagen is down")

    add_readiness(app, lambda: stack.reasons.get("datagen", []), lambda: stack.slow)
    return app


def apps(stack: Stack) -> dict[str, FastAPI]:
    """Return the stand-ins by the setting that holds their address."""
    return {
        "SERVING_URL": serving_app(stack),
        "SERVING_CONTROL_URL": control_app(stack),
        "TRAINER_URL": trainer_app(stack),
        "DATAGEN_URL": datagen_app(stack),
        "UI_PROMETHEUS_API": prometheus_app(lambda: stack.alerts),
    }


@contextmanager
def running_stack(stack: Stack | None = None, first_port: int = 0) -> Iterator[Stack]:
    """Run all stand-ins; yield the stack, whose `urls` say where."""
    stack = stack or Stack()
    with running_all(list(apps(stack).items()), stack.urls, first_port):
        yield stack


@contextmanager
def running_all(left: list[tuple[str, FastAPI]], urls: dict[str, str], port: int) -> Iterator[None]:
    """Run the apps in `left`, one inside the other, and note their addresses."""
    if not left:
        yield
        return
    (name, app), *rest = left
    with running(app, port) as url:
        urls[name] = url
        with running_all(rest, urls, port + 1 if port else 0):
            yield


def main() -> None:
    """Run the stand-ins until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first-port", type=int, default=24100)
    parser.add_argument("--delay", type=float, default=0.03)
    options = parser.parse_args()
    with running_stack(Stack(delay=options.delay), options.first_port):
        threading.Event().wait()


if __name__ == "__main__":
    main()
