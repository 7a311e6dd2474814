"""A conversation as a file: JSON with all branches, which can be read again, and Markdown to read.

Pure but for `imported`, which keeps what was read. A file comes from anywhere: it is bounded, and
checked as a whole before anything is kept.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from contracts.model import Recorded, Versioned
from contracts.sample import Message
from ui.errors import StoreError
from ui.kept.branches import Said, path_to
from ui.kept.conversations import CONTENT_LENGTH, TITLE_LENGTH, Conversation, Conversations, Setup

FILE_BYTES = 8 << 20
FILE_MESSAGES = 2000
Label = Annotated[str, StringConstraints(max_length=200)]
FENCE = "`"


class Line(Recorded):
    """One message; `parent` is the number of an earlier one in the file, from 0."""

    parent: int | None = Field(default=None, ge=0)
    role: Literal["user", "assistant"]
    content: Annotated[str, StringConstraints(min_length=1, max_length=CONTENT_LENGTH)]
    model: Label = ""
    style: Label = ""
    at: Label = ""
    state: Literal["whole", "cut"] = "whole"


class ConversationFile(Versioned):
    """A conversation with all its branches; `leaf` ends the one that is shown."""

    kind: Literal["tonesmith-conversation"] = "tonesmith-conversation"
    title: Annotated[str, StringConstraints(max_length=TITLE_LENGTH)] = ""
    created: Label = ""
    setup: Setup = Setup()
    messages: list[Line] = Field(default=[], max_length=FILE_MESSAGES)
    leaf: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def is_a_tree(self) -> Self:
        """Raise ValueError unless each message follows an earlier one of the other role."""
        for number, line in enumerate(self.messages):
            before = "assistant"
            if line.parent is not None:
                if line.parent >= number:
                    raise ValueError(f"messages.{number}.parent: should be an earlier message")
                before = self.messages[line.parent].role
            if line.role == before:
                raise ValueError(f"messages.{number}.role: question and answer take turns")
        if self.leaf is not None and self.leaf >= len(self.messages):
            raise ValueError("leaf: should be one of the messages")
        return self


def as_file(found: Conversation, tree: Sequence[Said]) -> ConversationFile:
    """Return a conversation as its file says it; the ids of this machine are left behind."""
    places = {said.id: place for place, said in enumerate(tree)}
    kept = [key for key in Line.model_fields if key != "parent"]
    lines = [
        Line.model_validate(
            {
                "parent": None if said.parent is None else places[said.parent],
                **{key: getattr(said, key) for key in kept},
            }
        )
        for said in tree
    ]
    return ConversationFile(
        title=found.title,
        created=found.created,
        setup=found.setup,
        messages=lines,
        leaf=None if found.leaf is None else places.get(found.leaf),
    )


def as_json(found: Conversation, tree: Sequence[Said]) -> str:
    """Return a conversation with all its branches as JSON."""
    content = as_file(found, tree).model_dump(mode="json")
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def as_markdown(found: Conversation, tree: Sequence[Said], names: tuple[str, str]) -> str:
    """Return the branch that is shown as Markdown.

    What was said is quoted line by line, so that nothing in it becomes a heading of the file.

    Args:
        found: the conversation.
        tree: its messages.
        names: what the person and the model are called, in the reader's language.
    """
    person, model = names
    parts = [f"# {found.title or found.id}", f"*{found.created}*"]
    for said in path_to(tree, found.leaf):
        who = person if said.role == "user" else " · ".join(filter(None, (said.model, said.style)))
        quoted = "\n".join(f"> {line}".rstrip() for line in said.content.splitlines())
        parts.append(f"**{one_line(who or model)}**\n\n{quoted}")
    return "\n\n".join(parts) + "\n"


def one_line(text: str) -> str:
    """Return a name that stays a name in Markdown."""
    return " ".join(text.replace("*", "").replace(FENCE, "").split())


def read_file(content: bytes) -> ConversationFile:
    """Return what a file says. Raises StoreError `bad_file` with the field at fault."""
    if len(content) > FILE_BYTES:
        raise StoreError("bad_file", reason=f"> {FILE_BYTES >> 20} MiB")
    try:
        return ConversationFile.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise StoreError("bad_file", reason=f"{place}: {said}" if place else said) from error


def imported(store: Conversations, user: str, file: ConversationFile) -> Conversation:
    """Keep a file's conversation as a new one of this person, whole or not at all.

    Raises StoreError where there is no room for it.
    """
    with store.state.write() as database:
        found = store.begun(database, user, file.setup, file.title)
        number = store.number(database, user, found.id)
        store.check_room(database, user, number, [line.content for line in file.messages])
        ids: list[int] = []
        for line in file.messages:
            parent = None if line.parent is None else ids[line.parent]
            message = Message(role=line.role, content=line.content)
            asked = (line.model, line.style)
            said = store.inserted(database, number, parent, message, asked, line.state)
            ids.append(said.id)
        leaf = ids[file.leaf] if file.leaf is not None else (ids[-1] if ids else None)
        store.shown(database, number, leaf)
    return store.get(user, found.id)
