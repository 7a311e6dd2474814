"""The report of one evaluation, and the same as a file."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr

from ui.catalog import Catalog
from ui.errors import ProblemError
from ui.events import QUICK
from ui.proof.report import report_html
from ui.service_notices import service_html
from ui.tabs.prove.desk import Desk
from ui.tabs.tab import words_only
from ui.texts import Texts, texts_for

# Pressed once the file is there: Gradio's button downloads what it holds when it is clicked.
FETCH = "() => document.querySelector('#prove-file')?.click()"


class Report:
    """Builds the sheet into the current Gradio context.

    Args:
        desk: what the sheets share.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.folder: Path | None = None
        with gr.Row(elem_classes="ts-p-actions"):
            self.save = gr.Button("", size="sm", scale=0, elem_id="prove-save")
            self.file = gr.DownloadButton("", visible="hidden", elem_id="prove-file")
        self.problem = gr.HTML(elem_id="prove-report-problem", elem_classes="ts-problem-block")
        self.page = gr.HTML(elem_id="prove-report", elem_classes="ts-section")
        self.named: list[Any] = [self.page]

        def words(texts: Texts, _: Catalog) -> list[Any]:
            return [gr.update(value=texts("prove.save")), gr.update(label=texts("prove.save"))]

        self.handle = words_only([self.save, self.file], words)

    def wire(self) -> None:
        """Connect the sheet's opening, the picker, the language and the file."""
        desk = self.desk
        known = [desk.evaluation, desk.bench.language]
        changed = [self.page, self.problem]
        desk.items["report"].select(
            self.enter, [desk.listed, *known], [desk.sheet, desk.evaluation, *changed], **QUICK
        )
        for event in (desk.evaluation.change, desk.bench.language.change):
            event(self.follow, [desk.sheet, *known], changed, **QUICK)
        saving = self.save.click(self.fetch, known, [self.file, self.problem], **QUICK)
        saving.success(None, None, None, js=FETCH, **QUICK)

    async def enter(self, listed: Any, picked: Any, language: Any) -> list[Any]:
        """Show the report, and the picker."""
        shown = gr.update(visible=bool(str(listed or "")[2:]))
        return ["report", shown, *await self.look(picked, language)]

    async def follow(self, sheet: Any, picked: Any, language: Any) -> list[Any]:
        """Show another report, or the same in another language, while the sheet is seen."""
        if sheet != "report":
            return [gr.skip(), gr.skip()]
        return await self.look(picked, language)

    async def look(self, picked: Any, language: Any) -> list[Any]:
        """Return the report and why there is none."""
        texts, proofs = texts_for(language), await self.desk.source.proofs()
        report = proofs.find(str(picked or ""))
        if report is None:
            empty = "" if proofs.problem else nothing_html(texts)
            return [empty, service_html(texts, proofs.problem)]
        names = await self.desk.names(texts)
        return [report_html(texts, report, names), service_html(texts, proofs.problem)]

    async def fetch(self, picked: Any, language: Any) -> list[Any]:
        """Return the file for the button that downloads it, or why there is none."""
        texts, report = texts_for(language), await self.desk.found(picked)
        if report is None:
            return [gr.skip(), nothing_html(texts)]
        try:
            page = await self.desk.calls.page(report.id)
        except ProblemError as problem:
            return [gr.update(value=None), service_html(texts, problem)]
        if self.folder is None:  # one for all pages: as many files as there are evaluations
            self.folder = Path(tempfile.mkdtemp(prefix="tonesmith-"))
        path = await asyncio.to_thread(written, self.folder, f"{report.id}.html", page)
        return [gr.update(value=path), ""]


def nothing_html(texts: Texts) -> str:
    """Return what is said before there is any evaluation."""
    return f'<p class="ts-faint ts-p-empty">{texts("prove.none")}</p>'


def written(folder: Path, name: str, text: str) -> str:
    """Write a file; Gradio hands out a copy, and removes it in time."""
    path = folder / Path(name).name
    path.write_text(text, encoding="utf-8")
    return str(path)
