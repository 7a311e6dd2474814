"""The tab that proves that a style took."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from contracts.job import JobState
from fakes.clock import FakeClock
from fakes.other_questions import next_question
from fakes.page_stack_prove import NAMES, finish, proven
from fakes.stack import Stack
from ui.catalog import CatalogSource
from ui.chat.talk import Talk
from ui.config import UiSettings
from ui.drain import Drain
from ui.errors import ProblemError
from ui.kept.courier import Courier
from ui.kept.keeping import keeping
from ui.page import Page
from ui.proof.arena import Seated
from ui.proof.source import RETRY_SECONDS, ProofSource
from ui.tabs.prove.arena import Arena
from ui.tabs.prove.desk import Desk
from ui.tabs.prove.report import Report
from ui.tabs.prove.round import Round
from ui.tabs.prove.sides import Sides
from ui.tabs.prove.start import FIELDS, Start
from ui.texts import texts_in
from ui.upstream.backend import Backend
from ui.upstream.jobs import JobWatch
from unit.ui.test_train_tab import UNCHANGED, NoTime, owner

EN = texts_in("en")
FORM = ["four-tones-20261122-a1b2c3", "tonesmith", 20, 3, True, True, False]


@pytest.fixture
async def sheets(backend: Backend, stack: Stack, tmp_path: Path) -> dict[type, Any]:
    """The sheets of a page's tab, by their classes, which ask the stand-ins each time."""
    settings = UiSettings.from_environ(stack.urls | {"UI_STATE_DIR": str(tmp_path / "ui")})
    talk = Talk(backend, CatalogSource(backend), settings.max_tokens, Drain(5))
    page = Page(settings, talk, keeping(settings.state_dir))
    methods = [function.fn for function in page.blocks.fns.values()]
    found = {type(each.__self__): each.__self__ for each in methods if owner(each)}
    desk = found[Desk]
    desk.jobs = JobWatch(backend.proof.jobs, NoTime())
    desk.source = ProofSource(backend.proof, NoTime())
    await talk.source.catalog()
    return found


async def opened(sheets: dict[type, Any], picked: Any = None) -> list[Any]:
    """Open the tab; return what the desk and the first sheet show."""
    nothing = [None, None, 20, 3, True, True, False]
    values: list[Any] = await sheets[Desk].look("start", "", picked, "", None, *nothing, "en")
    return values


async def test_tab_offers_what_can_be_evaluated(sheets: dict[type, Any], stack: Stack) -> None:
    """The newest dataset and the promoted model, the cost, and no job yet."""
    _, picker, followed, _, dataset, tuned, cost, job, *_, past = await opened(sheets)
    assert not picker["visible"]
    assert followed == ""
    assert dataset["value"] == stack.datasets[0].id
    assert (tuned["value"], "base" in tuned["choices"]) == ("tonesmith", False)
    assert "replies" in cost
    assert EN("prove.no_job") in job
    assert EN("prove.none") in past


async def test_choice_is_never_sent_back(sheets: dict[type, Any]) -> None:
    """While a look is under way, its reader may make another one."""
    values: list[Any] = await sheets[Desk].look("start", "", None, "", None, *FORM, "en")
    dataset, tuned = values[4:6]
    assert FORM[0] in dataset["choices"]
    assert FORM[1] in tuned["choices"]
    assert "value" not in dataset | tuned


async def test_datagen_that_hangs_is_asked_once_for_all_pages() -> None:
    """They queue for one answer, and each would wait for a call of its own."""
    clock, asked = FakeClock(), []

    async def reports() -> list[Any]:
        asked.append(clock.now)
        raise ProblemError("datagen", "timeout")

    source = ProofSource(SimpleNamespace(reports=reports), clock)  # type: ignore[arg-type]
    every = await asyncio.gather(*(source.proofs() for _ in range(5)))
    assert [one.problem is not None for one in every] == [True] * 5
    clock.now += RETRY_SECONDS
    await source.proofs()
    assert asked == [0, RETRY_SECONDS]


