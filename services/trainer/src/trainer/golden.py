"""The golden conversations of the gate: a data file, filled with the dataset's first style."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, TypeAdapter

from contracts.model import Authored, Name
from contracts.sample import Message
from contracts.style import StyleVersion


class GoldenConversation(Authored):
    """One conversation that ends with the user's turn."""

    name: Name
    messages: list[Message] = Field(min_length=1)


CONVERSATIONS = TypeAdapter(list[GoldenConversation])


def conversations(path: Path, styles: list[StyleVersion]) -> list[dict[str, Any]]:
    """Return the conversations of the file as plain data, `{system}` replaced.

    Raises ValueError where the file is malformed.
    """
    text = path.read_text(encoding="utf-8")
    system = styles[0].style.system_prompt if styles else "You are kind."
    found = CONVERSATIONS.validate_python(yaml.safe_load(text))
    return [
        {
            "name": each.name,
            "messages": [
                {"role": one.role, "content": one.content.replace("{system}", system)}
                for one in each.messages
            ],
        }
        for each in found
    ]
