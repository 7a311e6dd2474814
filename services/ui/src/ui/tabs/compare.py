"""The same question to two or three models side by side: what the training changed."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from contracts.sample import Message
from ui.access.visitors import current_user
from ui.catalog import Catalog
from ui.chat.conversation import Conversation, failure_html
from ui.chat.panel import Panel, Preference
from ui.chat.talk import history_of
from ui.errors import StoreError
from ui.events import QUICK
from ui.kept.conversation_file import ConversationFile, Line, imported
from ui.kept.conversations import CONTENT_LENGTH, Setup
from ui.kept.kept_turn import exact_name
from ui.kept.scribe import in_store
from ui.tabs.tab import Handle, Part, Workbench
from ui.tabs.talking import choices_of
from ui.texts import texts_for

PICKERS: list[tuple[str, Preference]] = [
    ("compare.left", "base"),
    ("compare.right", "tuned"),
    ("compare.third", "none"),
]
# The Chat tab's memory of what is open: whoever writes an id into it opens that conversation.
OPEN_IN_CHAT = "chat-current"


class Compare:
    """Builds the tab into the current Gradio context.

    Args:
        bench: what tabs are built with.
    """

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        with gr.Row(elem_classes="ts-stage"):
            with gr.Column(elem_classes="ts-panel", scale=0, min_width=300):
                self.panel = Panel("compare", PICKERS, bench.settings.max_tokens)
            with gr.Column(elem_classes="ts-talk", scale=1, min_width=300):
                empty = ["compare.empty", "compare.hint"]
                self.talk = Conversation(bench.talk, self.panel, "compare", empty)
        self.talk.wire(bench.language)
        self.wire_onward()

    def wire_onward(self) -> None:
        """Connect the ways from a column to the Chat tab."""
        below = self.talk.composer
        outputs = [component(OPEN_IN_CHAT), self.bench.tabs, below.problem, below.failed]
        for place, (button, column) in enumerate(
            zip(self.talk.onward, self.talk.columns, strict=True)
        ):
            button.click(
                self.go_on,
                [gr.State(place), column, *self.panel.controls, self.bench.language],
                outputs,
                **QUICK,
            )

    async def go_on(self, place: int, column: Any, *values: Any) -> list[Any]:
        """Keep what a column says as a conversation, and open it in the Chat tab."""
        said, texts = taking_turns(history_of(column)), texts_for(values[-1])
        if not said:
            return [gr.skip()] * 4
        setup = self.panel.setup(values[:-1])
        catalog = await self.bench.talk.source.known()
        store = self.bench.kept.conversations
        try:
            file = file_of(setup, place, said, catalog)
            found = await in_store(imported, store, current_user(), file)
        except StoreError as error:
            return [gr.skip(), gr.skip(), failure_html(texts, Catalog(), error), error]
        return [found.id, gr.Tabs(selected="chat"), "", None]

    def handle(self) -> Handle:
        """Return how the tab is rendered."""
        talk, below = self.talk, self.talk.composer
        return Handle(
            choices_of(self.bench, self.panel, talk.chosen, talk.render_chosen),
            Part([below.failed, talk.columns[0]], talk.worded, talk.render_worded),
            Part([below.failed], [below.problem], below.render_healed),
            talk.kept,
        )


def file_of(
    setup: Setup, place: int, said: Sequence[Message], catalog: Catalog
) -> ConversationFile:
    """Return what a column says as a conversation; the question before it is its title.

    Raises StoreError `too_long` for a reply that no conversation keeps.
    """
    name = setup.models[place]
    model = catalog.model(name or None)
    style = "" if setup.system.strip() else setup.style
    asked_for = {"model": exact_name(model) if model else name, "style": style}
    turns = taking_turns(said)
    if any(len(message.content) > CONTENT_LENGTH for message in turns):
        raise StoreError("too_long", limit=CONTENT_LENGTH)
    lines = [
        Line.model_validate(
            {
                "parent": number - 1 if number else None,
                "role": message.role,
                "content": message.content,
                **(asked_for if message.role == "assistant" else {}),
            }
        )
        for number, message in enumerate(turns)
    ]
    return ConversationFile(
        title=" ".join(turns[0].content.split())[:80],
        setup=setup.model_copy(update={"models": [name]}),
        messages=lines,
    )


def taking_turns(said: Sequence[Message]) -> list[Message]:
    """Return a talk in which question and answer take turns: what was not answered is left out."""
    turns: list[Message] = []
    for message in said:
        if turns and turns[-1].role == message.role:
            turns.pop()
        if turns or message.role == "user":
            turns.append(message)
    return turns


def component(elem_id: str) -> Any:
    """Return a component of a tab that was built before. Raises StopIteration."""
    blocks = gr.context.Context.root_block
    assert blocks is not None
    return next(
        block for block in blocks.blocks.values() if getattr(block, "elem_id", None) == elem_id
    )


def build(bench: Workbench) -> Handle:
    """Build the tab into the current Gradio context."""
    return Compare(bench).handle()
