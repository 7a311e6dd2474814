"""Teacher prompts: the style card as system message, the question fenced as data.

The templates are data files (`prompts/<language>.txt`).
"""

from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from contracts.sample import Turn
from contracts.style import Style

OPEN, CLOSE = "<message>", "</message>"


class Prompts:
    """The templates by language.

    Args:
        folder: holds one `<language>.txt` for each language.
    """

    def __init__(self, folder: Path) -> None:
        environment = Environment(undefined=StrictUndefined, autoescape=False)  # plain text
        self._templates: dict[str, Template] = {
            path.stem: environment.from_string(path.read_text(encoding="utf-8"))
            for path in sorted(folder.glob("*.txt"))
        }

    def languages(self) -> list[str]:
        """Return the languages that have a template."""
        return sorted(self._templates)

    def system(self, style: Style) -> str:
        """Return the system message that makes a teacher speak in `style`."""
        return self._templates[style.language].render(style=style).strip()


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
