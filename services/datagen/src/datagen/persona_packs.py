"""Persona packs: profile, examples and guardrails as YAML or JSON."""

from typing import Any

from contracts.studio import CardDraft
from datagen.card_drafts import PHRASE, Drafting, first_sentence, last_sentence, listed
from datagen.card_rows import draft_of_rows
from datagen.character_cards import draft_of_card, is_character_card, read_document
from kit.errors import InvalidInputError

PROFILES = ("profile", "persona", "character")
# Their names for our parts, the first one found counts.
NAMES = {
    "traits": ("traits", "personality", "tone", "style"),
    "description": ("description", "summary", "bio", "background"),
    "system_prompt": ("system_prompt", "instructions", "prompt"),
    "openers": ("openers", "greetings", "catchphrases"),
    "closers": ("closers", "sign_offs"),
    "particles": ("particles",),
    "emoji": ("emoji", "emojis"),
    "avoid": ("avoid", "never", "dont", "banned"),
}
EXAMPLES = ("examples", "dialogues", "samples")
GUARDRAILS = ("guardrails", "rules", "boundaries", "safety")
ASKED = ("user", "question", "input", "prompt", "human")
SAID = ("assistant", "reply", "output", "response", "character")


def read_draft(content: bytes) -> CardDraft:
    """Return the draft of whatever was sent: a character card, a persona pack, or example rows.

    Raises InvalidInputError, TooLargeError.
    """
    document = read_document(content)
    if isinstance(document, list):
        return draft_of_rows(document)
    return draft_of_card(document) if is_character_card(document) else draft_of_pack(document)


def draft_of_pack(document: dict[str, Any]) -> CardDraft:
    """Return the draft of a persona pack. Raises InvalidInputError that names the field."""
    section = next((name for name in PROFILES if name in document), "")
    profile = document.get(section, document) if section else document
    if not isinstance(profile, dict):
        raise InvalidInputError(f"{section}: must be a mapping of keys", field=section)
    name = profile.get("name")
    if not isinstance(name, str) or not name.strip():
        raise InvalidInputError(
            f"{section or 'profile'}.name: missing or empty",
            field=f"{section or 'profile'}.name",
            hint="a pack has 'profile', 'examples', 'guardrails'; a character card has 'spec'",
        )
    pairs = exchanges(found_in(document, EXAMPLES)[1])
    shown = " ".join(reply for _, reply in pairs)
    drafting = Drafting(name.strip()[:PHRASE], shown or str(profile))
    taken = fill_profile(drafting, profile) | {"name"}
    fill_rest(drafting, document, pairs)
    for key in sorted(set(map(str, profile)) - taken):
        if profile is not document or key not in (*EXAMPLES, *GUARDRAILS):
            drafting.leave(f"{section}.{key}".lstrip("."), "a style card has no such part")
    for key in sorted(set(map(str, document)) - {section, *EXAMPLES, *GUARDRAILS}):
        if profile is not document:
            drafting.leave(key, "a style card has no such part")
    return drafting.finished("persona_pack")


def fill_profile(drafting: Drafting, profile: dict[str, Any]) -> set[str]:
    """Put the parts of the profile where they belong; return the keys that were used."""
    used = set()
    drafting.localized("names", "name", profile["name"])
    for part in ("description", "system_prompt"):
        key, value = found_in(profile, NAMES[part])
        if isinstance(value, str) and value.strip():
            used.add(key)
            if part == "description":
                drafting.localized(part, key, first_sentence(value))
            else:
                drafting.set(part, key, value)
    words: dict[str, list[str]] = {}
    for part in ("traits", "avoid", "openers", "closers", "particles", "emoji"):
        key, value = found_in(profile, NAMES[part])
        if phrases := drafting.phrases(part, key, listed(value)):
            used.add(key)
            words[part] = phrases
    for part in ("traits", "avoid"):
        if part in words:
            drafting.draft[part] = words.pop(part)
    drafting.lexicon(**words)
    for part in ("temperature", "intensity"):
        if isinstance(value := profile.get(part), int | float) and not isinstance(value, bool):
            used.add(part)
            drafting.draft[part] = value
    return used


def fill_rest(drafting: Drafting, document: dict[str, Any], pairs: list[tuple[str, str]]) -> None:
    """Put examples and guardrails into the draft; examples also show openers and closers."""
    key, value = found_in(document, EXAMPLES)
    if value and not pairs:
        drafting.leave(key, "no exchange of a user and a reply was found in it")
    if examples := drafting.examples(key, pairs):
        drafting.draft["examples"] = examples
    words = drafting.draft.get("lexicon", {})
    if "openers" not in words:
        found = (first_sentence(reply) for _, reply in pairs)
        drafting.lexicon(openers=drafting.phrases("openers", key, found))
    if "closers" not in words:
        found = (last_sentence(reply) for _, reply in pairs)
        drafting.lexicon(closers=drafting.phrases("closers", key, found))
    key, value = found_in(document, GUARDRAILS)
    if rules := drafting.phrases("guardrails", key, listed(value)):
        drafting.draft["guardrails"] = rules


def found_in(document: dict[str, Any], names: tuple[str, ...]) -> tuple[str, Any]:
    """Return the first of `names` that the document has, with its value; else the first name."""
    key = next((name for name in names if document.get(name)), names[0])
    return key, document.get(key)


def exchanges(value: Any) -> list[tuple[str, str]]:
    """Return the (user, reply) pairs in a list of mappings or of pairs; others are passed over."""
    found = []
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, dict):
            pair = [found_in(entry, ASKED)[1], found_in(entry, SAID)[1]]
        else:
            pair = entry if isinstance(entry, list) else []
        if len(pair) == 2 and all(isinstance(text, str) and text.strip() for text in pair):
            found.append((str(pair[0]), str(pair[1])))
    return found
