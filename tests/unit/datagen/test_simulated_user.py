"""Tests of the simulated user, with the real pipeline and a teacher that is told what to say."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.dataset import DatasetRequest
from contracts.style import Language, StyleVersion
from datagen.board import EXHAUSTED, Board
from datagen.config import Settings
from datagen.generate import Generation, Plan
from datagen.journals import read_rejected, read_samples, read_turns, read_user_turns
from datagen.metrics import Metrics
from datagen.prompts import Prompts
from datagen.questions import Bank
from datagen.scripted import ScriptedTeacher
from datagen.scripted_user import KEY
from datagen.simulated_user import bare
from datagen.teacher import open_teacher
from fakes.teacher import FakeTeacher, Fault
from kit.crisis import load_screens

Answer = Callable[[dict[str, Any]], str]
REQUEST = DatasetRequest(per_style=6, multi_turn_ratio=1, turns=4, turns_least=2, seed=3)
WORDS = "我真的太难受了！根本没人管我，这日子没法过！"


class Bench:
    """Generations in one folder with the Chinese card; `user` says what users say, where set."""

    def __init__(self, folder: Path, versions: list[StyleVersion], banks: dict[Language, Bank],
                 shipped: Path) -> None:  # fmt: skip
        folder.mkdir()
        self.folder, self.versions, self.banks, self.shipped = folder, versions, banks, shipped
        scripted = ScriptedTeacher(lambda: [v.style for v in versions], banks)
        self.user: Answer | None = None
        self.fake = FakeTeacher(
            lambda body: self.user(body) if self.user and is_user(body) else scripted.reply(body)
        )

    async def run(self, request: DatasetRequest = REQUEST, **options: Any) -> Board:
        """Run to the end, or until it is stopped."""
        return await Generation(
            self.folder,
            Plan(request=request, styles=self.versions),
            banks=self.banks,
            prompts=Prompts(self.shipped / "prompts"),
            teacher=open_teacher(Settings(), Metrics(), self.fake),
            metrics=Metrics(),
            screens=load_screens(),
            **options,
        ).run(4)


def is_user(body: dict[str, Any]) -> bool:
    """Return whether a request asks for a user's words."""
    return KEY.search(body["messages"][0]["content"]) is not None


@pytest.fixture
def bench(
    tmp_path: Path, versions: list[StyleVersion], banks: dict[Language, Bank], shipped: Path
) -> Bench:
    """A bench with one Chinese style."""
    return Bench(tmp_path / "work", versions[:1], banks, shipped)


async def test_each_turn_is_written_in_answer_to_the_reply_before(bench: Bench) -> None:
    """The teacher is shown the dialogue so far, its part and the strength wanted at this turn."""
    await bench.run()
    rows = {row.slot: row for row in read_samples(bench.folder)}
    assert Counter(len(row.history) for row in rows.values()) == {1: 2, 2: 2, 3: 2}
    shown = [body["messages"] for body in bench.fake.calls if is_user(body)]
    for row in rows.values():
        assert row.dialogue
        for number, turn in enumerate(row.history):
            [system, talk] = next(one for one in shown if turn.assistant in one[1]["content"])
            assert turn.user in talk["content"]
            found = KEY.search(system["content"])
            assert found
            assert found["situation"] == row.situation
            assert found["trajectory"] == row.dialogue.trajectory
            assert int(found["level"]) == row.dialogue.states[number + 1].intensity


async def test_row_keeps_what_was_asked_of_its_user(bench: Bench) -> None:
    """One state for each user turn, with the call that wrote the words; single turns have none."""
    await bench.run(REQUEST.model_copy(update={"multi_turn_ratio": 0.5}))
    for row in read_samples(bench.folder):
        if not row.history:
            assert row.dialogue is None
            continue
        assert row.dialogue
        assert len(row.dialogue.states) == len(row.history) + 1
        assert len(row.dialogue.replies) == len(row.history)
        assert all(row.dialogue.replies)
        opening, *later = row.dialogue.states
        assert (opening.teacher, opening.provenance) == ("", None)
        assert all(state.teacher == "scripted" and state.provenance for state in later)
        assert {state.emotion for state in row.dialogue.states} == {row.situation.split("/")[1]}


async def test_user_who_never_says_anything_usable_gives_the_row_up(bench: Bench) -> None:
    """Every try is on record as the user's, and the reply before it is not asked for again."""
    bench.user = lambda _: "你可以先做几次深呼吸，别太担心。"
    request = REQUEST.model_copy(update={"max_attempts": 3})
    board = await bench.run(request)
    assert board.counts().failed == {EXHAUSTED: 6}
    refused = list(read_rejected(bench.folder))
    assert {(row.speaker, row.reason.value, row.turn) for row in refused} == {
        ("user", "role_reversal", 1)
    }
    assert [row.reply for row in refused] == [""] * 18
    assert board.counts().teacher_calls == len(bench.fake.calls) == 6 + 18


