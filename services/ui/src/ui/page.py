"""The page: a header, what stands in the way, and the tabs; in two languages.

Every word reaches the page through `render` functions, so that one event can change them all
and touch nothing else: the conversation survives a change of language.
"""

import json
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import api

from contracts.style import Language
from ui.access.visitors import current_user
from ui.api import chat_endpoint
from ui.blocks import FrugalBlocks
from ui.catalog import Catalog
from ui.chat.talk import Talk
from ui.config import UiSettings
from ui.events import QUICK, private
from ui.kept.keeping import Keeping
from ui.look import FOLDER as LOOK
from ui.look import mark
from ui.notices import notice_html
from ui.tabs import FIRST_TAB, TABS
from ui.tabs.tab import Handle, Part, Workbench, rendered
from ui.texts import DEFAULT, LANGUAGES, Texts, accepted_language, as_language, texts_for, texts_in
from ui.you import BACK, WHO, you_html

# A promotion shows on open pages after this many seconds at most.
REFRESH_SECONDS = 5.0
# Files that people sent or fetched: how often it is looked for old ones, and their age then.
CACHE_SECONDS = (600, 3600)
# What a component says, whatever it is set to.
WORDS = frozenset({"label", "placeholder", "info"})
LANGUAGE_NAMES = [("中文", "zh"), ("English", "en")]


class Page:
    """Builds the Gradio blocks.

    Args:
        settings: the page's settings.
        talk: asks the models.
        kept: what people said, and their votes.
    """

    def __init__(self, settings: UiSettings, talk: Talk, kept: Keeping) -> None:
        self.settings = settings
        self.talk = talk
        self.kept = kept
        self.handles: list[Handle] = []
        with FrugalBlocks(
            title="Tonesmith", analytics_enabled=False, fill_width=True, delete_cache=CACHE_SECONDS
        ) as blocks:
            self.build()
            self.wire(blocks)
            api(chat_endpoint(talk), api_name="chat")
        blocks.queue(
            max_size=settings.queue_size,
            default_concurrency_limit=settings.concurrent_chats,
            api_open=False,
        )
        self.blocks = blocks

    @property
    def first_language(self) -> Language:
        """The language before the reader's is known."""
        return as_language(self.settings.language) or DEFAULT

    def build(self) -> None:
        """Build the header and the tabs."""
        texts = texts_in(self.first_language)
        with gr.Row(elem_id="ts-header"):
            self.brand = gr.HTML(brand_html(texts), elem_id="ts-brand")
            self.language = gr.Radio(
                LANGUAGE_NAMES,
                value=texts.language,
                show_label=False,
                container=False,
                elem_id="ts-language",
                scale=0,
            )
            self.person = gr.HTML(elem_id="ts-person")
            self.theme = gr.Button("◐", elem_id="ts-theme", size="sm", scale=0, min_width=40)
        self.notice = gr.HTML(elem_id="ts-notice")
        with gr.Tabs(elem_id="ts-tabs", selected=FIRST_TAB) as row:
            self.tabs = []
            for tab in TABS:
                title = texts(f"tab.{tab.id}")
                with gr.Tab(title, id=tab.id, elem_id=f"ts-tab-{tab.id}") as item:
                    bench = Workbench(self.settings, self.talk, self.kept, self.language, item, row)
                    self.handles.append(tab.build(bench))
                self.tabs.append(item)
        for part in (part for handle in self.handles for part in (handle.choices, handle.words)):
            nothing = [None] * len(part.inputs)
            label(part.outputs, part.render(texts, Catalog(), *nothing))

    def wire(self, blocks: gr.Blocks) -> None:
        """Connect loading, the language, and the clock."""
        choices = [handle.choices for handle in self.handles]
        parts = [*choices, *(handle.words for handle in self.handles)]
        titles = [self.brand, self.person, *self.tabs]
        everything = [self.notice, *outputs_of(parts), *titles]
        kept = [item for handle in self.handles for item in handle.kept]
        # What the page was last made from, and a bell that rings when that is no longer true.
        seen, bell = gr.State(""), gr.Textbox(visible=False)
        loading = blocks.load(
            self.load,
            [self.language, *inputs_of(parts)],
            [self.language, seen, *everything],
            js=script("load.js"),
            **QUICK,
        )
        more = {name: texts_in(name)("app.more_tabs") for name in LANGUAGES}
        tell = {"js": script("language.js", more=more), **private()}
        loading.then(None, [self.language], None, **tell)
        self.language.input(None, [self.language], None, **tell)
        self.language.input(
            self.speak, [self.language, *inputs_of(parts)], [seen, *everything], **QUICK
        )
        self.wire_scripts(blocks)
        blocks.load(None, kept, kept, js=script("recall.js"), **private())
        gr.on([item.change for item in kept], None, kept, None, js=script("keep.js"), **private())
        ticked = [seen, bell, self.notice]
        gr.Timer(REFRESH_SECONDS).tick(self.tick, [seen, self.language], ticked, **QUICK)
        changing = [*choices, *(handle.healing for handle in self.handles)]
        offered = [self.notice, *outputs_of(changing)]
        bell.change(self.offer, [self.language, *inputs_of(changing)], offered, **QUICK)

    def wire_scripts(self, blocks: gr.Blocks) -> None:
        """Connect what only the browser does: theme, menu, address, and a log-in that ran out."""
        root = self.settings.root_path.rstrip("/")
        way = f"/login?next={BACK}" if self.settings.auth == "users" else BACK
        words = {
            name: {"title": texts("you.expired"), "enter": texts("you.enter_again")}
            for name, texts in ((name, texts_in(name)) for name in LANGUAGES)
        }
        again = script("again.js", words=words, way=root + way, who=root + WHO)
        address = script("tabs.js", ids=[tab.id for tab in TABS], first=FIRST_TAB)
        for code in (again, script("menu.js"), script("leave.js"), address):
            blocks.load(None, None, None, js=code, **private())
        for tab, item in zip(TABS, self.tabs, strict=True):
            opened = f"() => window.tonesmithTab?.({json.dumps(tab.id)})"
            item.select(None, None, None, js=opened, **private())
        self.theme.click(None, None, None, js=script("theme.js"), **private())

    async def load(self, request: gr.Request, stored: Any, *values: Any) -> list[Any]:
        """Choose the language (remembered, set by the operator, or the browser's), and render."""
        language = (
            as_language(stored)
            or as_language(self.settings.language)
            or accepted_language(request.headers.get("accept-language", ""))
        )
        return [language, *await self.speak(language, *values)]

    async def speak(self, language: Any, *values: Any) -> list[Any]:
        """Return what the page is made from, and all that it says and offers."""
        catalog = self.shown(await self.talk.source.catalog())
        texts = texts_for(language)
        parts = [handle.choices for handle in self.handles]
        parts += [handle.words for handle in self.handles]
        titles = [gr.update(label=texts(f"tab.{tab.id}")) for tab in TABS]
        return [
            fingerprint(catalog),
            notice_html(texts, catalog),
            *rendered(parts, texts, catalog, values),
            brand_html(texts),
            you_html(texts, current_user(), self.settings.auth, self.settings.root_path),
            *titles,
        ]

    async def offer(self, language: Any, *values: Any) -> list[Any]:
        """Return what the page offers; its words stay, and so does what was said."""
        catalog = self.shown(await self.talk.source.known())
        texts = texts_for(language)
        parts = [handle.choices for handle in self.handles]
        parts += [handle.healing for handle in self.handles]
        return [notice_html(texts, catalog), *rendered(parts, texts, catalog, values)]

    async def tick(self, seen: Any, language: Any) -> list[Any]:
        """Ring the bell if the services offer something else than the page was made from.

        How far a training run is goes into the notice only: a reader who chooses just now keeps
        the choice.
        """
        catalog = self.shown(await self.talk.source.catalog())
        now = fingerprint(catalog)
        texts = texts_for(language)
        notice = notice_html(texts, catalog) if catalog.progress else gr.skip()
        return [now, gr.skip() if now == seen else now, notice]

    def shown(self, catalog: Catalog) -> Catalog:
        """Return what the page shows: that it ends itself comes before all else."""
        return replace(catalog, state="leaving") if self.talk.drain.draining else catalog


