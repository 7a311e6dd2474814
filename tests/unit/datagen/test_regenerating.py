"""Tests of the job that asks the teacher again."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from contracts.identity import new_id
from contracts.job import Job, JobState
from contracts.review import ReviewChange, ReviewEdit, ReviewFilter, ReviewQuery, ReviewUndo
from datagen import regenerating
from datagen.asking import RefusedError, TeacherReply
from datagen.errors import BudgetSpentError
from datagen.regenerating import KIND, RegenerationHandler
from datagen.review import ReviewDesk
from datagen.services import Services
from fakes.reviewed import FIRST, publish_first
from kit.crisis import Screen
from kit.worker import JobContext, Outcome

GOOD = "哼，谁要特地帮你啊！早点睡就是了。"
BAD = "作为一个AI，我很高兴为您服务啦！"


class Told:
    """A teacher that says what a function of the number of the call says; None is a refusal."""

    model = "told"
    most = 4
    is_down = False

    def __init__(self, reply: Callable[[int], str | None]) -> None:
        self.reply, self.calls = reply, 0
        self.before: Callable[[], object] = lambda: None

    async def ask(self, *_: Any, **__: Any) -> TeacherReply:
        """Answer, or refuse."""
        self.calls += 1
        self.before()
        if (text := self.reply(self.calls)) is None:
            raise RefusedError("HTTP 400")
        return TeacherReply(text)

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
async def desk(services: Services) -> AsyncIterator[ReviewDesk]:
    """The desk over a small dataset whose review is open."""
    publish_first(services.volume)
    desk = ReviewDesk(services.volume, services.banks, services.reviews, services.screens)
    desk.open(FIRST)
    yield desk
    services.reviews.close()


async def run(services: Services, desk: ReviewDesk, teacher: Told, rows: list[int]) -> Outcome:
    """Regenerate rows as the worker does."""
    change = {"revision": 0, "filter": {"rows": rows}, "attempts": 3}
    request = {"dataset_id": FIRST, "change": change}
    job: Job = services.store.submit(KIND, new_id("again"), request)
    handler = RegenerationHandler(desk, services.prompts, teacher)
    return await handler(job, JobContext(services.store, job))


def tsundere(desk: ReviewDesk, count: int) -> list[int]:
    """Return the numbers of some accepted rows of one style."""
    page = desk.page(FIRST, ReviewQuery(style="tsundere", origin="accepted", limit=count))
    return [row.number for row in page.rows]


async def test_new_replies_are_open_edits_of_one_step(services: Services, desk: ReviewDesk) -> None:
    """A person looks at each; one undo brings the old ones back."""
    rows = tsundere(desk, 3)
    desk.change(
        FIRST, ReviewChange(revision=0, action="note", filter=ReviewFilter(), note="again please")
    )
    teacher = Told(lambda _: GOOD)
    change = {"revision": 1, "filter": {"rows": rows}, "attempts": 3}
    job = services.store.submit(KIND, "again", {"dataset_id": FIRST, "change": change})
    outcome = await RegenerationHandler(desk, services.prompts, teacher)(
        job, JobContext(services.store, job)
    )
    assert outcome.result == {"changed": 3, "refused": {}}
    found = [desk.row(FIRST, number) for number in rows]
    assert {(row.reply, row.edit, row.decision, row.note) for row in found} == {
        (GOOD, "teacher", "open", "again please")
    }
    desk.undo(FIRST, ReviewUndo(revision=2))
    assert not desk.show(FIRST).counts.edited


async def test_reply_that_a_gate_refuses_is_asked_for_again(
    services: Services, desk: ReviewDesk
) -> None:
    """Until the tries are used up; then the row stays, with the last reason."""
    rows = tsundere(desk, 1)
    late = Told(lambda call: GOOD if call == 3 else BAD)
    assert (await run(services, desk, late, rows)).result["changed"] == 1
    other = [number for number in tsundere(desk, 10) if number not in rows][:1]
    before = desk.row(FIRST, other[0])
    never = Told(lambda _: BAD)
    outcome = await run(services, desk, never, other)
    assert outcome.result == {"changed": 0, "refused": {"assistant_voice": 1}}
    assert never.calls == 3
    assert desk.row(FIRST, other[0]) == before


async def test_teacher_that_goes_away_fails_the_job_with_its_reason(
    services: Services, desk: ReviewDesk
) -> None:
    """What it had answered by then is stored, so that it is not paid for twice."""

    def reply(call: int) -> str:
        if call == 3:
            raise BudgetSpentError("the teacher's budget is spent")
        return GOOD

    with pytest.raises(BudgetSpentError, match="budget is spent"):
        await run(services, desk, Told(reply), tsundere(desk, 3))
    assert desk.show(FIRST).counts.edited == 2


async def test_refusing_teacher_and_the_same_reply_leave_the_row(
    services: Services, desk: ReviewDesk
) -> None:
    """Each has its reason."""
    first, second = tsundere(desk, 2)
    same = desk.row(FIRST, first).reply
    assert (await run(services, desk, Told(lambda _: same), [first])).result["refused"] == {
        "duplicate": 1
    }
    assert (await run(services, desk, Told(lambda _: None), [second])).result["refused"] == {
        "malformed": 1
    }


async def test_person_who_was_faster_wins(services: Services, desk: ReviewDesk) -> None:
    """The row that was edited meanwhile stays; its neighbours get their replies."""
    rows = tsundere(desk, 3)
    teacher = Told(lambda _: GOOD)
    edit = ReviewEdit(revision=0, reply="哼，谁要特地帮你啊！去喝口水啦。")

    def once() -> None:
        teacher.before = lambda: None
        desk.edit(FIRST, rows[1], edit)

    teacher.before = once
    outcome = await run(services, desk, teacher, rows)
    assert outcome.result == {"changed": 2, "refused": {"changed_meanwhile": 1}}
    assert desk.row(FIRST, rows[1]).reply == edit.reply
    assert desk.row(FIRST, rows[2]).reply == GOOD


async def test_resumed_job_asks_only_for_what_is_missing(
    services: Services, desk: ReviewDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was stored before the job died is not paid for again."""
    monkeypatch.setattr(regenerating, "GROUP", 2)
    rows = tsundere(desk, 6)

    def dies(call: int) -> str:
        if call > 4:
            raise OSError("the process dies")
        return GOOD

    with pytest.raises(ExceptionGroup):
        await run(services, desk, Told(dies), rows)
    again = Told(lambda _: GOOD)
    outcome = await run(services, desk, again, rows)
    assert again.calls == 2
    assert outcome.result["changed"] == 2
    assert {desk.row(FIRST, number).reply for number in rows} == {GOOD}


