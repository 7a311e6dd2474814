"""The controls beside a conversation: style, model, sampling, and the system prompt in force."""

from collections.abc import Sequence
from html import escape
from typing import Any, Literal

import gradio as gr

from contracts.style import Style
from ui.catalog import BASE, Catalog, ServedModel
from ui.chat.prompt import WITH_PREFIX, system_prompt
from ui.kept.conversations import NAME_LENGTH, Setup
from ui.texts import Texts

# A picker that prefers none may stay empty.
Preference = Literal["base", "tuned", "none"]
NONE = "-"
# Calm enough for a model of a few million weights, lively enough for a large one.
TEMPERATURE, TEMPERATURE_STEP, TEMPERATURE_LIMIT = 0.4, 0.05, 1.5
TOP_P_STEP = 0.05
REPLY_TOKENS, TOKENS_STEP = 160, 16
# What a browser can count.
SEED_LIMIT = 2**53
SYSTEM_LENGTH = 8000
# What a panel's controls are beside its models: the style, the own prompt, and four that sample.
BESIDE_MODELS = 6


class Panel:
    """Builds the controls into the current Gradio context.

    Args:
        name: prefix of the elements' ids.
        models: for each model picker the locale key of its label and what it prefers.
        max_tokens: the longest reply that may be asked for.
    """

    def __init__(self, name: str, models: Sequence[tuple[str, Preference]], max_tokens: int):
        self.model_keys = [key for key, _ in models]
        self.preferences = [preference for _, preference in models]
        self.longest = max_tokens
        self.style = gr.Radio(
            choices=[], elem_id=f"{name}-style", elem_classes="ts-styles", interactive=True
        )
        self.card = gr.HTML(elem_classes="ts-card-block")
        self.models = [
            gr.Dropdown(choices=[], interactive=True, filterable=False, elem_classes="ts-model")
            for _ in models
        ]
        with gr.Accordion(open=False, elem_classes="ts-fold ts-system-fold") as self.system_fold:
            self.system = gr.HTML(elem_classes="ts-system", elem_id=f"{name}-system")
            self.own = gr.Textbox(
                lines=3, max_lines=8, max_length=SYSTEM_LENGTH, elem_id=f"{name}-own"
            )
        self.sampling = gr.Accordion(open=False, elem_classes="ts-fold", elem_id=f"{name}-sampling")
        with self.sampling:
            self.build_sampling(name)
        # What rendering depends on, what it changes, and what a question is asked with.
        self.inputs: list[Any] = [self.style, *self.models, self.own]
        self.outputs: list[Any] = [
            self.style,
            self.card,
            *self.models,
            self.system_fold,
            self.system,
            self.own,
            self.sampling,
            self.temperature,
            self.top_p,
            self.max_tokens,
            self.seed,
        ]
        self.sliders: list[Any] = [self.temperature, self.top_p, self.max_tokens, self.seed]
        self.controls: list[Any] = [*self.inputs, *self.sliders]

    def build_sampling(self, name: str) -> None:
        """Build how the next word is drawn."""
        self.temperature = gr.Slider(0, TEMPERATURE_LIMIT, value=TEMPERATURE, step=TEMPERATURE_STEP)
        self.top_p = gr.Slider(TOP_P_STEP, 1, value=1, step=TOP_P_STEP)
        self.max_tokens = gr.Slider(
            TOKENS_STEP, self.longest, value=min(REPLY_TOKENS, self.longest), step=TOKENS_STEP
        )
        self.seed = gr.Number(
            value=None, precision=0, minimum=0, maximum=SEED_LIMIT, elem_id=f"{name}-seed"
        )

    def chosen(self, catalog: Catalog, names: Sequence[Any]) -> list[ServedModel | None]:
        """Return the models in force: those named, or what each picker prefers."""
        return [
            preferred(catalog, preference, str(name or ""))
            for name, preference in zip(names, self.preferences, strict=True)
        ]

    def render(self, texts: Texts, catalog: Catalog, *values: Any) -> list[Any]:
        """Return the updates of `outputs` for the chosen values of `inputs`."""
        style_id, *names, own = values
        models = self.chosen(catalog, names)
        deciding = deciding_name(models)
        style = catalog.style_for(deciding, style_id)
        pickers = zip(self.model_keys, models, self.preferences, strict=True)
        return [
            style_update(texts, catalog.styles_for(deciding), style),
            card_html(texts, style),
            *(
                model_update(texts, catalog, key, model, optional=preference == "none")
                for key, model, preference in pickers
            ),
            gr.update(label=texts("panel.system")),
            system_html(texts, catalog, deciding, style, str(own or "")),
            gr.update(
                label=texts("panel.own"),
                info=texts("panel.own_info"),
                placeholder=texts("panel.own_placeholder"),
            ),
            gr.update(label=texts("panel.sampling")),
            gr.update(label=texts("panel.temperature"), info=texts("panel.temperature_info")),
            gr.update(label=texts("panel.top_p"), info=texts("panel.top_p_info")),
            gr.update(label=texts("panel.max_tokens")),
            gr.update(label=texts("panel.seed"), info=texts("panel.seed_info")),
        ]

    def setup(self, values: Sequence[Any]) -> Setup:
        """Return the values of `controls` as they are kept; what is no value is left open."""
        style, *names, own = values[: len(self.inputs)]
        temperature, top_p, max_tokens, seed = values[len(self.inputs) :]
        share = within(top_p, TOP_P_STEP, 1)
        count = within(max_tokens, 1, self.longest)
        drawn = within(seed, 0, SEED_LIMIT)
        return Setup(
            style=str(style or "")[:NAME_LENGTH],
            models=[
                str(name or (NONE if preference == "none" else ""))[:NAME_LENGTH]
                for name, preference in zip(names, self.preferences, strict=True)
            ],
            system=str(own or "")[:SYSTEM_LENGTH],
            temperature=within(temperature, 0, TEMPERATURE_LIMIT),
            top_p=share if share and share < 1 else None,
            max_tokens=None if count is None else int(count),
            seed=int(drawn) if drawn else None,  # a field that was emptied sends 0
        )

    def restored(self, texts: Texts, catalog: Catalog, setup: Setup) -> dict[Any, Any]:
        """Return the updates that bring back how a conversation is asked."""
        names = [*setup.models, *[""] * len(self.models)][: len(self.models)]
        updates = self.render(texts, catalog, setup.style, *names, setup.system)
        values = {
            self.own: setup.system,
            self.temperature: TEMPERATURE if setup.temperature is None else setup.temperature,
            self.top_p: setup.top_p or 1,
            self.max_tokens: min(setup.max_tokens or REPLY_TOKENS, self.longest),
            self.seed: setup.seed,
        }
        rendered = dict(zip(self.outputs, updates, strict=True))
        return rendered | {item: rendered[item] | {"value": values[item]} for item in values}


