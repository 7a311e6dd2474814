"""What a browser that has the page open sends, without the browser: for measuring many at once."""

import asyncio
import json
import secrets
import time
from collections.abc import Coroutine
from typing import Any

import httpx

from fakes.paced_vllm import MARK

QUESTION = "What can I do when I cannot sleep? Tell me in {words} words."
# A conversation goes on for so many questions; then the page is opened anew.
TURNS = 5
# What `/chat` takes after the message: style, model, temperature, length, history, language.
OTHERS = ("tsundere", "", 0.4, 160, None, "en")


class WrongReplyError(Exception):
    """A reply that did not come, or not whole."""


class Visitor:
    """Somebody with an open page.

    Args:
        http: to ask with; a connection pool of their own.
        page: address of the page.
        config: the page's own description of itself, as a browser gets it.
        words: of each reply.
    """

    def __init__(
        self, http: httpx.AsyncClient, page: str, config: dict[str, Any], words: int
    ) -> None:
        self.question = QUESTION.format(words=words)
        self.http = http
        self.api = f"{page}/gradio_api"
        self.session = secrets.token_hex(6)
        self.event = sending(config)
        self.events = config["dependencies"]
        self.parts = {part["id"]: part for part in config["components"]}
        self.values: dict[int, Any] = {}
        self.asked = 0

    async def by_page(self) -> float:
        """Ask as a browser does; return the seconds until the first piece of the reply."""
        if self.asked == TURNS:
            self.session, self.values, self.asked = secrets.token_hex(6), {}, 0
        box = next(key for key, part in self.parts.items() if elem_id(part) == "chat-box")
        self.values[box] = self.question
        body = self.body(self.event)
        began = time.perf_counter()
        joined = await self.http.post(f"{self.api}/queue/join", json=body)
        joined.raise_for_status()
        url, asked = f"{self.api}/queue/data", self.asked
        seconds = await self.first_piece(url, began, asked, session_hash=self.session)
        self.asked += 1
        return seconds

    async def by_api(self) -> float:
        """Ask as a program does."""
        began = time.perf_counter()
        asked = await self.http.post(
            f"{self.api}/call/chat", json={"data": [self.question, *OTHERS]}
        )
        asked.raise_for_status()
        return await self.first_piece(f"{self.api}/call/chat/{asked.json()['event_id']}", began)

    def value(self, item: int) -> Any:
        """Return what a component holds; what the server keeps itself is not sent."""
        if item in self.values:
            return self.values[item]
        return self.parts[item]["props"].get("value")

    def clocks(self, errors: list[str]) -> list[Coroutine[Any, Any, None]]:
        """Return what an open page does by itself: it asks for news as often as it says."""
        ticks = [
            (event, self.parts[target]["props"])
            for event in self.events
            for target, name in event["targets"]
            if name == "tick"
        ]
        return [
            self.tick(event, clock["value"], errors) for event, clock in ticks if clock["active"]
        ]

    async def tick(self, event: dict[str, Any], seconds: float, errors: list[str]) -> None:
        """Fire an event again and again."""
        while True:
            await asyncio.sleep(seconds)
            body = self.body(event)
            answer = await self.http.post(f"{self.api}/run/predict", json=body)
            if answer.status_code != 200:
                errors.append(f"tick: {answer.status_code} {answer.text[:200]}")

    def body(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return what a browser sends where an event happens."""
        return {
            "data": [self.value(item) for item in event["inputs"]],
            "fn_index": event["id"],
            "trigger_id": event["targets"][0][0],
            "event_data": None,
            "session_hash": self.session,
        }

    def keep(self, last: str) -> None:
        """Take over what an event put into the components, so that the chat goes on."""
        data = json.loads(last.removeprefix("data:"))["output"]["data"]
        for item, value in zip(self.event["outputs"], data, strict=True):
            changed = isinstance(value, dict) and value.get("__type__") == "update"
            if not changed:
                self.values[item] = value
            elif "value" in value:
                self.values[item] = value["value"]

    async def first_piece(self, url: str, began: float, before: int = 0, **query: str) -> float:
        """Read a stream to its end. Raises WrongReplyError where the reply is not whole.

        The page shows the replies of before with the question; what follows are differences.
        """
        seconds, last, old = 0.0, "", before
        async with self.http.stream("GET", url, params=query) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                if not seconds and (marks := line.count(MARK)):
                    if marks > old:
                        seconds = time.perf_counter() - began
                    old = 0
                last = line if "process_completed" in line or line.startswith("event:") else last
        if not seconds or '"success":false' in last or last == "event: error":
            raise WrongReplyError(f"{url}: {last[:300]}")
        if query:
            self.keep(last)
        return seconds


def elem_id(part: dict[str, Any]) -> str:
    """Return the id that a component has on the page."""
    return str(part["props"].get("elem_id") or "")


def sending(config: dict[str, Any]) -> dict[str, Any]:
    """Return the event of the Chat tab's button that sends."""
    button = next(part["id"] for part in config["components"] if elem_id(part) == "chat-send")
    clicks = [event for event in config["dependencies"] if [button, "click"] in event["targets"]]
    return next(event for event in clicks if event["backend_fn"] and event["queue"] is not False)
