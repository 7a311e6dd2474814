"""The recipe as a form and as YAML: one request, two faces, each checked by the contract (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import yaml
from pydantic import ValidationError

from contracts.advice import Advice
from contracts.run import RunRequest
from ui.style.card_yaml import UnreadableError, read_yaml
from ui.texts import Texts
from ui.upstream.trainer_calls import RecipeChoice

# What a request says of itself, and what of it goes into `overrides`, in the order of the YAML.
PICKED = ("dataset_id", "base_model", "recipe", "continues")
NUMBERS = (
    "num_train_epochs",
    "max_steps",
    "learning_rate",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "cutoff_len",
    "lora_rank",
    "lora_alpha",
    "eval_steps",
    "save_steps",
    "seed",
)
OVERRIDES = (*NUMBERS, "batching")
SWITCHES = ("stop_when_flat", "publish")
OTHERS = ("name", "choose_by", "data_fraction", "priority", *SWITCHES)
FIELDS = (*PICKED, *OVERRIDES, *OTHERS)
# Written so that nothing but numbers becomes one.
NUMERIC = frozenset({*NUMBERS, "data_fraction", "priority"})
LONGEST_YAML = 20_000
# Names of pydantic's errors that have a sentence in the locales, and the value that they tell.
LIMITS = {
    "greater_than": "gt",
    "greater_than_equal": "ge",
    "less_than": "lt",
    "less_than_equal": "le",
    "string_too_long": "max_length",
}
KNOWN = frozenset({*LIMITS, "int_parsing", "float_parsing", "int_from_float", "extra_forbidden"})
KNOWN |= {"literal_error", "missing", "bool_parsing", "value_error"}
# Pydantic's other names of the same mistakes.
SAME = {"int_type": "int_parsing", "float_type": "float_parsing", "bool_type": "bool_parsing"}

Values = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What is wrong with a field, ready to be said; without a field, with the YAML as a whole."""

    field: str
    key: str
    values: Mapping[str, object]

    def text(self, texts: Texts) -> str:
        """Return the sentence."""
        return texts(f"recipe.bad_{self.key}", **self.values)


@dataclass(frozen=True)
class Checked:
    """A document that was looked at: the request where it is one, and what is wrong."""

    request: RunRequest | None
    faults: tuple[Fault, ...] = ()


def document(values: Mapping[str, Any]) -> Values:
    """Return the form's values as the document of a request; empty fields are left out."""
    given = {name: value for name in FIELDS if (value := read(name, values.get(name))) is not None}
    overrides = {name: given.pop(name) for name in OVERRIDES if name in given}
    plain = {name: value for name, value in given.items() if name in PICKED}
    rest = {name: value for name, value in given.items() if name not in PICKED}
    return plain | ({"overrides": overrides} if overrides else {}) | rest


def read(name: str, value: Any) -> Any:
    """Return a field's value; None where it is empty, a number where it is written as one."""
    if isinstance(value, str):
        value = value.strip()
    if value is None or value == "":
        return None
    if name not in NUMERIC or not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() and "e" not in value.lower() else number


def form_values(given: Mapping[str, Any]) -> Values:
    """Return the values of every field for a document; what it leaves out is empty."""
    overrides = given.get("overrides")
    known = dict(given) | (dict(overrides) if isinstance(overrides, Mapping) else {})
    defaults = RunRequest.model_validate({"dataset_id": "d"}).model_dump(mode="json")
    found: Values = {}
    for name in FIELDS:
        value = known.get(name)
        if value is None and name in OTHERS:
            value = defaults[name]
        found[name] = written(name, value)
    return found


def written(name: str, value: Any) -> Any:
    """Return a value as its field shows it."""
    if name in SWITCHES:
        return bool(value)
    if value is None:
        return None if name in PICKED[:3] else ""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def yaml_of(given: Mapping[str, Any]) -> str:
    """Return a document as YAML, in the order in which it is given."""
    return yaml.safe_dump(plain(given), sort_keys=False, allow_unicode=True)