def inputs_of(parts: list[Part]) -> list[Any]:
    """Return the inputs of all parts."""
    return [item for part in parts for item in part.inputs]


def outputs_of(parts: list[Part]) -> list[Any]:
    """Return the outputs of all parts."""
    return [item for part in parts for item in part.outputs]


def label(components: list[Any], updates: list[Any]) -> None:
    """Write words into components that are being built, so that no page opens without them."""
    for component, update in zip(components, updates, strict=True):
        words = update if isinstance(update, dict) else {}
        for name in WORDS & words.keys():
            setattr(component, name, words[name])
        if isinstance(component, gr.Button):
            component.value = words["value"]


def fingerprint(catalog: Catalog) -> str:
    """Return a short text that changes when what the page offers does."""
    models = ",".join(f"{model.name}:{model.version}" for model in catalog.models)
    styles = ",".join(style.id for style in catalog.library)
    return f"{catalog.state}|{catalog.holder}|{catalog.reasons}|{models}|{styles}"


def brand_html(texts: Texts) -> str:
    """Return the mark, the name and the line below it."""
    return (
        f'<div class="ts-brand">{mark()}<div><h1>{escape(texts("app.name"))}'
        f'<small lang="zh-CN">{escape(texts("app.subtitle"))}</small></h1>'
        f"<p>{escape(texts('app.tagline'))}</p></div></div>"
    )


def script(name: str, **values: object) -> str:
    """Return one of the page's scripts: a function, without the comment above it.

    Args:
        name: its file.
        values: what takes the place of `__NAME__` in it, as JSON.
    """
    lines = (Path(LOOK) / name).read_text(encoding="utf-8").splitlines()
    code = "\n".join(line for line in lines if not line.startswith("//"))
    for key, value in values.items():
        code = code.replace(f"__{key.upper()}__", json.dumps(value, ensure_ascii=False))
    return code
