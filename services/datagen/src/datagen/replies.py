"""The record of a generation's replies: what was paid for is asked once, and can be judged again.

A request is known by its prompt and its seed. A line is written as soon as the answer is there and
not waited for: it survives `kill -9`. What a power cut takes from it, the rows still hold.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from contracts.durable import fsync_file, repair_tail
from contracts.model import Recorded
from contracts.sample import Provenance
from datagen.asking import RefusedError, TeacherReply
from datagen.journals import read_samples, read_turns, read_user_turns
from datagen.provenance import prompt_digest
from datagen.teachers import Asked
from datagen.usage import Usage

REPLIES = "replies.jsonl"
# Far above what any gate lets pass; what is judged is what is kept.
LONGEST = 20_000


class MissingReplyError(Exception):
    """The record does not hold this reply, and nobody may be asked now."""


class ReplyRow(Recorded):
    """A row of `replies.jsonl`; `refused` says why a request has no reply."""

    key: str
    text: str = ""
    cut: bool = False
    teacher: str = ""
    refused: str | None = None
    provenance: Provenance | None = None

    def reply(self) -> TeacherReply:
        """Return the reply. Raises RefusedError where the teacher refused to give one."""
        if self.refused is not None:
            raise RefusedError(self.refused)
        return TeacherReply(
            self.text, self.cut, usage_of(self.provenance), self.teacher, self.provenance
        )


class Replies:
    """Replies by request: those of earlier folders, and those that are added to one's own.

    Only places are kept in memory: about 200 bytes a reply.

    Args:
        folder: where new ones are written.
        earlier: folders whose records, and whose rows, are known too; nobody writes there.
    """

    def __init__(self, folder: Path, earlier: Sequence[Path] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / REPLIES
        repair_tail(self.path)
        self._file = self.path.open("a+b", buffering=0)
        self._files = [self._file]
        self._places: dict[str, tuple[int, int]] = {}
        self._rows: dict[str, ReplyRow] = {}
        self._tokens: Counter[str] = Counter()
        for other in earlier:
            if (other / REPLIES).exists():
                self._files.append((other / REPLIES).open("rb", buffering=0))
        for number in range(len(self._files)):
            self._read(number)
        for other in earlier:
            self._read_rows(other)

    def __len__(self) -> int:
        return len(self._places) + len(self._rows)

    @property
    def usage(self) -> Usage:
        """What all calls on the record took together, as far as their teacher reported it."""
        return Usage(*(self._tokens[name] for name in ("input", "cached", "output")))

    def find(self, key: str) -> ReplyRow | None:
        """Return what was answered to a request, or None where it was never asked."""
        if key in self._rows:
            return self._rows[key]
        if key not in self._places:
            return None
        number, offset = self._places[key]
        file = self._files[number]
        file.seek(offset)
        with_rest = file.read(4096)
        while b"\n" not in with_rest and (more := file.read(65536)):
            with_rest += more
        return ReplyRow.model_validate_json(with_rest[: with_rest.index(b"\n")])

    def add(self, row: ReplyRow) -> None:
        """Write down an answer. Raises OSError where the disk refuses it."""
        line = row.model_dump_json(exclude_defaults=True).encode() + b"\n"
        offset = self._file.seek(0, 2)
        try:
            written = 0
            while written < len(line):
                written += self._file.write(line[written:])
        except OSError:
            self._file.truncate(offset)
            raise
        self._places[row.key] = (0, offset)
        self._tokens.update(dict(usage_of(row.provenance).directions()))

    def close(self) -> None:
        """Make what was added durable, and close the files. Raises OSError."""
        try:
            fsync_file(self.path)
        finally:
            for file in self._files:
                file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, number: int) -> None:
        """Note where the answers in one file stand; the first one to a request counts."""
        offset = 0
        with Path(self._files[number].name).open("rb") as file:
            for line in file:
                if (key := key_in(line)) and key not in self._places:
                    self._places[key] = (number, offset)
                    self._tokens.update(tokens_in(line))
                offset += len(line)

    def _read_rows(self, folder: Path) -> None:
        """Take from the rows of a folder what no record holds."""
        for row in rows_in(folder):
            if row.key not in self._places:
                self._rows.setdefault(row.key, row)


class Remembered:
    """A teacher that is asked only what the record does not know.

    Args:
        teacher: the one to ask.
        replies: the record.
        asking: whether it may be asked; else MissingReplyError is raised.
    """

    def __init__(self, teacher: Asked, replies: Replies, *, asking: bool = True) -> None:
        self.teacher = teacher
        self.replies = replies
        self.asking = asking
        self.used: set[str] = set()

    @property
    def dollars(self) -> float | None:
        """What the calls on the record cost; None: no prices are known."""
        return self.cost(self.replies.usage)

    @property
    def model(self) -> str:
        """What the manifest calls it."""
        return self.teacher.model

    @property
    def most(self) -> int:
        """Calls at once, at most."""
        return self.teacher.most

    @property
    def is_down(self) -> bool:
        """Whether nobody answers at present."""
        return self.teacher.is_down

    @property
    def budget_left(self) -> float | None:
        """Dollars that may still be spent; None: no budget."""
        return self.teacher.budget_left

    def cost(self, usage: Usage) -> float | None:
        """Return the dollars of a call that takes `usage`; None: no prices are known."""
        return self.teacher.cost(usage)

    async def ask(
        self, messages: list[dict[str, str]], *, temperature: float, seed: int
    ) -> TeacherReply:
        """Return the recorded reply, or ask and record it. Raises what `Teacher.ask` raises."""
        key = request_key(prompt_digest({"messages": messages}), seed)
        self.used.add(key)
        if row := self.replies.find(key):
            return row.reply()
        if not self.asking:
            raise MissingReplyError(key)
        try:
            reply = await self.teacher.ask(messages, temperature=temperature, seed=seed)
        except RefusedError as error:
            self.replies.add(ReplyRow(key=key, refused=str(error)[:LONGEST]))
            raise
        row = row_of(key, reply)
        self.replies.add(row)
        return row.reply()

    async def close(self) -> None:
        """Close the teacher's connections; the record is closed by whoever opened it."""
        await self.teacher.close()