async def test_tries_of_one_turn_are_not_taken_from_the_next(bench: Bench) -> None:
    """A long dialogue may be refused more often than a single turn may."""
    count: Counter[str] = Counter()
    good = ScriptedTeacher(lambda: [], bench.banks).reply

    def stutter(body: dict[str, Any]) -> str:
        talk = body["messages"][1]["content"]
        count[talk] += 1
        return "" if count[talk] < 3 else good(body)

    bench.user = stutter
    board = await bench.run(REQUEST.model_copy(update={"max_attempts": 3, "turns_least": 4}))
    assert board.counts().accepted == 6
    assert board.counts().rejected["too_short"] >= 6 * 3 * 2


async def test_two_users_of_a_dataset_never_say_the_same(bench: Bench) -> None:
    """So that no question of a training dialogue is one of an evaluation."""
    bench.user = lambda _: WORDS
    board = await bench.run(REQUEST.model_copy(update={"turns": 2}))
    said = [turn.text for turn in read_user_turns(bench.folder)]
    assert len(said) == len(set(said))
    assert board.counts().rejected["duplicate"] > 0


async def test_crisis_ends_the_dialogue_with_a_safe_reply(bench: Bench) -> None:
    """No teacher is asked for a reply in a style, and nobody talks on after it."""
    bench.user = lambda body: f"我真的受不了了！我想自杀！{body['seed']}"
    board = await bench.run(REQUEST.model_copy(update={"turns": 4, "turns_least": 4}))
    rows = [row for row in read_samples(bench.folder) if row.safety]
    assert rows
    screen = load_screens()["zh"]
    for row in rows:
        assert (row.safety, len(row.history)) == ("suicide", 1)
        assert screen.is_safe_reply(row.reply)
        assert row.teacher == ""
        assert row.dialogue
        assert len(row.dialogue.states) == 2
    styled = [body for body in bench.fake.calls if not is_user(body)]
    assert not any("自杀" in body["messages"][-1]["content"] for body in styled)
    assert board.counts().teacher_calls == len(bench.fake.calls)


async def test_personal_data_in_a_users_words_is_masked_before_the_reply(bench: Bench) -> None:
    """The teacher of the reply does not see it, and the row names its kind."""
    bench.user = lambda body: f"{WORDS}打我电话13800138000吧，第{body['seed'] % 97}次了！"
    await bench.run(REQUEST.model_copy(update={"turns": 3, "turns_least": 3}))
    rows = list(read_samples(bench.folder))
    assert all(row.masked for row in rows)
    contents = [m["content"] for body in bench.fake.calls for m in body["messages"]]
    assert not any("13800138000" in text for text in contents)


async def test_stopped_dialogue_goes_on_with_the_words_that_it_has(bench: Bench) -> None:
    """However often a run is stopped, no words and no reply are asked for twice."""
    for _ in range(60):
        stop_at = len(bench.fake.calls) + 3
        board = await bench.run(stopped=lambda at=stop_at: len(bench.fake.calls) >= at)
        if not board.open_slots():
            break
    assert board.counts().accepted == 6
    seeds = Counter(body["seed"] for body in bench.fake.calls)
    assert set(seeds.values()) == {1}
    assert board.counts().teacher_calls == len(bench.fake.calls)
    turns = [(turn.slot, turn.number) for turn in read_turns(bench.folder)]
    words = [(turn.slot, turn.number) for turn in read_user_turns(bench.folder)]
    assert len(set(turns)) == len(turns) == len(set(words)) == len(words) == 12


async def test_refused_request_for_words_is_a_refused_try(bench: Bench) -> None:
    """A 400 from the teacher uses up one try, with its reason."""
    bench.fake.faults.extend([None] * 6 + [Fault.REFUSED])
    board = await bench.run()
    assert board.counts().rejected["malformed"] == 1
    assert board.counts().accepted == 6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("你：我好累。", "我好累。"),
        ('"I am tired."', "I am tired."),
        ("“我好累。”", "我好累。"),
        ('"No," he said, "never."', '"No," he said, "never."'),
        ("你说得对。", "你说得对。"),
    ],
)
def test_names_and_quotation_marks_are_taken_off(text: str, words: str) -> None:
    """Models put them around the words that they were asked for."""
    assert bare(text) == words
