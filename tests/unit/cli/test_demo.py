"""The demo's parts: board, memory, transcript, report, journey."""

import io
import json
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from contracts.evaluation import EvaluationReport, Reply
from contracts.job import Job
from contracts.style import StyleVersion
from fakes.tonesmith_services import (
    EVALUATION,
    MODEL,
    REPLIES,
    STATUS,
    STYLE,
    FakeServices,
    job,
)
from tonesmith.demo.board import Board
from tonesmith.demo.journey import Journey
from tonesmith.demo.memory import MemoryWatch, pss_bytes
from tonesmith.demo.show import Demo, clear
from tonesmith.demo.transcript import exchanges, show_figures, show_transcript
from tonesmith.errors import CommandError, JobFailedError
from tonesmith.session import Session


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(clock: Clock) -> Board:
    return Board(Console(file=io.StringIO(), width=200), clock)


def written(board: Board) -> str:
    """Return what a board has written."""
    assert isinstance(board.console.file, io.StringIO)
    return board.console.file.getvalue()


def session(fake: FakeServices) -> Session:
    """Return a session whose services are the fake."""
    return Session({}, fake.transport)


def test_stage_is_timed_and_told(board: Board, clock: Clock) -> None:
    """Outside a terminal: a line at the start, one every ten seconds, one at the end."""
    with board.live(), board.stage("train", "train it") as row:
        for seconds in (1, 11, 12, 23.26):
            clock.now = seconds
            row.job(Job.model_validate(job("run", "run-1", "running")))
    assert board.seconds == {"train": 23.3}
    assert written(board).splitlines() == [
        "train it ...",
        "  train it: 1/1 run  loss 0.5",
        "  train it: 1/1 run  loss 0.5",
        "train it: 23.3 s",
    ]


def test_failed_stage_is_named_and_not_timed(board: Board) -> None:
    """`current` says where it broke."""

    def break_down() -> None:
        with board.stage("serve", "serve it"):
            raise CommandError("no")

    with pytest.raises(CommandError):
        break_down()
    assert (board.current, board.seconds) == ("serve", {})


def test_bars_are_drawn_in_a_terminal(clock: Clock) -> None:
    """Each stage is a bar; no lines come between them."""
    console = Console(file=io.StringIO(), width=120, force_terminal=True)
    board = Board(console, clock)
    with board.live(), board.stage("train", "train it") as row:
        row.show(3, 7, "loss [0.5]")
    text = written(board)
    assert "7/7" in text
    assert "loss [0.5]" in text
    assert "train it ..." not in text


def test_peak_is_the_largest_sum_over_processes() -> None:
    """Processes come and go; the peak stays."""
    sizes = {1: 10, 2: 20, 3: 5}
    alive = [1, 2]
    memory = MemoryWatch(lambda: alive, measure=lambda pid: sizes[pid])
    assert memory.sample() == 30
    alive[:] = [3]
    assert memory.sample() == 5
    assert memory.peak_bytes == 30


def test_memory_is_watched_in_the_background() -> None:
    """Entering starts the samples, leaving ends them."""
    with MemoryWatch(lambda: [1], measure=lambda _: 7, interval=0.01) as memory:
        while not memory.peak_bytes:
            pass
    assert memory.peak_bytes == 7


def test_pss_is_read_from_proc(tmp_path: Path) -> None:
    """The kernel's sum, in bytes; a process that is gone counts nothing."""
    (tmp_path / "5").mkdir()
    (tmp_path / "5" / "smaps_rollup").write_text("00-ff [rollup]\nRss:  9 kB\nPss:  3 kB\n")
    (tmp_path / "6").mkdir()
    (tmp_path / "6" / "smaps_rollup").write_text("")
    assert pss_bytes(5, tmp_path) == 3072
    assert pss_bytes(6, tmp_path) == pss_bytes(7, tmp_path) == 0


def test_transcript_shows_both_replies_of_one_question() -> None:
    """The first question that both answered; square brackets in it are text."""
    replies = [Reply.model_validate(reply) for reply in REPLIES]
    only_base = replies[0].model_copy(update={"question": "Only base?"})
    assert exchanges([only_base, *replies]) == {
        "calm": ("Why [so] late?", {"base": "base reply", "tuned": "tuned reply"})
    }
    console = Console(file=io.StringIO(), width=200)
    show_transcript(console, [StyleVersion.model_validate(STYLE)], replies)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "平静 / Calm  Why [so] late?" in text
    assert text.index("base reply") < text.index("tuned reply")