async def test_start_pressed_twice_is_one_evaluation(sheets: dict[type, Any], stack: Stack) -> None:
    """Also with the same request in another window; after its end it is a new one."""
    start: Start = sheets[Start]
    first, problem, *fields = await start.begin(*FORM, "en")
    second, *_ = await start.begin(*FORM, "en")
    assert problem == ""
    assert len(fields) == len(FIELDS)
    assert first == second == stack.evaluation_jobs[0].id
    assert len(stack.evaluation_jobs) == 1
    finish(stack, first)
    third, *_ = await start.begin(*FORM, "en")
    assert third != first


async def test_evaluation_is_found_again_and_its_report_opened(
    sheets: dict[type, Any], stack: Stack
) -> None:
    """A page that was loaded again knows nothing, and finds it by itself."""
    name, *_ = await sheets[Start].begin(*FORM, "en")
    _, _, followed, seen, *_, cancel, resume, see, _ = await opened(sheets)
    assert followed == name
    assert (cancel["visible"], resume["visible"], see["visible"]) == (True, False, False)
    again = await sheets[Desk].look("start", "en", None, name, seen, *FORM, "en")
    assert again[4:] == [UNCHANGED] * 8
    finish(stack, name)
    _, picker, *_, see, past = await opened(sheets)
    assert (picker["value"], picker["visible"], see["visible"]) == (name, True, True)
    assert EN("report.took") in past
    assert (await sheets[Start].opened(name, ""))["value"] == name


async def test_orders_reach_the_job(sheets: dict[type, Any], stack: Stack) -> None:
    """Stop, and go on; a refusal is told."""
    start: Start = sheets[Start]
    name, *_ = await start.begin(*FORM, "en")
    assert await start.cancel(name, "en") == ""
    assert stack.evaluation_jobs[0].state is JobState.CANCELLED
    assert await start.resume(name, "en") == ""
    assert stack.evaluation_jobs[0].state is JobState.QUEUED
    assert "the job is queued" in await start.resume(name, "en")


async def test_refusal_is_marked_beside_its_field(sheets: dict[type, Any]) -> None:
    """With the service's words and its hint; a form that is not whole says what is missing."""
    followed, problem, *fields = await sheets[Start].begin(*FORM[:-1], True, "en")
    assert followed == UNCHANGED
    assert "JUDGE_BASE_URL" in problem
    assert fields[FIELDS.index("judge")]["info"] == EN("prove.look_here")
    assert fields[0]["info"] == EN("prove.dataset_id_info")
    _, problem, *fields = await sheets[Start].begin(None, *FORM[1:], "en")
    assert EN("prove.missing", field=EN("prove.dataset_id")) in problem
    assert fields[0]["info"] == EN("prove.look_here")


async def test_report_is_shown_and_fetched(sheets: dict[type, Any], stack: Stack) -> None:
    """The newest one, or the one that was picked; as a file too."""
    stack.evaluations = [proven(stack.styles), proven(stack.styles, "eval-2", verdict="not")]
    report: Report = sheets[Report]
    sheet, shown, page, problem = await report.enter("en1", None, "en")
    assert (sheet, shown["visible"], problem) == ("report", True, "")
    assert EN("report.took") in page
    assert EN("report.not") in (await report.look("eval-2", "en"))[0]
    assert await report.follow("sides", "eval-2", "en") == [UNCHANGED] * 2
    button, _ = await report.fetch("eval-2", "en")
    assert Path(button["value"]).name == "eval-2.html"
    assert "tonesmith" in await asyncio.to_thread(Path(button["value"]).read_text)


