"""One question and its reply, kept as it comes; goes on by itself until it ends or is stopped."""

import asyncio
import time
from contextlib import aclosing

from ui.catalog import Catalog, ServedModel
from ui.chat.talk import Question, Reply, Talk
from ui.errors import ProblemError, StoreError
from ui.kept.scribe import Scribe, in_store

# A reply that grows is written down so often: what a page that dies may lose of it.
SAVE_SECONDS = 2.0


class KeptTurn:
    """Begins when it is made: the question is kept beside the stream, not before it.

    Args:
        talk: asks the model.
        scribe: keeps what is said.
        question: to one model.
    """

    def __init__(self, talk: Talk, scribe: Scribe, question: Question) -> None:
        self.talk = talk
        self.scribe = scribe
        self.question = question
        self.reply = Reply("", None, finished=False)
        # Why there is no reply, or none that is whole; and why something could not be kept.
        self.problem: ProblemError | None = None
        self.refusal: StoreError | None = None
        self.stopped = self.muted = False
        self._asked = ("", "")
        self._news = asyncio.Event()
        self._saved_at = time.monotonic()
        self._saving: asyncio.Task[None] | None = None
        self._listening = asyncio.create_task(self._listen())
        self.task = asyncio.create_task(self._run())

    @property
    def ended(self) -> bool:
        """Whether nothing will happen any more, in the store neither."""
        return self.task.done()

    @property
    def kept(self) -> bool:
        """Whether the question is in the store."""
        return self.scribe.question is not None

    def stop(self) -> None:
        """End the generation; what was said so far is kept."""
        if not self._listening.done():
            self.stopped = True
            self._listening.cancel()

    async def leave(self, seconds: float) -> None:
        """Stop for a page that shows something else now; return when all is kept, or in time."""
        self.muted = True
        self.stop()
        await asyncio.wait({self.task}, timeout=seconds)

    async def changed(self) -> None:
        """Return when the reply grew or ended, and at every beat of the stream."""
        await self._news.wait()
        self._news.clear()

    async def _run(self) -> None:
        keeping = asyncio.create_task(self._keep_question())
        try:
            await asyncio.wait({self._listening})
            if not self._listening.cancelled():
                self._listening.result()
        except ProblemError as problem:
            self.problem = problem
        finally:
            # By then `task` is done for whoever waits, whatever it ended with.
            try:
                await keeping
                await self._end()
            finally:
                asyncio.get_running_loop().call_soon(self._news.set)

    async def _listen(self) -> None:
        catalog = await self.talk.source.known()
        self._asked = asked_of(catalog, self.question)
        async with aclosing(self.talk.stream(self.question)) as states:
            async for (self.reply,) in states:
                self._news.set()
                self._save_if_due()

    def _save_if_due(self) -> None:
        idle = self._saving is None or self._saving.done()
        if idle and self.kept and time.monotonic() - self._saved_at > SAVE_SECONDS:
            self._saving = asyncio.create_task(self._keep_reply(whole=False))

    async def _end(self) -> None:
        if self._saving:
            await self._saving
        self.problem = self.problem or self.reply.problem
        if self.kept:
            whole = self.reply.finished and not self.stopped and not self.problem
            await self._keep_reply(whole=whole)

    async def _keep_question(self) -> None:
        try:
            await in_store(self.scribe.ask)
        except StoreError as error:
            self.refusal = error
            self._listening.cancel()
        self._news.set()

    async def _keep_reply(self, *, whole: bool) -> None:
        text = self.reply.text
        if not text.strip():
            return
        try:
            await in_store(lambda: self.scribe.answer(text, self._asked, whole=whole))
        except StoreError as error:
            self.refusal = error
        self._saved_at = time.monotonic()


def asked_of(catalog: Catalog, question: Question) -> tuple[str, str]:
    """Return the model and the style that a reply is from; no style where the reader's own words
    stand in its place."""
    model = catalog.model(question.models[0])
    style = catalog.style_for(model.name if model else None, question.style)
    named = style.id if style and not question.system.strip() else ""
    return (exact_name(model) if model else "", named)


def exact_name(model: ServedModel) -> str:
    """Return the name by which a model is known for ever: an alias is another one tomorrow."""
    return (
        f"{model.name}.v{model.version}" if model.kind == "alias" and model.version else model.name
    )
