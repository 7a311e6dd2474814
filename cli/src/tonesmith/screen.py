"""What the user sees: tables and notes for people, or one JSON document for programs."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contracts.errors import ErrorBody


class Screen:
    """Standard output for results, standard error for everything else.

    Args:
        as_json: results are JSON; nothing else goes to standard output.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out = Console(highlight=False, soft_wrap=True)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def result(self, result: Any, *lines: str) -> None:
        """Show the result of a command: as JSON, or as `lines` of markup."""
        if self.as_json:
            sys.stdout.write(json.dumps(plain(result), ensure_ascii=False, indent=2) + "\n")
            return
        for line in lines:
            self.out.print(line)

    def table(self, table: Table) -> None:
        """Show a table to people."""
        if not self.as_json:
            self.out.print(table)

    def note(self, text: str) -> None:
        """Say something about the way, on standard error."""
        self.err.print(text)

    def next_step(self, command: str) -> None:
        """Say what to do next."""
        if not self.as_json:
            self.err.print(f"[dim]next:[/] [bold]{escape(command)}[/]")

    def error(self, body: ErrorBody) -> None:
        """Show an error in one line, and the way out in a second."""
        where = f" [{body.field}]" if body.field and body.field not in body.message else ""
        self.err.print(f"[bold red]error:[/] {escape(body.message + where)}")
        if body.hint:
            self.err.print(f"[dim]{escape(body.hint)}[/]")
        if self.as_json:
            self.result({"error": body})


def plain(value: Any) -> Any:
    """Return `value` with every model in it as plain JSON types."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def columns(title: str, *names: str) -> Table:
    """Return an empty table with these columns."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def dense(title: str, *names: str, wraps: str = "") -> Table:
    """Return an empty table without lines; every column stays whole but the one that `wraps`."""
    table = Table(
        title=title,
        title_justify="left",
        header_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name != wraps)
    return table


def facts(rows: Sequence[tuple[str, str]]) -> Table:
    """Return names with a sentence each, side by side; long sentences go on below themselves."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, sentence in rows:
        table.add_row(name, escape(sentence))
    return table