async def test_cancelled_job_stops_between_groups(
    services: Services, desk: ReviewDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says how far it came."""
    monkeypatch.setattr(regenerating, "GROUP", 1)
    rows = tsundere(desk, 3)
    request = {"dataset_id": FIRST, "change": {"revision": 0, "filter": {"rows": rows}}}
    services.store.submit(KIND, "stop", request)
    job = services.store.claim()
    assert job is not None
    teacher = Told(lambda _: GOOD)
    teacher.before = lambda: services.store.request_cancel(job.id)
    outcome = await RegenerationHandler(desk, services.prompts, teacher)(
        job, JobContext(services.store, job)
    )
    assert outcome.state is JobState.CANCELLED
    assert outcome.result["changed"] == 1


async def test_row_without_a_card_or_in_a_crisis_asks_nobody(
    services: Services, desk: ReviewDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A safe reply is never replaced by a styled one."""
    row = tsundere(desk, 1)
    teacher = Told(lambda _: GOOD)
    monkeypatch.setattr(Screen, "kind", lambda *_: "suicide")
    assert (await run(services, desk, teacher, row)).result["refused"] == {"crisis": 1}
    sheet = desk.sheet(FIRST)
    sheet.styles.clear()
    monkeypatch.setattr(desk, "sheet", lambda _: sheet)
    again = await run(services, desk, teacher, tsundere(desk, 2)[:2])
    assert again.result["refused"] == {"unknown_style": 2}
    assert teacher.calls == 0
