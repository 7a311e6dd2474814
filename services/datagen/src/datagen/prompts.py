"""Teacher prompts: the style card as system message, what people say fenced as data.

The templates are data files: `prompts/<language>.txt` asks for a reply in a style,
`prompts/user/<language>.txt` for what a simulated user says next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from contracts.sample import Trajectory, Turn
from contracts.style import Language, Style
from datagen.questions import Situation

OPEN, CLOSE = "<message>", "</message>"
# Who is who in the conversation that a simulated user is shown: the user, the other one.
LABELS: dict[Language, tuple[str, str]] = {"zh": ("你：", "对方："), "en": ("You: ", "Other: ")}


@dataclass(frozen=True)
class UserPart:
    """What a simulated user is to play at one turn.

    Attributes:
        language: of the dialogue.
        situation: what the opening is about; None: not known.
        trajectory: how the feeling goes on.
        level: strength wanted now, 1 to 5.
        persona: who the user is; empty: nobody in particular.
    """

    language: Language
    situation: Situation | None
    trajectory: Trajectory
    level: int
    persona: str = ""

    @property
    def key(self) -> str:
        """The part in one line, which a program can read, too."""
        situation = self.situation.id if self.situation else "none"
        return f"{self.language} · {situation} · {self.trajectory} · {self.level}"


class Prompts:
    """The templates by language.

    Args:
        folder: holds one `<language>.txt` for each language, and `user/` another.
    """

    def __init__(self, folder: Path) -> None:
        self._templates = templates(folder)
        self._users = templates(folder / "user")

    def languages(self) -> list[str]:
        """Return the languages that have a template."""
        return sorted(self._templates)

    def system(self, style: Style) -> str:
        """Return the system message that makes a teacher speak in `style`."""
        return self._templates[style.language].render(style=style).strip()

    def user_messages(self, part: UserPart, history: Sequence[Turn]) -> list[dict[str, str]]:
        """Return the chat that asks for the user's next words after `history`."""
        known = part.situation
        system = self._users[part.language].render(
            key=part.key,
            area=known.area.name if known else "",
            emotion=known.emotion.name if known else "",
            persona=part.persona,
            trajectory=part.trajectory,
            level=part.level,
        )
        talk = fenced(conversation(part.language, history))
        return [
            {"role": "system", "content": system.strip()},
            {"role": "user", "content": talk},
        ]


def templates(folder: Path) -> dict[str, Template]:
    """Return the templates of a folder by language."""
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # plain text
    return {
        path.stem: environment.from_string(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.txt"))
    }


def conversation(language: Language, history: Sequence[Turn]) -> str:
    """Return a dialogue as one line for each message, named from the user's side."""
    mine, other = LABELS[language]
    lines = []
    for turn in history:
        lines += [mine + " ".join(turn.user.split()), other + " ".join(turn.assistant.split())]
    return "\n".join(lines)


def teacher_messages(system: str, history: list[Turn], question: str) -> list[dict[str, str]]:
    """Return the chat for one question: what people say is fenced, so that it cannot instruct."""
    messages = [{"role": "system", "content": system}]
    for turn in history:
        messages.append({"role": "user", "content": fenced(turn.user)})
        messages.append({"role": "assistant", "content": turn.assistant})
    return [*messages, {"role": "user", "content": fenced(question)}]


def fenced(text: str) -> str:
    """Return `text` between the markers, which it cannot close itself."""
    return f"{OPEN}\n{text.replace(OPEN, '').replace(CLOSE, '')}\n{CLOSE}"
