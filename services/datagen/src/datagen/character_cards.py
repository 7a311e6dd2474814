"""Character cards of Tavern and SillyTavern (V1, V2, V3), as JSON or inside a PNG.

A PNG carries the card as base64 in a text chunk: `ccv3` (V3) goes before `chara` (V2). A card says
who a character is; ours says how it talks, so much of it has no place: it is listed, not lost.
"""

import base64
import binascii
import re
from typing import Any

from contracts.studio import CardDraft
from datagen.card_drafts import PHRASE, Drafting, Source, first_sentence, last_sentence, listed
from datagen.cards import decode, parse_document
from datagen.png_text import is_png, png_texts
from kit.errors import InvalidInputError, TooLargeError

MAX_JSON = 1 << 20
MAX_PERSONALITY = 4000
CHUNKS = ("ccv3", "chara")
SPECS: dict[str, Source] = {
    "chara_card_v2": "character_card_v2",
    "chara_card_v3": "character_card_v3",
}
# Fields that a style card has no place for, and why.
NO_PLACE = {
    "scenario": "a style card has no scene: its questions come from the bank",
    "creator_notes": "notes to people, not part of the tone",
    "creator": "kept by nobody: name the author in the description if you wish",
    "character_version": "versions are counted by the library",
    "post_history_instructions": "read it, and put what matters into the system prompt",
    "character_book": "facts about a world are no tone",
    "extensions": "settings of other tools",
    "assets": "pictures and sounds are not used",
    "nickname": "one name is used",
    "creator_notes_multilingual": "notes to people, not part of the tone",
    "source": "not part of the tone",
    "group_only_greetings": "there are no group chats",
    "tags": "read them, and add traits if they say how the character talks",
    "creation_date": "not part of the tone",
    "modification_date": "not part of the tone",
}
USED = {"name", "description", "personality", "system_prompt", "first_mes", "mes_example",
        "alternate_greetings"}  # fmt: skip
SPEAKER = re.compile(
    r"^\s*(\{\{\s*(?:user|char)\s*\}\}|<(?:user|bot|char)>|[^:：\n]{1,60})[:：]\s*", re.IGNORECASE
)
USERS = re.compile(r"\{\{\s*user\s*\}\}|<user>|\b(?:you|user|anon)\b|用户|你", re.IGNORECASE)


def embedded_card(content: bytes) -> bytes:
    """Return the JSON inside a PNG. Raises InvalidInputError, TooLargeError."""
    texts = png_texts(content)
    name = next((name for name in CHUNKS if name in texts), None)
    if name is None:
        raise InvalidInputError(
            "the PNG carries no character card: there is no 'chara' or 'ccv3' text in it",
            hint="pictures that were saved again lose it: export the card from its tool",
        )
    try:
        return base64.b64decode(texts[name].strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInputError(
            f"the {name!r} text of the PNG is not base64", hint="export the card again"
        ) from error


def read_document(content: bytes) -> dict[str, Any] | list[Any]:
    """Return the mapping or the rows in a file: PNG, JSON, JSON lines or YAML.

    Raises InvalidInputError, TooLargeError.
    """
    text = embedded_card(content) if is_png(content) else content
    if len(text) > MAX_JSON:
        raise TooLargeError(f"a card has at most {MAX_JSON} bytes, this has {len(text)}")
    plain = decode(text)
    lines = [line for line in plain.splitlines() if line.strip()]
    if len(lines) > 1 and all(line.startswith("{") and line.endswith("}") for line in lines):
        return [parse_document(line) for line in lines]
    document = json_list(plain) if plain.lstrip().startswith("[") else parse_document(plain)
    if not isinstance(document, dict | list):
        raise InvalidInputError(
            "the file is no mapping of keys", hint="send a character card or a persona pack"
        )
    return document


def json_list(text: str) -> list[Any]:
    """Return the rows of a JSON list. Raises InvalidInputError."""
    rows: list[Any] = parse_document(f'{{"rows": {text}}}')["rows"]
    return rows


def is_character_card(document: dict[str, Any]) -> bool:
    """Return whether a document is a card of V1, V2 or V3."""
    flat = {"name", "first_mes"} <= document.keys() or {"name", "mes_example"} <= document.keys()
    return str(document.get("spec")) in SPECS or flat


def draft_of_card(document: dict[str, Any]) -> CardDraft:
    """Return the draft of a character card. Raises InvalidInputError that names the field."""
    source = SPECS.get(str(document.get("spec")), "character_card_v1")
    data = document if source == "character_card_v1" else document.get("data")
    if not isinstance(data, dict):
        raise InvalidInputError("data: must be a mapping of keys", field="data")
    for name in sorted(USED - {"alternate_greetings"}):
        if not isinstance(data.get(name, ""), str):
            raise InvalidInputError(f"{name}: must be text", field=name)
    if not (name := data.get("name", "").strip()):
        raise InvalidInputError("name: the card has none", field="name")
    said = " ".join(data.get(key, "") for key in ("first_mes", "mes_example", "description"))
    drafting = Drafting(name[:PHRASE], said or name)
    fill(drafting, data)
    return drafting.finished(source)


def fill(drafting: Drafting, data: dict[str, Any]) -> None:
    """Put the parts of a card where they belong."""
    drafting.localized("names", "name", data["name"])
    if text := data.get("description", ""):
        drafting.localized("description", "description", first_sentence(text))
    spoken_of = drafting.clean("personality", data.get("personality", ""), MAX_PERSONALITY)
    if traits := drafting.phrases("traits", "personality", listed(spoken_of)):
        drafting.draft["traits"] = traits
    prompt = data.get("system_prompt", "") or data.get("description", "")
    drafting.set("system_prompt", "system_prompt", prompt)
    greetings = [data.get("first_mes", ""), *listed_texts(data.get("alternate_greetings"))]
    openers = map(first_sentence, filter(None, greetings))
    pairs = dialogues(data.get("mes_example", ""), data["name"])
    closers = (last_sentence(reply) for _, reply in pairs)
    drafting.lexicon(
        openers=drafting.phrases("openers", "first_mes", openers),
        closers=drafting.phrases("closers", "mes_example", closers),
    )
    if examples := drafting.examples("mes_example", pairs):
        drafting.draft["examples"] = examples
    for key in sorted(set(data) - USED - {"spec", "spec_version", "data"}):
        if data[key]:
            drafting.leave(str(key), NO_PLACE.get(key, "a style card has no such part"))


def listed_texts(value: Any) -> list[str]:
    """Return the texts in a list, whole; nothing for what is no list."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def dialogues(text: str, name: str) -> list[tuple[str, str]]:
    """Return (user, character) pairs of `mes_example`, blocks of which begin with `<START>`."""
    found: list[tuple[str, str]] = []
    for block in re.split(r"<START>", text, flags=re.IGNORECASE):
        asked: str | None = None
        for speaker, said in messages(block):
            if USERS.fullmatch(speaker) and speaker.casefold() != name.casefold():
                asked = said
            elif asked is not None and said:
                found.append((asked, said))
                asked = None
    return found


def messages(block: str) -> list[tuple[str, str]]:
    """Return (speaker, text) of the messages in a block; a line without a speaker goes on."""
    found: list[tuple[str, str]] = []
    for line in block.splitlines():
        if speaker := SPEAKER.match(line):
            found.append((speaker[1].strip(), line[speaker.end() :].strip()))
        elif found and line.strip():
            who, said = found[-1]
            found[-1] = (who, f"{said}\n{line.strip()}".strip())
    return found
