"""The form of a generation: its fields, each with room for what is wrong with it."""

from typing import Any

import gradio as gr

from contracts.dataset import BANK, Conditioning
from ui.catalog import Catalog
from ui.dataset.generation_form import BUDGET, FIELDS, default_of
from ui.texts import Texts


class Form:
    """Builds the form into the current Gradio context.

    Attributes:
        fields: by name, in the order of the form.
        errors: what stands below them.
        side: where what the form asks for, and the buttons, go.
    """

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.errors: dict[str, gr.HTML] = {}
        with gr.Row(elem_classes="ts-stage ts-form", elem_id="generate-form"):
            with gr.Column(scale=5, min_width=320):
                self.build_styles()
                self.build_rows()
                self.build_advanced()
            with gr.Column(scale=3, min_width=300, elem_classes="ts-side") as self.side:
                self.plan = gr.HTML(elem_id="generate-plan")
                self.add(BUDGET, gr.Number(0, elem_id="generate-budget", minimum=0))
        self.fields = {name: self.fields[name] for name in (*FIELDS, BUDGET)}
        self.inputs = list(self.fields.values())
        self.worded = [*self.inputs, self.all, self.none, self.advanced]

    def add(self, name: str, field: Any) -> None:
        """Keep a field that was just built, and make room below it."""
        self.fields[name] = field
        self.errors[name] = gr.HTML(elem_id=f"generate-{name}-wrong", elem_classes="ts-below")

    def build_styles(self) -> None:
        """Build the picker of styles, with a way to take all or none."""
        with gr.Group(elem_classes="ts-card-box"):
            styles = gr.CheckboxGroup([], elem_id="generate-styles", elem_classes="ts-chips")
            with gr.Row(elem_classes="ts-small"):
                self.all = gr.Button("", size="sm", scale=0, elem_id="generate-all")
                self.none = gr.Button("", size="sm", scale=0, elem_id="generate-none")
            self.add("styles", styles)

    def build_rows(self) -> None:
        """Build what most people set: how many rows, of which questions, of how many turns."""
        with gr.Row():
            self.column("per_style", number("per_style"))
            self.column("name", lambda: gr.Textbox(default_of("name"), elem_id="generate-name"))
        self.column(
            "questions",
            lambda: gr.Dropdown([BANK], value=BANK, elem_id="generate-questions", interactive=True),
        )
        with gr.Row():
            self.column("multi_turn_ratio", slider("multi_turn_ratio", 100, 5))
            self.column("turns", number("turns"))
            self.column("turns_least", number("turns_least"))

    def build_advanced(self) -> None:
        """Build the rest, folded."""
        with gr.Accordion(
            open=False, elem_classes="ts-fold", elem_id="generate-advanced"
        ) as self.advanced:
            with gr.Row():
                self.column("conditioning", conditioning)
                self.column("eval_ratio", slider("eval_ratio", 50, 1))
            with gr.Row():
                self.column("max_attempts", number("max_attempts"))
                self.column("seed", number("seed"))

    def column(self, name: str, make: Any) -> None:
        """Build a field into a column of its own."""
        with gr.Column(min_width=150, elem_classes="ts-field"):
            self.add(name, make())

    def choices(self, texts: Texts, catalog: Catalog, picked: Any) -> list[Any]:
        """Return the styles that there are; those that were picked stay picked."""
        library = {style.id: style for style in catalog.library}
        offered = [(getattr(style.names, texts.language), name) for name, style in library.items()]
        kept = [name for name in picked or [] if name in library] if library else picked or []
        if not library:  # nobody tells them just now
            return [gr.skip()]
        return [gr.update(choices=offered, value=kept)]

    def words(self, texts: Texts, catalog: Catalog) -> list[Any]:
        """Return the labels and explanations of `worded`."""
        labels: dict[str, dict[str, Any]] = {
            name: {"label": texts(f"generate.{name}"), "info": texts(f"generate.{name}_info")}
            for name in self.fields
        }
        labels["conditioning"] |= {
            "choices": [(texts(f"generate.told.{one}"), one.value) for one in Conditioning]
        }
        if not catalog.library:
            labels["styles"] |= {"info": texts("generate.no_styles")}
        return [
            *(gr.update(**labels[name]) for name in self.fields),
            gr.update(value=texts("generate.all")),
            gr.update(value=texts("generate.none")),
            gr.update(label=texts("generate.advanced")),
        ]


def number(name: str) -> Any:
    """Return what builds a field for a whole number."""
    return lambda: gr.Number(default_of(name), precision=0, elem_id=f"generate-{name}")


def slider(name: str, most: int, step: int) -> Any:
    """Return what builds a field for a share in percent."""
    return lambda: gr.Slider(0, most, default_of(name), step=step, elem_id=f"generate-{name}")


def conditioning() -> gr.Radio:
    """Build the choice of how the model is told its style."""
    return gr.Radio(
        [one.value for one in Conditioning],
        value=default_of("conditioning").value,
        elem_id="generate-conditioning",
    )