async def test_replies_are_filtered_and_turned_over(sheets: dict[type, Any], stack: Stack) -> None:
    """Bounded sheets; whom the reader picked stays picked."""
    stack.evaluations = [proven(stack.styles)]
    sides: Sides = sheets[Sides]
    style, rivals, page, _, at, back, on = await sides.look(None, "", "drawn", [], 1, "en")
    assert len(style["choices"]) == 7
    assert rivals["value"] == ["tuned", "prompted", "base"]
    assert page.count("<article") == 5
    assert (at, back["interactive"], on["interactive"]) == (1, False, True)
    *_, at, _, on = await sides.later(None, "", "failed", ["tuned"], 3, "en")
    assert (at, on["interactive"]) == (4, False)
    assert (await sides.first(None, "gentle", "differ", ["tuned"], 4, "en"))[4] == 1


async def test_arena_names_nobody_before_the_vote(sheets: dict[type, Any], stack: Stack) -> None:
    """And empties what is named elsewhere; the clock moves nothing meanwhile."""
    stack.evaluations = [proven(stack.styles)]
    arena: Arena = sheets[Arena]
    sheet, picker, *shown = await arena.enter(None, None, "", "en")
    assert (sheet, picker["visible"]) == ("arena", False)
    named = len(sheets[Desk].named)
    empty = gr.update(choices=[], value=[])
    assert all(value in ("", empty) for value in shown[:named])
    seated, outcome, told, pair, ballot, following, tally = shown[named:]
    assert isinstance(seated, Seated)
    assert (outcome, tally) == ("", "")
    assert (ballot["visible"], following["visible"]) == (True, False)
    for name in NAMES:
        assert f"served-{name}" not in told + pair
    moved = await sheets[Desk].look("arena", "", None, "", None, *FORM, "en")
    assert moved == [UNCHANGED] * len(moved)
    again = await arena.enter(None, seated, "", "en")
    assert again[2 + named] == seated


async def test_votes_become_valid_preference_rows(
    sheets: dict[type, Any], stack: Stack, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One each, with both contestants; a second click on the same pair is none."""
    stack.evaluations = [proven(stack.styles)]
    arena, desk = sheets[Arena], sheets[Desk]
    monkeypatch.setattr("ui.tabs.prove.arena.next_duel", next_question)
    first = len(desk.named) + 2
    seated = (await arena.enter(None, None, "", "en"))[first]
    for number in range(6):
        vote = arena.voter(("left", "right")[number % 2])
        voted, outcome, _, pair, *_, tally = await vote(seated, "", "en")
        assert await vote(seated, outcome, "en") == [UNCHANGED] * 7
        assert voted == seated
        assert all(reply.model in pair for reply in seated.replies)
        seated = (await arena.draw(seated, "en"))[0]
    assert "6 / " in tally or EN("arena.tally_note", votes=6, own=6, ties=0, bad=0) in tally
    assert await Courier(desk.votes.ballots, backend).deliver()
    assert len(stack.votes) == 6
    said = await sheets[Round].train(None, "en")
    assert EN("prove.made", dataset=f"{stack.evaluations[0].request.dataset_id}-v2",
              trained=6, held=0) in said  # fmt: skip
    assert len(stack.paired) == 6
    for row in stack.paired:
        assert row["chosen"] != row["rejected"]
        names = {row[side].split(": ")[0] for side in ("chosen_by", "rejected_by")}
        assert len(names & set(NAMES)) == 2


async def test_service_that_is_down_is_said_on_every_sheet(
    sheets: dict[type, Any], stack: Stack
) -> None:
    """With the way out; nothing raises."""
    stack.datagen_up = False
    down = EN("calls.busy", service=EN("service.datagen"))
    *_, job, _, _, _, _ = await opened(sheets)
    assert down in job
    assert down in (await sheets[Start].begin(*FORM, "en"))[1]
    assert down in (await sheets[Report].look(None, "en"))[1]
    assert down in (await sheets[Sides].look(None, "", "drawn", [], 1, "en"))[2]
    assert any(down in str(value) for value in await sheets[Arena].enter(None, None, "", "en"))
    assert down in await sheets[Round].look("en")
