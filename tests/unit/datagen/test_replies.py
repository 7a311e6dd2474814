"""Tests of the record of replies."""

from pathlib import Path

import pytest

from contracts.sample import Provenance
from datagen.asking import RefusedError, TeacherReply
from datagen.gates import GENERATED
from datagen.replies import (
    LONGEST,
    REPLIES,
    MissingReplyError,
    Remembered,
    Replies,
    ReplyRow,
    row_of,
)
from fakes.asked import AskedTeacher

MESSAGES = [{"role": "user", "content": "你好"}]


async def test_request_is_asked_once_also_over_a_restart(tmp_path: Path) -> None:
    """The second process has the whole reply from the record; another seed is another request."""
    teacher = AskedTeacher(lambda body: f"好的 {body['seed']}")
    with Replies(tmp_path) as replies:
        first = await Remembered(teacher, replies).ask(MESSAGES, temperature=0.7, seed=1)
    with Replies(tmp_path) as replies:
        again = Remembered(teacher, replies)
        assert await again.ask(MESSAGES, temperature=0.7, seed=1) == first
        assert (await again.ask(MESSAGES, temperature=0.7, seed=2)).text == "好的 2"
        assert len(replies) == 2
    assert teacher.calls.total() == 2


async def test_refusal_is_remembered_too(tmp_path: Path) -> None:
    """It is not asked for again."""
    teacher = AskedTeacher(lambda _: "")
    with Replies(tmp_path) as replies:
        for _ in range(2):
            with pytest.raises(RefusedError, match="it will not"):
                await Remembered(teacher, replies).ask(MESSAGES, temperature=0.7, seed=1)
    assert teacher.calls.total() == 1


async def test_nobody_is_asked_where_asking_is_not_allowed(tmp_path: Path) -> None:
    """A replay learns that a reply is missing."""
    with Replies(tmp_path) as replies, pytest.raises(MissingReplyError):
        await Remembered(AskedTeacher(lambda _: "x"), replies, asking=False).ask(
            MESSAGES, temperature=0.7, seed=1
        )


def test_torn_and_spoilt_lines_are_passed_over(tmp_path: Path) -> None:
    """What a kill or a power cut leaves costs a call, never a start."""
    with Replies(tmp_path) as replies:
        replies.add(ReplyRow(key="a/1", text="one"))
    path = tmp_path / REPLIES
    path.write_bytes(path.read_bytes() + b"\0\0\0\n[1]\n" + b'{"key": "b/1", "te')
    with Replies(tmp_path) as replies:
        assert len(replies) == 1
        replies.add(ReplyRow(key="c/1", text="three" * 5000))
        replies.add(ReplyRow(key="d/1", text="four"))
        found = [replies.find(key) for key in ("a/1", "b/1", "c/1", "d/1")]
    assert [row.text if row else None for row in found] == ["one", None, "three" * 5000, "four"]


def test_earlier_records_are_read_and_not_written(tmp_path: Path) -> None:
    """The first answer to a request counts."""
    for name in ("one", "two"):
        with Replies(tmp_path / name) as replies:
            replies.add(ReplyRow(key="both/1", text=name))
            replies.add(ReplyRow(key=f"{name}/1", text=name))
    with Replies(tmp_path / "own", [tmp_path / "one", tmp_path / "two"]) as replies:
        rows = [replies.find(key) for key in ("both/1", "one/1", "two/1", "none/1")]
        assert len(replies) == 3
    assert [row.text if row else None for row in rows] == ["one", "one", "two", None]
    assert not (tmp_path / "own" / REPLIES).read_bytes()


def test_what_is_kept_is_what_a_file_holds() -> None:
    """Half a surrogate pair becomes the mark that a gate refuses; no reply is endless."""
    kept = row_of("a/1", TeacherReply("哼\ud83d", provenance=Provenance(seed=1)))
    assert set(kept.text) == {"哼", "\ufffd"}
    assert ReplyRow.model_validate_json(kept.model_dump_json(exclude_defaults=True)) == kept
    assert len(row_of("a/1", TeacherReply("长" * 10**6)).text) == LONGEST
    assert all(limits.longest < LONGEST for limits in GENERATED.values())


def test_tokens_of_all_calls_are_known_also_over_a_restart(tmp_path: Path) -> None:
    """What a generation cost so far is of the whole generation; a spoilt line counts nothing."""
    call = Provenance(input_tokens=100, output_tokens=7)
    with Replies(tmp_path) as replies:
        replies.add(ReplyRow(key="a", provenance=call))
        replies.add(ReplyRow(key="b", provenance=call))
        replies.add(ReplyRow(key="c"))
        assert (replies.usage.input, replies.usage.output) == (200, 14)
    with (tmp_path / REPLIES).open("a", encoding="utf-8") as file:
        file.write('{"key": "d", "provenance": 3}\n')
    with Replies(tmp_path) as replies:
        assert (replies.usage.input, replies.usage.cached, replies.usage.output) == (200, 0, 14)
