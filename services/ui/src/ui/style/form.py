"""The fields of a card as a form shows them, and back into the card (pure).

A list is a text with one entry on each line; an exchange is a line that begins with `>` (what is
said to the model) and the lines below it (the reply).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from contracts.style import Style
from ui.style.card_yaml import Document

Kind = Literal["text", "choice", "lines", "pairs", "number"]
ASKED = ">"


@dataclass(frozen=True)
class Field:
    """One field of the form.

    Attributes:
        path: in the card, with dots.
        kind: how it is written.
        lines: how high its box is.
        most: of a number.
    """

    path: str
    kind: Kind = "text"
    lines: int = 1
    most: float = 1.0

    @property
    def key(self) -> str:
        """The end of its locale keys, and of the id of its element."""
        return self.path.replace(".", "_")


FIELDS = (
    Field("id"),
    Field("language", "choice"),
    Field("names.zh"),
    Field("names.en"),
    Field("description.zh", lines=2),
    Field("description.en", lines=2),
    Field("traits", "lines", 4),
    Field("system_prompt", lines=3),
    Field("lexicon.openers", "lines", 5),
    Field("lexicon.closers", "lines", 5),
    Field("lexicon.particles", "lines", 3),
    Field("lexicon.emoji", "lines", 3),
    Field("examples", "pairs", 8),
    Field("avoid", "lines", 3),
    Field("guardrails", "lines", 3),
    Field("temperature", "number", most=2.0),
    Field("intensity", "number", most=1.0),
)
PATHS = tuple(field.path for field in FIELDS)


def form_of(document: Document) -> list[Any]:
    """Return the value of each field; what the card lacks is empty, or the number it stands for."""
    return [shown(field, found(document, field.path)) for field in FIELDS]


def found(document: Any, path: str) -> Any:
    """Return what is at `path`, or None."""
    for part in path.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document


def shown(field: Field, value: Any) -> Any:
    """Return a value of the card as its field shows it."""
    if field.kind == "number":
        standing = Style.model_fields[field.path].default
        plain = isinstance(value, int | float) and not isinstance(value, bool)
        return min(max(float(value), 0.0), field.most) if plain else standing
    if field.kind == "choice":
        return value if value in ("zh", "en") else None
    if field.kind == "lines":
        return "\n".join(str(one) for one in value) if isinstance(value, list) else ""
    if field.kind == "pairs":
        return "\n\n".join(map(exchange_text, value)) if isinstance(value, list) else ""
    return "" if value is None else str(value)


def exchange_text(entry: Any) -> str:
    """Return one exchange as lines."""
    user, assistant = (str(found(entry, key) or "") for key in ("user", "assistant"))
    asked = [f"{ASKED} {line}".rstrip() for line in user.split("\n")]
    said = [f"\\{line}" if line[:1] in (ASKED, "\\") else line for line in assistant.split("\n")]
    return "\n".join([*asked, *said])


def exchanges(text: str) -> list[dict[str, str]]:
    """Return the exchanges that are written in `text`."""
    rows: list[tuple[list[str], list[str]]] = []
    for line in text.split("\n"):
        if line.startswith(ASKED):
            if not rows or any(rows[-1][1]):
                rows.append(([], []))
            rows[-1][0].append(line.removeprefix(ASKED).removeprefix(" "))
        elif rows:
            rows[-1][1].append(line[1:] if line[:1] == "\\" else line)
        elif line.strip():
            rows.append(([""], [line]))
    return [
        {"user": "\n".join(asked).strip(), "assistant": "\n".join(said).strip()}
        for asked, said in rows
    ]


def written(field: Field, value: Any) -> Any:
    """Return what a field says as the card holds it."""
    if field.kind == "number":
        return round(float(value), 2) if isinstance(value, int | float) else value
    if field.kind == "choice":
        return value or ""
    text = str(value or "")
    if field.kind == "lines":
        return [line.strip() for line in text.split("\n") if line.strip()]
    return exchanges(text) if field.kind == "pairs" else text


def merged(document: Document, values: Sequence[Any]) -> Document:
    """Return the card with what the form says; what no field shows stays as it is.

    A field that says what the card says already leaves the card's own spelling alone.
    """
    result = document
    for field, value in zip(FIELDS, values, strict=True):
        if value != shown(field, found(document, field.path)):
            result = put(result, field.path.split("."), written(field, value))
    return result


def put(document: Any, path: Sequence[str], value: Any) -> Document:
    """Return `document` with `value` at `path`."""
    first, *rest = path
    plain: Document = document if isinstance(document, dict) else {}
    return plain | {first: put(plain.get(first), rest, value) if rest else value}


def field_of(path: str) -> str | None:
    """Return the path of the field that shows what is at `path`, or None."""
    return next((name for name in PATHS if path == name or path.startswith(f"{name}.")), None)
