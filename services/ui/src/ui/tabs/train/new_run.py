"""Ask for a run: what it is made of, what the advisor says, the recipe as a form and as YAML."""

import hashlib
import secrets
from html import escape
from typing import Any

import gradio as gr

from contracts.advice import Advice, AdviceRequest
from ui.catalog import Catalog
from ui.errors import ProblemError
from ui.events import QUICK
from ui.service_notices import service_html
from ui.tabs.tab import NOTHING, Handle, Part, news
from ui.tabs.train.fields import Fields, choices_of, pick_html, recipe_label
from ui.tabs.train.hall import Hall
from ui.texts import Texts, texts_for
from ui.training.advice_card import advice_html
from ui.training.recipe_form import (
    FIELDS,
    Checked,
    Fault,
    advised,
    checked,
    document,
    faults_html,
    field_info,
    form_values,
    parsed,
    yaml_of,
)
from ui.training.recipe_stock import STAGES, Stock, continue_choices, dataset_choices, stock
from ui.training.run_memory import planned_html


class NewRun:
    """Builds the sheet into the current Gradio context.

    Args:
        hall: what the sheets share.
    """

    def __init__(self, hall: Hall) -> None:
        self.hall = hall
        # What the services said last: the same for everybody.
        self.stock = Stock()
        self.problem = gr.HTML(elem_id="train-new-problem", elem_classes="ts-problem-block")
        self.stage = gr.Radio(list(STAGES), value="sft", elem_id="train-stage")
        self.fields = Fields()
        self.fields.build_pickers()
        with gr.Row(elem_classes="ts-advise"):
            self.advise = gr.Button("", size="sm", scale=0, elem_id="train-advise")
            self.planned = gr.HTML(elem_id="train-planned")
        self.advice = gr.HTML(elem_id="train-advice", elem_classes="ts-section")
        with gr.Row(elem_classes="ts-recipe"):
            with gr.Column(scale=3, min_width=320):
                self.fields.build_form()
            with gr.Column(scale=2, min_width=320):
                self.yaml = gr.Code(
                    language="yaml", interactive=True, lines=12, max_lines=26, elem_id="train-yaml"
                )
                self.faults = gr.HTML(elem_id="train-faults", elem_classes="ts-section")
                self.start = gr.Button("", variant="primary", elem_id="train-start")
        # The advice that is shown; what stands under the fields; what makes a key of idempotency.
        self.told, self.seen, self.nonce = gr.State(None), gr.State(None), gr.State("")
        # Where the reader's hand is: in the form, or in the YAML.
        self.hand = gr.State("form")
        # Changes with each run that was started.
        self.started = gr.Textbox(visible=False)
        self.values = self.fields.all
        self.face: list[Any] = [self.faults, self.seen, *self.values]
        self.wire()
        self.handle = self.words()

    def wire(self) -> None:
        """Connect opening, both faces of the recipe, the advisor and the start."""
        hall, language = self.hall, self.hall.bench.language
        last: dict[str, Any] = {"trigger_mode": "always_last", **QUICK}
        asked = [language, self.seen, self.stage, *self.values]
        offered = [self.problem, self.planned, self.yaml, *self.face]
        hall.sheet.select(self.open, asked, [hall.here, self.nonce, *offered], **QUICK)
        self.stage.input(self.choose_stage, asked, [self.advice, self.told, *offered], **QUICK)
        self.wire_form(language, last)
        written = [language, self.seen, self.yaml]
        self.yaml.input(self.written, written, self.face, **last)
        waiting = self.advise.click(self.wait, [language], [self.advice, self.advise], **QUICK)
        proposed = [self.problem, self.advice, self.told, self.advise, self.yaml, *self.face]
        waiting.then(self.propose, asked, proposed, **QUICK)
        given = [language, self.seen, self.nonce, self.yaml, *self.values]
        begun = [self.problem, hall.picked, hall.sheets, self.started, *self.face]
        self.start.click(self.begin, given, begun, **QUICK)

    def wire_form(self, language: gr.Radio, last: dict[str, Any]) -> None:
        """Connect the form with the YAML.

        Gradio tells of a text that was pasted, deleted or composed by `change` alone, which also
        fires where the YAML fills the form: so it counts only while the reader's hand is there.
        """
        boxes = [item for item in self.values if isinstance(item, gr.Textbox)]
        others = [item for item in self.values if item not in boxes]
        formed = [language, self.seen, self.hand, self.yaml, *self.values]
        changed = [self.yaml, *self.face]
        gr.on([item.input for item in others], self.picked, formed, changed, **last)
        gr.on([item.change for item in boxes], self.typed, formed, changed, **last)
        gr.on([item.focus for item in boxes], lambda: "form", None, self.hand, **QUICK)
        self.yaml.focus(lambda: "yaml", None, self.hand, **QUICK)

    async def open(self, language: Any, seen: Any, stage: Any, *values: Any) -> list[Any]:
        """Offer what there is now; what was filled in stays."""
        self.stock = await stock(self.hall.backend)
        texts = texts_for(language)
        nonce = secrets.token_hex(8)
        return ["new", nonce, *self.offer(texts, seen, str(stage), self.completed(stage, values))]

    def choose_stage(self, language: Any, seen: Any, stage: Any, *values: Any) -> list[Any]:
        """Offer the recipes and the datasets of another stage."""
        given = self.completed(stage, values, changed=True)
        return ["", None, *self.offer(texts_for(language), seen, str(stage), given)]

    def completed(self, stage: Any, values: Any, *, changed: bool = False) -> dict[str, Any]:
        """Return the document of the form, with the first of what there is where nothing is."""
        given = document(dict(zip(FIELDS, values, strict=True)))
        recipes = [recipe.name for recipe in self.stock.of_stage(str(stage))]
        bases = [base.name for base in self.stock.bases]
        named = "starter" if "starter" in bases else next(iter(bases), None)
        sets = [value for _, value in dataset_choices(texts_for("en"), self.stock, str(stage))]
        first = {
            "dataset_id": next(iter(sets), None),
            "base_model": named,
            "recipe": "lora" if "lora" in recipes else next(iter(recipes), None),
        }
        if changed:
            given.pop("recipe", None)
            if given.get("dataset_id") not in sets:
                given.pop("dataset_id", None)
        found = {name: given.pop(name, value) for name, value in first.items()}
        return {name: value for name, value in found.items() if value} | given

    def offer(self, texts: Texts, seen: Any, stage: str, given: dict[str, Any]) -> list[Any]:
        """Return the updates of problem, planned memory, YAML, and of the form with its choices."""
        faults, infos, *updates = self.faced(texts, None, given, checked(given))
        choices = {
            "dataset_id": dataset_choices(texts, self.stock, stage),
            "base_model": [(base.name, base.name) for base in self.stock.bases],
            "recipe": [
                (recipe_label(texts, one.name), one.name) for one in self.stock.of_stage(stage)
            ],
            "continues": continue_choices(texts, self.stock, given.get("base_model")),
        }
        for place, name in enumerate(FIELDS):
            if name in choices:
                updates[place] = updates[place] | {"choices": [list(c) for c in choices[name]]}
        problem = service_html(texts, self.stock.problem)
        planned = planned_html(texts, None, self.stock.gpus)
        return [problem, planned, yaml_of(given), faults, infos, *updates]

    def faced(
        self, texts: Texts, seen: Any, given: dict[str, Any], found: Checked, *, fill: bool = True
    ) -> list[Any]:
        """Return the updates of the faults, of what was seen, and of every field.

        Args:
            texts: the words.
            seen: what stood under the fields; None: unknown.
            given: the document.
            found: what was found wrong with it.
            fill: whether the fields take the document's values: not while one is typed in.
        """
        infos = self.infos(texts, given.get("recipe"), found.faults)
        kept, *changed = news(seen, infos)
        skip = gr.skip()
        values = form_values(given) if fill else {}
        updates = []
        for name, info in zip(FIELDS, changed, strict=True):
            update = {} if info == skip else {"info": info}
            update |= {"value": values[name]} if fill else {}
            updates.append(gr.update(**update) if update else skip)
        return [faults_html(texts, found.faults), kept, *updates]

    def infos(self, texts: Texts, recipe: Any, faults: tuple[Fault, ...]) -> list[str]:
        """Return what stands under each field."""
        wrong = {fault.field: fault for fault in reversed(faults)}
        known = self.stock.recipe(recipe)
        return [field_info(texts, name, wrong.get(name), known) for name in FIELDS]

    def typed(self, language: Any, seen: Any, hand: Any, text: Any, *values: Any) -> list[Any]:
        """Take the form over into the YAML, unless it is the YAML that fills the form."""
        if hand == "yaml":
            return [gr.skip()] * (1 + len(self.face))
        return self.picked(language, seen, hand, text, *values)

    def picked(self, language: Any, seen: Any, _: Any, text: Any, *values: Any) -> list[Any]:
        """Take the form over into the YAML, where it says something else, and say what is wrong."""
        given = document(dict(zip(FIELDS, values, strict=True)))
        known, _fault = parsed(str(text or ""))
        if known is not None and form_values(known) == form_values(given):
            return [gr.skip()] * (1 + len(self.face))
        found = self.faced(texts_for(language), seen, given, checked(given), fill=False)
        return [yaml_of(given), *found]

    def written(self, language: Any, seen: Any, text: Any) -> list[Any]:
        """Take the YAML over into the form, and say what is wrong."""
        texts = texts_for(language)
        given, fault = parsed(str(text or ""))
        if given is None or fault:
            faults = (fault,) if fault else ()
            return [faults_html(texts, faults), gr.skip(), *([gr.skip()] * len(FIELDS))]
        return self.faced(texts, seen, given, checked(given))

    def wait(self, language: Any) -> list[Any]:
        """Say that the advisor counts."""
        said = escape(texts_for(language)("advice.waiting"))
        return [f'<p class="ts-faint" role="status">{said}</p>', gr.update(interactive=False)]

    async def propose(self, language: Any, seen: Any, stage: Any, *values: Any) -> list[Any]:
        """Ask the advisor, and fill its proposal into both faces."""
        texts = texts_for(language)
        given = document(dict(zip(FIELDS, values, strict=True)))
        ready, skip = gr.update(interactive=True), gr.skip()
        base = str(given.get("base_model") or "starter")
        try:
            request = AdviceRequest(dataset_id=str(given.get("dataset_id")), base_model=base)
            advice = await self.hall.backend.trainer.advise(request)
        except ValueError:
            return [pick_html(texts), "", None, ready, *([skip] * (1 + len(self.face)))]
        except ProblemError as problem:
            told = service_html(texts, problem)
            return [told, "", None, ready, *([skip] * (1 + len(self.face)))]
        proposed = advised(given, advice, str(stage))
        card = advice_html(texts, advice, self.stock.gpus)
        face = self.faced(texts, seen, proposed, checked(proposed))
        return ["", card, advice.model_dump(mode="json"), ready, yaml_of(proposed), *face]

    async def begin(
        self, language: Any, seen: Any, nonce: Any, text: Any, *values: Any
    ) -> list[Any]:
        """Start the run, once however often it is asked for; then it is looked at."""
        texts = texts_for(language)
        typed = document(dict(zip(FIELDS, values, strict=True)))
        given, fault = parsed(str(text or ""))
        found = checked(given) if given is not None else Checked(None, (fault,) if fault else ())
        skips = [gr.skip()] * (3 + len(self.face))
        if found.request is None:
            face = self.faced(texts, seen, typed, found, fill=False)
            return ["", *([gr.skip()] * 3), *face]
        if checked(typed).request != found.request:  # one face has not reached the other yet
            return [pick_html(texts, "recipe.two_faces"), *skips]
        content = found.request.model_dump_json()
        key = f"{nonce}-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
        try:
            job = await self.hall.backend.trainer.start(found.request, key)
        except ProblemError as problem:
            return self.refused(texts, seen, typed, problem)
        self.hall.source.stale()
        face = [gr.skip()] * len(self.face)
        return ["", job.id, gr.update(selected="runs"), job.id, *face]

    def refused(
        self, texts: Texts, seen: Any, given: dict[str, Any], problem: ProblemError
    ) -> list[Any]:
        """Return the updates for a run that the trainer refused, at the field that it names."""
        named = str(problem.values.get("field") or "")
        fault = Fault(named, "other", {"said": problem.detail})
        found = Checked(None, (fault,) if named in FIELDS else ())
        face = self.faced(texts, seen, given, found, fill=False)
        return [service_html(texts, problem), *([gr.skip()] * 3), *face]

    def words(self) -> Handle:
        """Return how the sheet is worded; what was filled in and advised stays."""

        def words(texts: Texts, _: Catalog, told: Any, recipe: Any, text: Any) -> list[Any]:
            given, _fault = parsed(str(text or "{}"))
            faults = checked(given).faults if given else ()
            infos = self.infos(texts, recipe, faults)
            named = [
                gr.update(label=texts(f"recipe.{name}"), info=info, **choices_of(texts, name))
                for name, info in zip(FIELDS, infos, strict=True)
            ]
            stages = [(texts(f"recipe.stage_{name}"), name) for name in STAGES]
            card = advice_html(texts, Advice.model_validate(told), self.stock.gpus) if told else ""
            return [
                *named,
                faults_html(texts, faults) if given else "",
                gr.update(label=texts("recipe.stage"), choices=stages),
                gr.update(value=texts("advice.ask")),
                card,
                gr.update(label=texts("recipe.more")),
                gr.update(label=texts("recipe.yaml")),
                gr.update(value=texts("recipe.start")),
            ]

        worded = [*self.values, self.faults, self.stage, self.advise, self.advice]
        worded += [self.fields.fold, self.yaml, self.start]
        inputs = [self.told, self.fields.components["recipe"], self.yaml]
        return Handle(NOTHING, Part(inputs, worded, words), NOTHING, [])
