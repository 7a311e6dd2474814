"""What one does with whole conversations: open, begin, name, delete, take along, bring in."""

import json
from typing import Any

import gradio as gr

from ui.access.visitors import current_user
from ui.catalog import Catalog
from ui.chat.panel import Panel
from ui.chat.screen import Screen, read_screen
from ui.chat.turns import hidden, visible
from ui.errors import StoreError
from ui.events import QUICK, private
from ui.kept.conversation_file import as_json, as_markdown, imported, read_file
from ui.kept.conversations import PAGE, Conversation
from ui.kept.keeping import Keeping
from ui.kept.scribe import in_store
from ui.scripts import script
from ui.tabs.chat.actions import Actions
from ui.tabs.chat.dialogue import Dialogue, Updates, storable
from ui.tabs.chat.history_list import HistoryList
from ui.tabs.chat.verdicts import Verdicts
from ui.tabs.chat.window import Window
from ui.texts import Texts, texts_for

TYPES = {"json": "application/json", "markdown": "text/markdown"}
ENDINGS = {"json": "json", "markdown": "md"}


class Desk:
    """The events of whole conversations.

    Args:
        kept: where they are kept.
        window: what shows one.
        history: what lists them.
        actions: the buttons at the title.
        panel: how is asked.
        dialogue: what is being said.
        verdicts: what is thought of it.
    """

    def __init__(
        self,
        kept: Keeping,
        window: Window,
        history: HistoryList,
        actions: Actions,
        *,
        panel: Panel,
        dialogue: Dialogue,
        verdicts: Verdicts,
    ) -> None:
        self.kept = kept
        self.window = window
        self.history = history
        self.actions = actions
        self.panel = panel
        self.dialogue = dialogue
        self.verdicts = verdicts

    def wire(self, language: gr.Radio) -> None:
        """Connect the list, the pickers, and what the browser remembers."""
        window, history = self.window, self.history
        shown = [*window.outputs, *self.panel.outputs, *self.actions.asked]
        known = [window.screen, language]
        window.current.change(self.recall, [window.current, *known], shown, **QUICK)
        listed = [history.reach, history.listed]
        history.listed.click(self.pick, history.inputs, [*listed, *shown], **QUICK)
        history.new.click(self.begin, [language], shown, **QUICK)
        window.below.click(self.below, known, [*shown, self.verdicts.judged], **QUICK)
        self.wire_actions(language, shown)

    def wire_actions(self, language: gr.Radio, shown: list[Any]) -> None:
        """Connect the buttons at the title, and the files."""
        actions, history = self.actions, self.history
        known = [self.window.screen, language]
        again: dict[str, Any] = {"inputs": history.inputs, "outputs": [history.listed], **QUICK}
        asked = [*actions.asked, actions.title]
        actions.buttons["rename"].click(self.ask_name, [self.window.screen], asked, **QUICK)
        actions.buttons["delete"].click(self.ask_delete, [self.window.screen], asked, **QUICK)
        gr.on([actions.keep_name.click, actions.spare_it.click], self.close, None, asked, **QUICK)
        named = [actions.name_it.click, actions.title.submit]
        renamed = gr.on(named, self.rename, [actions.title, *known], shown, **QUICK)
        renamed.then(history.refresh, **again)
        actions.delete_it.click(self.delete, known, shown, **QUICK).then(history.refresh, **again)
        told = [self.window.composer.problem, self.window.composer.failed]
        for kind in TYPES:
            inputs = [gr.State(kind), *known]
            button = actions.buttons[kind]
            made = button.click(self.export, inputs, [actions.made, *told], **QUICK)
            made.then(None, [actions.made], [actions.made], js=script("save.js"), **private())
        # The file is read where Gradio put it, so that this event alone is preprocessed.
        brought = history.bring.upload(
            self.bring_in, [history.bring, language], shown, queue=False, **private()
        )
        brought.then(history.refresh, **again)

    async def shown(self, name: str, texts: Texts) -> Updates:
        """Return the updates that show a conversation; one that is not theirs is not there."""
        user = current_user()
        await self.dialogue.settle(user, name)
        try:
            screen = await in_store(read_screen, self.kept, user, name)
        except StoreError as error:
            return self.emptied(texts) | self.window.failed(texts, Catalog(), error)
        catalog = await self.dialogue.talk.source.known()
        return self.quiet(texts) | {
            **self.window.opened(texts, screen),
            **self.panel.restored(texts, catalog, screen.setup),
        }

    def quiet(self, texts: Texts) -> Updates:
        """Return the updates that take back what was asked or told before."""
        closed = dict.fromkeys(self.actions.asked, hidden())
        return closed | self.window.failed(texts, Catalog(), None)

    def emptied(self, texts: Texts) -> Updates:
        """Return the updates that show nothing yet; how is asked stays as it is."""
        return self.quiet(texts) | self.window.opened(texts, Screen())

    async def recall(self, name: Any, screen: Screen, language: Any) -> Updates:
        """Open what the browser remembers, unless it is open already."""
        if str(name or "") == screen.id:
            return {self.window.composer.box: gr.skip()}
        await self.dialogue.leave()
        return await self.shown(str(name), texts_for(language))

    async def pick(
        self, event: gr.EventData, search: Any, reach: Any, current: Any, language: Any
    ) -> Updates:
        """Open what was picked from the list, or list more."""
        if event._data.get("act") == "more":
            reach = int(reach or PAGE) + PAGE
            listed = await self.history.refresh(search, reach, current, language)
            return {self.history.reach: reach, self.history.listed: listed}
        await self.dialogue.leave()
        return await self.shown(str(event._data.get("id") or ""), texts_for(language))

    async def begin(self, language: Any) -> Updates:
        """Begin another conversation; it is kept once something is said."""
        await self.dialogue.leave()
        return self.emptied(texts_for(language)) | {self.window.composer.box: gr.skip()}

    async def below(self, event: gr.EventData, screen: Screen, language: Any) -> Updates:
        """Show another branch, or ask about a correction once more."""
        chosen, texts = str(event._data.get("id") or ""), texts_for(language)
        if event._data.get("act") == "correct":
            return self.verdicts.resume(chosen, screen, language)
        await self.dialogue.leave()
        switch = self.kept.conversations.switch
        try:
            message = int(chosen) if chosen.isdecimal() else 0
            await in_store(switch, current_user(), screen.id, message)
            shown = await in_store(read_screen, self.kept, current_user(), screen.id)
        except StoreError as error:
            return self.window.failed(texts, Catalog(), error)
        return self.window.opened(texts, shown) | self.window.failed(texts, Catalog(), None)

    def ask_name(self, screen: Screen) -> list[Any]:
        """Ask for another title."""
        title = gr.update(value=screen.title)
        return [visible() if screen.id else hidden(), hidden(), title]

    def ask_delete(self, screen: Screen) -> list[Any]:
        """Ask whether it shall be deleted."""
        return [hidden(), visible() if screen.id else hidden(), gr.skip()]

    def close(self) -> list[Any]:
        """Ask no more."""
        return [hidden(), hidden(), gr.skip()]

    async def rename(self, title: Any, screen: Screen, language: Any) -> Updates:
        """Give what is open another title."""
        texts = texts_for(language)
        rename = self.kept.conversations.rename
        try:
            await in_store(rename, current_user(), screen.id, storable(title))
            screen = await in_store(read_screen, self.kept, current_user(), screen.id)
        except StoreError as error:
            return self.window.failed(texts, Catalog(), error)
        return self.quiet(texts) | self.window.titled(screen)

    async def delete(self, screen: Screen, language: Any) -> Updates:
        """Delete what is open, after the reader was asked."""
        texts = texts_for(language)
        await self.dialogue.leave()
        try:
            await in_store(self.kept.conversations.delete, current_user(), screen.id)
        except StoreError as error:
            return self.window.failed(texts, Catalog(), error)
        return self.emptied(texts)

    async def export(self, kind: str, screen: Screen, language: Any) -> list[Any]:
        """Return what is open as a file for the browser to save."""
        texts = texts_for(language)
        try:
            made = await in_store(self.as_text, current_user(), screen.id, kind, texts)
        except StoreError as error:
            return ["", *self.window.failed(texts, Catalog(), error).values()]
        return [made, *self.window.failed(texts, Catalog(), None).values()]

    def as_text(self, user: str, name: str, kind: str, texts: Texts) -> str:
        """Return a conversation's file: its name, its type, and what is in it."""
        found = self.kept.conversations.get(user, name)
        tree = self.kept.conversations.tree(user, name)
        names = (texts("history.person"), texts("history.model"))
        text = as_json(found, tree) if kind == "json" else as_markdown(found, tree, names)
        file = {"name": f"{found.id}.{ENDINGS[kind]}", "type": TYPES[kind], "text": text}
        return json.dumps(file, ensure_ascii=False)

    async def bring_in(self, content: bytes | None, language: Any) -> Updates:
        """Keep a conversation that comes as a file, and open it."""
        texts = texts_for(language)
        await self.dialogue.leave()
        try:
            found = await in_store(self.brought, current_user(), content or b"")
        except StoreError as error:
            return self.window.failed(texts, Catalog(), error)
        return await self.shown(found.id, texts)

    def brought(self, user: str, content: bytes) -> Conversation:
        """Keep the conversation in a file. Raises StoreError."""
        return imported(self.kept.conversations, user, read_file(content))
