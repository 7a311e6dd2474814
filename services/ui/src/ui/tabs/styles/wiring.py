"""Which step answers which event of the tab."""

from functools import partial
from typing import Any

import gradio as gr

from ui.events import QUICK, private
from ui.look import FOLDER as LOOK
from ui.tabs.styles.desk import Desk
from ui.tabs.styles.events import FORM, ORDER, SEARCH, TEXT, settled
from ui.tabs.styles.steps import Steps
from ui.tabs.tab import Workbench


def connect(bench: Workbench, desk: Desk) -> Steps:
    """Connect everything; return what answers."""
    steps = Steps(desk)
    known: list[Any] = [desk.kept, bench.language]
    connect_shelf(bench, desk, steps, known)
    connect_card(desk, steps, [*known, *desk.editor.inputs], known)
    connect_sheets(desk, steps, known)
    connect_asking(bench, desk, steps)
    spoken = [desk.kept, desk.side, bench.language, desk.trial.asked, desk.clash.asked]
    bench.language.change(steps.speak, spoken, desk.outputs, **QUICK)
    return steps


def connect_shelf(bench: Workbench, desk: Desk, steps: Steps, known: list[Any]) -> None:
    """Connect the library: opening the tab, the clock, search, picking, and new cards."""
    shelf, clash = desk.shelf, desk.clash
    sought = [desk.kept, shelf.search, shelf.shown]
    looking = [*sought, desk.entered, clash.offered, bench.language]
    bench.tab.select(steps.look, looking, desk.outputs, **QUICK)
    ticking = [desk.seen, *sought, clash.offered, bench.language]
    fresh = [shelf.cards, desk.seen, desk.entered, clash.picked, clash.offered]
    desk.clock.timer.tick(steps.tick, ticking, fresh, **QUICK)
    bench.language.change(steps.tick, ticking, fresh, **QUICK)
    gr.on([shelf.search.change, shelf.shown.input], steps.tick, ticking, fresh, **settled(SEARCH))
    shelf.cards.click(steps.pick, known, desk.outputs, **QUICK)
    shelf.new.click(steps.new, known, desk.outputs, **QUICK)
    # The one event whose value is prepared by Gradio: it checks where the file lies.
    reading: dict[str, Any] = {**QUICK, "preprocess": True}
    shelf.upload.upload(steps.upload, [shelf.upload, *known], desk.outputs, **reading)
    desk.stay.click(steps.keep_on, known, desk.outputs, **QUICK)
    desk.leave.click(steps.let_go, [desk.wanted, bench.language], desk.outputs, **QUICK)


def connect_card(desk: Desk, steps: Steps, written: list[Any], known: list[Any]) -> None:
    """Connect what is typed, and the buttons of the card."""
    editor = desk.editor
    typing = [item.change if isinstance(item, gr.Textbox) else item.input for item in editor.fields]
    gr.on(typing, steps.type_form, written, desk.outputs, **settled(FORM))
    editor.code.input(steps.type_text, [*known, editor.code], desk.outputs, **settled(TEXT))
    editor.save.click(steps.save, written, desk.outputs, **ORDER)
    editor.duplicate.click(steps.copy, written, desk.outputs, **ORDER)
    desk.rebase.click(steps.take_theirs, written, desk.outputs, **ORDER)
    leaving = [desk.shelf.search, desk.shelf.shown, *written]
    editor.back.click(steps.go_back, leaving, desk.outputs, **ORDER)
    editor.discard.click(steps.undo, known, desk.outputs, **ORDER)
    editor.archive.click(steps.put_away, written, desk.outputs, **ORDER)


def connect_sheets(desk: Desk, steps: Steps, known: list[Any]) -> None:
    """Connect the versions, and the card as a file."""
    history, (kept, language) = desk.history, known
    desk.versions_sheet.select(steps.versions, known, desk.outputs, **QUICK)
    comparing = [history.known, kept, history.older, history.newer, language]
    chosen = [history.older.input, history.newer.input]
    gr.on(chosen, steps.compare, comparing, [history.diff, history.restore], **QUICK)
    restoring = [history.known, kept, history.older, language]
    history.restore.click(steps.restore, restoring, desk.outputs, **QUICK)
    save = (LOOK / "save.js").read_text(encoding="utf-8")
    for button, kind in ((desk.as_yaml, "yaml"), (desk.as_json, "json")):
        made = button.click(
            partial(steps.export, kind), [kept, *desk.editor.inputs], [desk.file], **ORDER
        )
        made.then(None, [desk.file], None, js=save, **private())


def connect_asking(bench: Workbench, desk: Desk, steps: Steps) -> None:
    """Connect what takes its time: the preview, and telling styles apart."""
    trial, clash, language = desk.trial, desk.clash, bench.language
    telling = [desk.kept, language, trial.asked, *desk.editor.inputs]
    began = [trial.reply, trial.asked, trial.ask, trial.question]
    starts = [
        trial.ask.click(steps.ask, [trial.question, *telling], began, **ORDER),
        *(one.click(steps.ask_example, [one, *telling], began, **ORDER) for one in trial.examples),
    ]
    for start in starts:
        start.then(trial.answer, [trial.asked, language], began, **QUICK)
    judging = [clash.picked, clash.replies, desk.kept, language]
    found = [clash.found, clash.asked, clash.judge]
    begun = clash.judge.click(steps.judge, judging, found, **QUICK)
    begun.then(steps.judged, [clash.asked, language], found, **QUICK)
