"""The controls beside a conversation: style, model, sampling, and the system prompt in force."""

from collections.abc import Sequence
from html import escape
from typing import Any, Literal

import gradio as gr

from contracts.style import Style
from ui.catalog import BASE, Catalog, ServedModel
from ui.prompt import WITH_PREFIX, system_prompt
from ui.texts import Texts

Preference = Literal["base", "tuned"]
# Calm enough for a model of a few million weights, lively enough for a large one.
TEMPERATURE = 0.4
REPLY_TOKENS = 160
TEMPERATURE_STEP = 0.05
TOKENS_STEP = 16


class Panel:
    """Builds the controls into the current Gradio context.

    Args:
        models: for each model picker the locale key of its label and what it prefers.
        max_tokens: the longest reply that may be asked for.
    """

    def __init__(self, models: Sequence[tuple[str, Preference]], max_tokens: int) -> None:
        self.model_keys = [key for key, _ in models]
        self.preferences = [preference for _, preference in models]
        self.style = gr.Radio(choices=[], elem_classes="ts-styles", interactive=True)
        self.card = gr.HTML(elem_classes="ts-card-block")
        self.models = [
            gr.Dropdown(choices=[], interactive=True, filterable=False, elem_classes="ts-model")
            for _ in models
        ]
        with gr.Accordion(open=False, elem_classes="ts-fold") as self.sampling:
            self.temperature = gr.Slider(0, 1.5, value=TEMPERATURE, step=TEMPERATURE_STEP)
            self.max_tokens = gr.Slider(
                TOKENS_STEP, max_tokens, value=min(REPLY_TOKENS, max_tokens), step=TOKENS_STEP
            )
        with gr.Accordion(open=False, elem_classes="ts-fold ts-system-fold") as self.system_fold:
            self.system = gr.HTML(elem_classes="ts-system")
        self.inputs: list[Any] = [self.style, *self.models]
        self.outputs: list[Any] = [
            self.style,
            self.card,
            *self.models,
            self.sampling,
            self.temperature,
            self.max_tokens,
            self.system_fold,
            self.system,
        ]

    def chosen(self, catalog: Catalog, names: Sequence[str | None]) -> list[ServedModel | None]:
        """Return the models in force: those named, or what each picker prefers."""
        return [
            preferred(catalog, preference) if name is None else catalog.model(name)
            for name, preference in zip(names, self.preferences, strict=True)
        ]

    def render(self, texts: Texts, catalog: Catalog, *values: Any) -> list[Any]:
        """Return the updates of `outputs` for the chosen values of `inputs`."""
        style_id, *names = values
        models = self.chosen(catalog, [name or None for name in names])
        deciding = models[-1].name if models[-1] else None
        style = catalog.style_for(deciding, style_id)
        return [
            style_update(texts, catalog.styles_for(deciding), style),
            card_html(texts, style),
            *(
                model_update(texts, catalog, key, model)
                for key, model in zip(self.model_keys, models, strict=True)
            ),
            gr.update(label=texts("panel.sampling")),
            gr.update(label=texts("panel.temperature"), info=texts("panel.temperature_info")),
            gr.update(label=texts("panel.max_tokens")),
            gr.update(label=texts("panel.system")),
            system_html(texts, catalog, deciding, style),
        ]


def preferred(catalog: Catalog, preference: Preference) -> ServedModel | None:
    """Return the model that a picker starts with."""
    return catalog.model(BASE if preference == "base" else None)


def style_update(texts: Texts, styles: Sequence[Style], style: Style | None) -> Any:
    """Return the style picker's update: names in the reader's language, each with its emoji."""
    choices = [(f"{emoji_of(entry)} {name_of(texts, entry)}", entry.id) for entry in styles]
    return gr.update(choices=choices, value=style.id if style else None, label=texts("panel.style"))


def model_update(texts: Texts, catalog: Catalog, key: str, model: ServedModel | None) -> Any:
    """Return a model picker's update."""
    choices = [(model_label(texts, catalog, entry), entry.name) for entry in catalog.models]
    return gr.update(
        choices=choices or [(texts("panel.no_models"), "")],
        value=model.name if model else "",
        label=texts(key),
    )


def model_label(texts: Texts, catalog: Catalog, model: ServedModel) -> str:
    """Return a model as the picker names it."""
    if model.kind == "base":
        base = catalog.base.rsplit("/", 1)[-1]
        return texts("model.base", base=base) if base else texts("model.base_plain")
    if model.kind == "version":
        live = any(
            other.kind == "alias" and model.name == f"{other.name}.v{other.version}"
            for other in catalog.models
        )
        return model.name if live else texts("model.version", name=model.name)
    if not model.version:
        return texts("model.alias_plain", name=model.name)
    return texts("model.alias", name=model.name, version=model.version)


def name_of(texts: Texts, style: Style) -> str:
    """Return a style's name in the reader's language."""
    return str(getattr(style.names, texts.language))


def emoji_of(style: Style) -> str:
    """Return the style's first emoji; a quiet mark where its card has none."""
    return style.lexicon.emoji[0] if style.lexicon.emoji else "·"


def card_html(texts: Texts, style: Style | None) -> str:
    """Return the description of the chosen style."""
    if style is None:
        return f'<p class="ts-faint">{texts("panel.no_styles")}</p>'
    traits = "".join(f"<li>{escape(trait)}</li>" for trait in style.traits)
    return (
        f'<div class="ts-card"><span class="ts-glyph" aria-hidden="true">{escape(emoji_of(style))}'
        f"</span><div><h3>{escape(name_of(texts, style))}</h3>"
        f"<p>{escape(str(getattr(style.description, texts.language)))}</p>"
        f'<ul lang="{style.language}">{traits}</ul></div></div>'
    )


def system_html(texts: Texts, catalog: Catalog, name: str | None, style: Style | None) -> str:
    """Return the system prompt in force, and where it comes from."""
    conditioning = catalog.conditioning_for(name)
    prompt = system_prompt(style, conditioning)
    manifest = catalog.manifest_for(name)
    notes = []
    if not prompt:
        notes.append(texts("panel.system_none"))
    elif manifest:
        notes.append(texts("panel.system_from", model=manifest.id))
    else:
        notes.append(texts("panel.system_library"))
    if conditioning in WITH_PREFIX:
        notes.append(texts("panel.prefix_note"))
    quote = f"<blockquote>{escape(prompt)}</blockquote>" if prompt else ""
    return quote + "".join(f'<p class="ts-faint">{escape(note)}</p>' for note in notes)
