"""What the teacher is asked when it writes questions: the rules, and the task as JSON.

The rules are data files (`prompts/questions/<language>.txt`).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from contracts.style import Language
from datagen.personas import Persona
from datagen.question_gates import SIZES
from datagen.questions import Situation

# How a task is told apart from a chat: the key that its JSON begins with.
TASK, WRITE = "task", "write_questions"


@dataclass(frozen=True)
class Cell:
    """One emotion in one area, in one language."""

    language: Language
    situation: Situation

    @property
    def id(self) -> str:
        """`<language>/<area>/<emotion>`."""
        return f"{self.language}/{self.situation.id}"


class QuestionPrompts:
    """The rules by language.

    Args:
        folder: holds one `<language>.txt` for each language.
    """

    def __init__(self, folder: Path) -> None:
        environment = Environment(undefined=StrictUndefined, autoescape=False)  # plain text
        self._templates = {
            path.stem: environment.from_string(path.read_text(encoding="utf-8"))
            for path in sorted(folder.glob("*.txt"))
        }

    def messages(
        self, cell: Cell, people: Sequence[Persona], known: Sequence[str]
    ) -> list[dict[str, str]]:
        """Return the chat that asks for one question of each of `people`.

        Args:
            cell: what the questions are about.
            people: who asks.
            known: questions that there are, which new ones must not repeat.
        """
        shortest, longest = SIZES[cell.language]
        rules = self._templates[cell.language].render(shortest=shortest, longest=longest)
        task = {
            TASK: WRITE,
            "language": cell.language,
            "count": len(people),
            "emotion": described(cell.situation.emotion.id, cell.situation.emotion.name),
            "area": described(cell.situation.area.id, cell.situation.area.name),
            "people": [persona.described() for persona in people],
            "known": list(known),
        }
        return [
            {"role": "system", "content": rules.strip()},
            {"role": "user", "content": json.dumps(task, ensure_ascii=False)},
        ]


def described(id_: str, name: str) -> dict[str, str]:
    """Return an axis of the grid as the teacher is told of it."""
    return {"id": id_, "name": name}