def within(value: Any, low: float, high: float) -> float | None:
    """Return a number from a browser within its bounds; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    return min(max(value, low), high)


def deciding_name(models: Sequence[ServedModel | None]) -> str | None:
    """Return the model by which styles and prompts go: the last that is chosen."""
    return next((model.name for model in reversed(models) if model), None)


def preferred(catalog: Catalog, preference: Preference, name: str) -> ServedModel | None:
    """Return the model that a picker names, or the one that it starts with."""
    if preference == "none" and name in ("", NONE):
        return None
    if not name and preference == "base":
        return catalog.model(BASE)
    return catalog.model(name or None)


def style_update(texts: Texts, styles: Sequence[Style], style: Style | None) -> Any:
    """Return the style picker's update: names in the reader's language, each with its emoji."""
    choices = [(f"{emoji_of(entry)} {name_of(texts, entry)}", entry.id) for entry in styles]
    return gr.update(choices=choices, value=style.id if style else None, label=texts("panel.style"))


def model_update(
    texts: Texts, catalog: Catalog, key: str, model: ServedModel | None, *, optional: bool = False
) -> Any:
    """Return a model picker's update; an optional one may be left empty."""
    choices = [(model_label(texts, catalog, entry), entry.name) for entry in catalog.models]
    choices = choices or [(texts("panel.no_models"), "")]
    nothing = NONE if optional else ""
    return gr.update(
        choices=[(texts("panel.nobody"), NONE), *choices] if optional else choices,
        value=model.name if model else nothing,
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


def system_html(
    texts: Texts, catalog: Catalog, name: str | None, style: Style | None, own: str = ""
) -> str:
    """Return the system prompt in force, and where it comes from; the reader's own goes first."""
    if own.strip():
        return quoted(own.strip(), [texts("panel.system_own")])
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
    return quoted(prompt, notes)


def quoted(prompt: str, notes: Sequence[str]) -> str:
    """Return a prompt with what there is to say of it."""
    quote = f"<blockquote>{escape(prompt)}</blockquote>" if prompt else ""
    return quote + "".join(f'<p class="ts-faint">{escape(note)}</p>' for note in notes)
