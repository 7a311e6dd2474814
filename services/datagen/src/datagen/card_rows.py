"""A draft of a style card from rows that show a tone: alpaca, sharegpt, or lists of messages.

Only the first exchange of a row is taken: it needs no history to be understood.
"""

from typing import Any

from contracts.studio import CardDraft
from datagen.card_drafts import MOST, Drafting, first_sentence, last_sentence
from kit.errors import InvalidInputError

USERS, MODELS = {"user", "human"}, {"assistant", "gpt", "model", "chatgpt"}
NAME = "imported"
# More rows show nothing that these do not.
ROWS_READ = 1000


def draft_of_rows(rows: list[Any]) -> CardDraft:
    """Return the draft of a card that these rows show. Raises InvalidInputError."""
    pairs = [pair for row in rows[:ROWS_READ] if (pair := exchange_of(row))]
    if not pairs:
        raise InvalidInputError(
            "no row has a question and a reply",
            hint="rows are alpaca (instruction, output), sharegpt (conversations) or messages",
        )
    drafting = Drafting(NAME, " ".join(reply for _, reply in pairs[: MOST["examples"]]))
    drafting.draft["examples"] = drafting.examples("rows", pairs)
    replies = [reply for _, reply in pairs]
    drafting.lexicon(
        openers=drafting.phrases("openers", "rows", map(first_sentence, replies)),
        closers=drafting.phrases("closers", "rows", map(last_sentence, replies)),
    )
    system = next((text for row in rows[:ROWS_READ] if (text := system_of(row))), "")
    drafting.set("system_prompt", "system", system)
    return drafting.finished("exchanges")


def exchange_of(row: Any) -> tuple[str, str] | None:
    """Return the first question of a row and the reply to it, or None."""
    if not isinstance(row, dict):
        return None
    asked = "\n".join(filter(None, [text_of(row, "instruction"), text_of(row, "input")]))
    if asked and (reply := text_of(row, "output")):
        return asked, reply
    question = ""
    for speaker, said in turns_of(row):
        if speaker in USERS:
            question = said
        elif speaker in MODELS and question and said:
            return question, said
    return None


def system_of(row: Any) -> str:
    """Return the system prompt of a row, or nothing."""
    if not isinstance(row, dict):
        return ""
    spoken = (said for speaker, said in turns_of(row) if speaker == "system")
    return text_of(row, "system") or next(spoken, "")


def turns_of(row: dict[str, Any]) -> list[tuple[str, str]]:
    """Return speaker and text of each turn of a row."""
    turns = row.get("conversations") or row.get("messages")
    return [
        (text_of(turn, "from") or text_of(turn, "role"), said)
        for turn in (turns if isinstance(turns, list) else [])
        if isinstance(turn, dict) and (said := text_of(turn, "value") or text_of(turn, "content"))
    ]


def text_of(row: dict[str, Any], key: str) -> str:
    """Return a text of a row, or nothing."""
    value = row.get(key)
    return value.strip() if isinstance(value, str) else ""
