"""What a judge is told: the rubrics, data files by language, and the chats made of them. Pure."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import Field

from contracts.model import Authored, Name
from contracts.sample import Turn
from contracts.style import Language, Style

Messages = list[dict[str, str]]
LEAST, MOST = 1, 5
# Two examples of a card show its tone; more of them would cost more than they tell.
EXAMPLES = 2


class Criterion(Authored):
    """One thing that is scored from 1 to 5."""

    id: Name
    name: str = Field(min_length=1, max_length=60)
    text: str = Field(min_length=1, max_length=600)
    optional: bool = Field(default=False, description="the judge may say that it does not apply")
    when_safe_reply: bool = Field(
        default=True, description="whether it applies to the safe reply to a crisis, too"
    )


class Rubric(Authored):
    """The texts of one language; `rate` and `compare` say what to answer."""

    language: Language
    rate: str = Field(pattern=r"(?s)\{criteria\}.*\{example\}")
    compare: str = Field(min_length=1)
    optional: str
    reason: str
    criteria: list[Criterion] = Field(min_length=1, max_length=16)

    def applying(self, *, safe_reply: bool) -> list[Criterion]:
        """Return the criteria that apply to a reply, or to the safe reply to a crisis."""
        return [one for one in self.criteria if one.when_safe_reply or not safe_reply]

    def instructions(self, criteria: Sequence[Criterion]) -> str:
        """Return what a judge is told that scores one reply."""
        lines = [
            f"- {one.id} ({one.name}): {one.text}" + (f" [{self.optional}]" if one.optional else "")
            for one in criteria
        ]
        example = {"reason": self.reason} | {one.id: 3 for one in criteria}
        text = self.rate.replace("{criteria}", "\n".join(lines))
        return text.replace("{example}", json.dumps(example, ensure_ascii=False)).strip()


def load_rubrics(folder: Path) -> dict[Language, Rubric]:
    """Return the rubrics of `folder` by language. Raises ValueError that names the file."""
    found: dict[Language, Rubric] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            rubric = Rubric.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (ValueError, yaml.YAMLError) as error:
            raise ValueError(f"{folder.name}/{path.name}: {error}") from error
        found[rubric.language] = rubric
    return found


def rating_messages(
    rubric: Rubric,
    criteria: Sequence[Criterion],
    style: Style,
    question: str,
    reply: str,
    history: Sequence[Turn] = (),
) -> Messages:
    """Return the chat in which a judge scores one reply."""
    parts = [card_part(style), talk_part(question, history), tagged("reply", reply)]
    return chat(rubric.instructions(criteria), parts)


def comparing_messages(
    rubric: Rubric,
    style: Style,
    question: str,
    seats: tuple[str, str],
    history: Sequence[Turn] = (),
) -> Messages:
    """Return the chat in which a judge chooses between the replies in seats A and B."""
    replies = [tagged("reply_a", seats[0]), tagged("reply_b", seats[1])]
    return chat(rubric.compare.strip(), [card_part(style), talk_part(question, history), *replies])


def chat(system: str, parts: Sequence[str]) -> Messages:
    """Return the two messages that a judge gets."""
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": "\n\n".join(parts)},
    ]


def card_part(style: Style) -> str:
    """Return what a judge learns of a style: not its lexicon, lest it counts words."""
    name = getattr(style.names, style.language)
    lines = [f"{name}: {getattr(style.description, style.language)}", *style.traits]
    lines += [f"> {example.assistant}" for example in style.examples[:EXAMPLES]]
    return tagged("style", "\n".join(lines))


def talk_part(question: str, history: Sequence[Turn]) -> str:
    """Return what was said before the reply."""
    earlier = [tagged("earlier", f"{turn.user}\n— {turn.assistant}") for turn in history]
    return "\n".join([*earlier, tagged("message", question)])


def tagged(tag: str, text: str) -> str:
    """Return `text` between tags, none of which it can close itself."""
    safe = re.sub(r"<(?=/?(?:style|message|earlier|reply))", "\u2039", text)
    return f"<{tag}>\n{safe}\n</{tag}>"