def plain(value: Any) -> Any:
    """Return a document whose whole numbers are written without a decimal point."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def parsed(text: str) -> tuple[Values | None, Fault | None]:
    """Return the document in a YAML text, or what is wrong with it as a whole.

    As of a style card nothing but plain YAML is taken: a page of aliases stands for gigabytes.
    """
    if len(text) > LONGEST_YAML:
        return None, Fault("", "yaml_long", {"limit": LONGEST_YAML})
    try:
        return read_yaml(text), None
    except UnreadableError as error:
        if error.kind == "mapping":
            return None, Fault("", "yaml_mapping", {})
        return None, Fault("", "yaml", {"line": error.line or 1})


def checked(given: Mapping[str, Any]) -> Checked:
    """Return the request that a document makes, or a fault for each field that is wrong."""
    try:
        return Checked(RunRequest.model_validate(given))
    except ValidationError as error:
        faults = [fault_of(one) for one in error.errors(include_url=False)]
        return Checked(None, tuple(faults))


def fault_of(error: Any) -> Fault:
    """Return one of pydantic's errors as a fault of a field of the form."""
    kind = SAME.get(error["type"], error["type"])
    where = ".".join(str(part) for part in error["loc"] if part != "overrides") or "overrides"
    context = error.get("ctx") or {}
    if kind in LIMITS:
        return Fault(where, kind, {"limit": context.get(LIMITS[kind], "")})
    if kind == "literal_error":
        return Fault(where, kind, {"expected": context.get("expected", "")})
    if kind in KNOWN:
        return Fault(where, kind, {})
    return Fault(where, "other", {"said": str(error["msg"])[:200]})


def faults_html(texts: Texts, faults: tuple[Fault, ...]) -> str:
    """Return what is wrong, each with its field by name; nothing where all is well."""
    if not faults:
        return f'<p class="ts-recipe-fine">{escape(texts("recipe.fine"))}</p>'
    lines = "".join(
        f"<li><strong>{escape(field_name(texts, fault.field))}</strong> "
        f"{escape(fault.text(texts))}</li>"
        for fault in faults[:10]
    )
    return f'<ul class="ts-bad" role="alert">{lines}</ul>'


def field_name(texts: Texts, field: str) -> str:
    """Return a field as the form names it, with the name in the YAML."""
    if not field:
        return "YAML"
    name = texts.table.get(f"recipe.{field}")
    return f"{name} ({field})" if name else field[:80]


def field_info(texts: Texts, name: str, fault: Fault | None, recipe: RecipeChoice | None) -> str:
    """Return what stands under a field: its fault, or what it does and the recipe's own value."""
    if fault:
        return "⚠ " + fault.text(texts)
    own = own_value(texts, name, recipe)
    return texts(f"recipe.{name}_info") + (" " + own if own else "")


def own_value(texts: Texts, name: str, recipe: RecipeChoice | None) -> str:
    """Return the value that a recipe has of its own, for a small base and for a large one."""
    small = recipe.arguments.get(name) if recipe else None
    if recipe is None or small is None or (name == "max_steps" and small == -1):
        return ""
    large = recipe.large_base.get(name, small)
    own = written(name, small)
    if large == small:
        return texts("recipe.own", value=own)
    return texts("recipe.own_two", value=own, large=written(name, large))


def advised(given: Mapping[str, Any], advice: Advice, stage: str) -> Values:
    """Return a document with what the advisor proposes.

    It speaks of chat recipes: a preference run keeps its own recipe and its own epochs.
    """
    proposed = advice.overrides.model_dump(mode="json", exclude_none=True)
    recipe = advice.recipe
    if stage != "sft":
        recipe = stage
        proposed.pop("num_train_epochs", None)
    before = given.get("overrides")
    kept = dict(before) if isinstance(before, Mapping) else {}
    for name in ("num_train_epochs", "cutoff_len"):
        kept.pop(name, None)
    found = dict(given) | {"recipe": recipe, "overrides": kept | proposed}
    return {name: found[name] for name in found if found[name] != {}}
