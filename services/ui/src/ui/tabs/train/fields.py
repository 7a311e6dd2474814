"""The fields of the recipe's form, and their words: what few people change is folded away."""

from html import escape
from typing import Any

import gradio as gr

from ui.texts import Texts
from ui.training.recipe_form import FIELDS, PICKED, SWITCHES

# What a reader sees at once; the other fields are in the fold.
FIRST = (
    "num_train_epochs",
    "learning_rate",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "cutoff_len",
    "batching",
    "lora_rank",
    "lora_alpha",
    "stop_when_flat",
    "name",
)
CHOICES = {
    "batching": ("", "packed", "grouped", "plain"),
    "choose_by": ("eval_loss", "style"),
}
DEFAULTS = {"name": "tonesmith", "data_fraction": "1", "priority": "0", "choose_by": "eval_loss"}


class Fields:
    """Builds the pickers and the form; `components` has all fields by name.

    Attributes:
        fold: what holds the fields that few people change.
    """

    def __init__(self) -> None:
        self.components: dict[str, Any] = {}

    @property
    def all(self) -> list[Any]:
        """The components in the order of `FIELDS`."""
        return [self.components[name] for name in FIELDS]

    def build_pickers(self) -> None:
        """Build what a run is made of."""
        with gr.Row(elem_classes="ts-recipe-pickers"):
            for name in PICKED:
                self.components[name] = gr.Dropdown(
                    choices=[],
                    interactive=True,
                    # What the YAML says may be no choice: the trainer says what it thinks of it.
                    allow_custom_value=True,
                    min_width=360,
                    elem_id=f"train-{name}",
                )

    def build_form(self) -> None:
        """Build the numbers and the switches."""
        with gr.Row(elem_classes="ts-recipe-fields"):
            for name in FIRST:
                self.components[name] = field(name)
        fold = gr.Accordion("", open=False, elem_id="train-more")
        with fold as self.fold, gr.Row(elem_classes="ts-recipe-fields"):
            for name in FIELDS:
                if name not in self.components:
                    self.components[name] = field(name)


def field(name: str) -> Any:
    """Return one field, without words."""
    about: dict[str, Any] = {
        "label": name,
        "info": name,
        "interactive": True,
        "min_width": 200,
        "elem_id": f"train-{name}",
    }
    if name in SWITCHES:
        return gr.Checkbox(value=True, **about)
    if name in CHOICES:
        first = CHOICES[name][0]
        return gr.Dropdown(list(CHOICES[name]), value=first, allow_custom_value=True, **about)
    return gr.Textbox(value=DEFAULTS.get(name, ""), max_lines=1, **about)


def choices_of(texts: Texts, name: str) -> dict[str, Any]:
    """Return the worded choices of a field that has a closed list of them."""
    if name not in CHOICES:
        return {}
    return {"choices": [(texts(f"recipe.{name}_{each or 'auto'}"), each) for each in CHOICES[name]]}


def recipe_label(texts: Texts, name: str) -> str:
    """Return a recipe with what it is good for, where the locale knows it."""
    about = texts.table.get(f"recipe.about_{name}")
    return f"{name} · {about}" if about else name


def pick_html(texts: Texts, key: str = "recipe.pick_first") -> str:
    """Return a notice of the form itself."""
    return f'<div class="ts-notice" role="alert"><strong>{escape(texts(key))}</strong></div>'
