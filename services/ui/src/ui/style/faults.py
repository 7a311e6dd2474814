"""What keeps a text from being a style card: the field, what is wrong, the way out (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from dataclasses import field as made
from html import escape
from typing import Any

from pydantic import ValidationError

from contracts.style import Style
from ui.style.card_yaml import Document, UnreadableError
from ui.style.form import FIELDS, PATHS, field_of
from ui.texts import Texts

SHOWN = 12
# What pydantic calls it, and the end of our locale key `style.fault_<kind>`.
KINDS = {
    "missing": "missing",
    "string_too_short": "empty",
    "too_short": "few",
    "string_too_long": "long",
    "too_long": "many",
    "extra_forbidden": "unknown",
    "literal_error": "choice",
    "greater_than_equal": "range",
    "less_than_equal": "range",
    "string_type": "text",
    "list_type": "list",
    "float_type": "number",
    "float_parsing": "number",
    "model_type": "keys",
    "dict_type": "keys",
}
KEYS = {name: item.key for name, item in zip(PATHS, FIELDS, strict=True)}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        path: of the field, with dots and numbers; empty for the card as a whole.
        kind: the end of the locale key that explains it.
        values: fill the placeholders of that sentence.
        said: in the words of who found it, where we have none.
    """

    path: str
    kind: str
    values: dict[str, Any] = made(default_factory=dict)
    said: str = ""

    @property
    def field(self) -> str | None:
        """The path of the form's field that shows it, or None."""
        return field_of(self.path)


def faults_of(document: Document) -> list[Fault]:
    """Return all that is wrong with a card, in the order of the form."""
    try:
        Style.model_validate(document)
    except ValidationError as error:
        found = [as_fault(entry) for entry in error.errors(include_url=False)]
        return sorted(found, key=lambda fault: place(fault.path))
    return []


def as_fault(entry: Any) -> Fault:
    """Return pydantic's error as ours."""
    path = ".".join(str(part) for part in entry["loc"])
    limits = entry.get("ctx") or {}
    most = limits.get("max_length", limits.get("le", ""))
    least = limits.get("min_length", limits.get("ge", ""))
    if path == "id" and entry["type"] == "value_error":
        return Fault(path, "name")
    kind = KINDS.get(entry["type"], "other")
    if kind == "range":
        kind = "above" if "le" in limits else "below"
    return Fault(path, kind, {"most": most, "least": least}, str(entry["msg"]))


def place(path: str) -> int:
    """Return where a path stands in the form; at the end if nowhere."""
    owner = field_of(path)
    return PATHS.index(owner) if owner in PATHS else len(PATHS)


def unreadable(error: UnreadableError) -> Fault:
    """Return a text that is no card as a fault."""
    return Fault("", f"unreadable_{error.kind}", {"line": error.line}, error.said)


def sentence(texts: Texts, fault: Fault) -> str:
    """Return what is wrong and what to do, in the reader's language."""
    if fault.kind == "refused":
        return fault.said
    explained = texts(
        f"style.fault_{fault.kind}", **{"line": "", "most": "", "least": ""} | fault.values
    )
    own = fault.said if fault.kind in ("other", "unreadable_yaml", "unreadable_twice") else ""
    return f"{explained} {texts('problem.detail', detail=own)}" if own else explained


def label_of(texts: Texts, path: str) -> str:
    """Return what a field is called, with the number of the entry; nothing for the whole card."""
    owner = field_of(path)
    if owner is None:
        return ""
    rest = [part for part in path.removeprefix(owner).split(".") if part]
    number = next((int(part) + 1 for part in rest if part.isdecimal()), None)
    name = texts(f"style.{KEYS[owner]}")
    return texts("style.entry", name=name, number=number) if number else name


def faults_html(texts: Texts, faults: Sequence[Fault]) -> str:
    """Return the list of what to mend; the way on where there is nothing."""
    if not faults:
        return f'<p class="ts-valid">{escape(texts("style.valid"))}</p>'
    rows = "".join(f"<li>{row(texts, fault)}</li>" for fault in faults[:SHOWN])
    more = len(faults) - SHOWN
    rest = f'<p class="ts-faint">{escape(texts("style.more", number=more))}</p>' if more > 0 else ""
    title = texts("style.faults", number=len(faults))
    return f'<div class="ts-faults"><strong>{escape(title)}</strong><ul>{rows}</ul>{rest}</div>'


def row(texts: Texts, fault: Fault) -> str:
    """Return one fault: the field's name, its path, what is wrong."""
    name = label_of(texts, fault.path)
    named = f"<b>{escape(name)}</b> " if name else ""
    path = f"<code>{escape(fault.path[:80])}</code> " if fault.path else ""
    return f"{named}{path}<span>{escape(sentence(texts, fault))}</span>"


def beside(texts: Texts, faults: Iterable[Fault]) -> dict[str, str]:
    """Return for each field at fault what is said below its label."""
    found: dict[str, str] = {}
    for fault in faults:
        if fault.field and fault.field not in found:
            found[fault.field] = texts("style.beside", why=sentence(texts, fault))
    return found
