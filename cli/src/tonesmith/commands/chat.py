"""`tonesmith chat`: talk to a served model, one message or a dialogue."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.markup import escape

from client import ServingClient
from contracts.sample import Message
from kit.errors import InvalidInputError
from tonesmith.session import AsJson, Session, session_of
from tonesmith.voice import Voice, find_voice

LEAVE = frozenset({"/quit", "/exit"})
One = Annotated[
    str | None, typer.Option("--message", "-m", help="One message; default: a dialogue.")
]
StyleId = Annotated[str | None, typer.Option("--style", help="Style id; default: the first.")]


def add_to(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("chat")(chat)


def chat(
    context: typer.Context,
    message: One = None,
    style: StyleId = None,
    model: Annotated[str, typer.Option(help="Served name, or base.")] = "tonesmith",
    temperature: Annotated[float, typer.Option(min=0, max=2)] = 0.7,
    max_tokens: Annotated[int, typer.Option(min=1, max=4096)] = 96,
    as_json: AsJson = False,
) -> None:
    """Talk to a model in a style; the reply is streamed."""
    session = session_of(context)
    screen = session.show(as_json)
    if as_json and message is None:
        raise InvalidInputError("--json needs a message", field="--message", hint="add -m TEXT")
    with session.trainer() as trainer:
        voice = find_voice(trainer, model, style)
    talk = Talk(session, voice, model, temperature, max_tokens)
    if message is None:
        talk.dialogue()
        return
    reply = talk.answer(message)
    screen.result({"model": model, "style": voice.style, "message": message, "reply": reply})


class Talk:
    """A dialogue with one model in one style.

    Args:
        session: where to show it.
        voice: the style and its system prompt.
        model: served name.
        temperature, max_tokens: as in an OpenAI request.
    """

    def __init__(
        self, session: Session, voice: Voice, model: str, temperature: float, max_tokens: int
    ) -> None:
        self.session = session
        self.voice = voice
        self.model = model
        self.temperature = temperature
        self.max_tokens = max_tokens
        self.history: list[Message] = []

    def answer(self, text: str) -> str:
        """Send a message, show the reply as it comes, remember both, and return the reply."""
        asked = Message(role="user", content=text)
        out, quiet = self.session.screen.out, self.session.screen.as_json
        pieces = []
        with self.session.serving() as serving:
            for piece in self.stream(serving, [*self.voice.system, *self.history, asked]):
                pieces.append(piece)
                if not quiet:
                    out.print(escape(piece), end="")
        if not quiet:
            out.print()
        reply = "".join(pieces)
        self.history += [asked, Message(role="assistant", content=reply)]
        return reply

    def stream(self, serving: ServingClient, messages: list[Message]) -> Iterator[str]:
        """Yield the reply to `messages` piece by piece."""
        return serving.stream_chat(
            self.model, messages, temperature=self.temperature, max_tokens=self.max_tokens
        )

    def dialogue(self) -> None:
        """Ask for messages and answer them until the user leaves."""
        screen = self.session.screen
        screen.note(f"[dim]{self.model} as {self.voice.style or 'plain'}; leave with /quit[/]")
        while True:
            try:
                text = screen.out.input("[bold cyan]you>[/] ").strip()
            except (EOFError, KeyboardInterrupt):
                return
            if text in LEAVE:
                return
            if text:
                self.answer(text)