def request_key(prompt_sha256: str, seed: int | None) -> str:
    """Return what a request is known by."""
    return f"{prompt_sha256[:32]}/{seed}"


def row_of(key: str, reply: TeacherReply) -> ReplyRow:
    """Return what is kept of a reply; half a surrogate pair, which no file holds, is U+FFFD."""
    text = reply.text[:LONGEST].encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return ReplyRow(
        key=key, text=text, cut=reply.cut, teacher=reply.teacher, provenance=reply.provenance
    )


def rows_in(folder: Path) -> Iterator[ReplyRow]:
    """Yield the replies that became rows, earlier turns or a user's words, as gates left them."""
    for sample in read_samples(folder):
        if origin := sample.provenance:
            key = request_key(origin.prompt_sha256, origin.seed)
            yield ReplyRow(key=key, text=sample.reply, teacher=sample.teacher, provenance=origin)
    for turn in read_turns(folder):
        if origin := turn.provenance:
            key = request_key(origin.prompt_sha256, origin.seed)
            yield ReplyRow(
                key=key, text=turn.turn.assistant, teacher=turn.teacher, provenance=origin
            )
    for words in read_user_turns(folder):
        if origin := words.state.provenance:
            key = request_key(origin.prompt_sha256, origin.seed)
            yield ReplyRow(key=key, text=words.text, teacher=words.state.teacher, provenance=origin)


def key_in(line: bytes) -> str:
    """Return the key of a line of the record; empty for a line that a power cut spoilt."""
    try:
        found = json.loads(line)["key"]
    except (ValueError, TypeError, KeyError):
        return ""
    return found if isinstance(found, str) and line.endswith(b"\n") else ""


def tokens_in(line: bytes) -> dict[str, int]:
    """Return the tokens of a line of the record, by direction; nothing where it tells none."""
    found = json.loads(line).get("provenance")
    known = found if isinstance(found, dict) else {}
    names = ("input", "cached", "output")
    return {name: n for name in names if isinstance(n := known.get(f"{name}_tokens"), int)}


def usage_of(origin: Provenance | None) -> Usage:
    """Return what a recorded call took."""
    if origin is None:
        return Usage()
    return Usage(
        origin.input_tokens, origin.cached_tokens, origin.output_tokens, origin.reasoning_tokens
    )