def test_journey_goes_from_styles_to_a_promoted_model(fake: FakeServices, board: Board) -> None:
    """Every stage is timed, the evaluation asks for the staged version."""
    outcome = Journey(session(fake), board).walk()
    assert list(board.seconds) == ["generate", "train", "serve", "evaluate", "promote"]
    assert outcome.served_name == "tonesmith.v1"
    asked = [request for request in fake.requests if request.url.path == "/evaluations"]
    assert json.loads(asked[0].content)["tuned"] == "tonesmith.v1"


def test_journey_ends_where_a_job_fails(fake: FakeServices, board: Board) -> None:
    """A failed run is no model."""
    fake.jobs["/runs"] = job("run", "run-1", "failed")
    with pytest.raises(JobFailedError):
        Journey(session(fake), board).walk()
    assert board.current == "train"


@pytest.mark.parametrize(
    "status",
    [
        {"loaded": [], "errors": {"tonesmith.v1": "golden prompt differs"}},
        {"loaded": [], "errors": {"engine": "golden prompt differs"}},
    ],
)
def test_refused_adapter_ends_the_journey_with_the_reason(
    fake: FakeServices, board: Board, status: dict[str, object]
) -> None:
    """What serving says is what the user reads."""
    fake.answers["GET /status"] = lambda _: httpx.Response(200, json=STATUS | status)
    with pytest.raises(CommandError, match="golden prompt differs"):
        Journey(session(fake), board).walk()
    assert board.current == "serve"


def test_broken_program_ends_the_wait(fake: FakeServices, board: Board) -> None:
    """Nobody waits for a serving that supervisord has given up."""
    fake.answers["GET /status"] = lambda _: httpx.Response(200, json=STATUS | {"loaded": []})

    def check() -> None:
        raise CommandError("serving does not run")

    with pytest.raises(CommandError, match="does not run"):
        Journey(session(fake), board, check).walk()


def test_report_has_exactly_the_agreed_shape(fake: FakeServices, board: Board) -> None:
    """Other programs read it."""
    demo = Demo(session(fake))
    demo.board = board
    outcome = Journey(session(fake), board).walk()
    found = json.loads(demo.report(outcome, 5).model_dump_json())
    keys = {"stages", "peak_memory_bytes", "engines", "styles", "samples", "proof"}
    assert set(found) == keys
    assert found["engines"] == {"llamafactory": "0.9.5", "vllm": "0.32.0", "torch": "2.13.0"}
    assert found["samples"] == {"accepted": 10, "rejected": {"echo": 2}}
    assert found["styles"] == [
        {
            "id": "calm",
            "replies": 20,
            "base_accuracy": 0.1,
            "tuned_accuracy": 0.95,
            "on_topic": 0.9,
        }
    ]


def test_figures_say_where_the_time_went(fake: FakeServices, board: Board) -> None:
    """The table of the evaluation, the stages, the memory and the engines."""
    outcome = Journey(session(fake), board).walk()
    demo = Demo(session(fake))
    demo.board = board
    console = Console(file=io.StringIO(), width=120)
    evaluation = EvaluationReport.model_validate(EVALUATION)
    show_figures(console, evaluation, demo.report(outcome, 3 << 30))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    for word in ("Where the time went", "generate", "95%", "3.0 GiB", "vllm 0.32.0"):
        assert word in text


def test_installation_is_a_stage_of_its_own() -> None:
    """make says when it began."""
    demo = Demo(Session({"DEMO_STARTED_AT": "1000"}), now=lambda: 1042.0)
    demo.count_installation()
    assert demo.board.seconds == {"install": 42.0}
    plain = Demo(Session({}))
    plain.count_installation()
    assert plain.board.seconds == {}


def test_failure_names_stage_and_shows_the_log(tmp_path: Path) -> None:
    """The last lines of the log that tells most."""
    demo = Demo(Session({}), root=tmp_path)
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "trainer.log").write_text("line one\nno memory\n")
    demo.board.current = "train"
    body = demo.failure(CommandError("it broke")).body
    assert "stage train failed: it broke" in body.message
    assert body.message.endswith("no memory")


def test_clearing_removes_only_what_a_demo_leaves(tmp_path: Path) -> None:
    """A file of the user stays; a link is removed, not followed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    root = tmp_path / "demo"
    (root / "state" / "trainer").mkdir(parents=True)
    (root / "data").symlink_to(outside)
    (root / "report.json").touch()
    (root / "notes.txt").touch()
    clear(root)
    assert [path.name for path in root.iterdir()] == ["notes.txt"]
    assert (outside / "kept").exists()


def test_model_of_the_fake_is_the_one_that_is_staged(fake: FakeServices) -> None:
    """The journey stages what the run published."""
    Journey(session(fake), Board(Console(file=io.StringIO()))).walk()
    paths = [request.url.path for request in fake.requests]
    assert f"/models/{MODEL['id']}/stage" in paths
    assert paths.index(f"/models/{MODEL['id']}/stage") < paths.index("/evaluations")
