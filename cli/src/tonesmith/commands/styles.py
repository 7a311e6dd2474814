"""`tonesmith styles`: list the style library, store a card."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from tonesmith.offline import read_card
from tonesmith.screen import columns
from tonesmith.session import AsJson, session_of

app = typer.Typer(help="List the styles, store a card.", no_args_is_help=True)


@app.command("list")
def list_styles(context: typer.Context, as_json: AsJson = False) -> None:
    """List the newest version of every style."""
    session = session_of(context)
    screen = session.show(as_json)
    with session.datagen() as datagen:
        styles = datagen.styles()
    table = columns("Styles", "id", "name", "language", "version", "description")
    for stored in styles:
        card = stored.style
        name = f"{card.names.zh} / {card.names.en}"
        description = getattr(card.description, card.language)
        table.add_row(card.id, name, card.language, str(stored.version), description)
    screen.result(styles)
    screen.table(table)


@app.command("put")
def put_style(
    context: typer.Context,
    card: Annotated[Path, typer.Argument(help="Style card, YAML or JSON.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Store a style card; a changed card becomes a new version."""
    session = session_of(context)
    screen = session.show(as_json)
    style, content = read_card(card)
    with session.datagen() as datagen:
        stored = datagen.put_style(style.id, content)
    where = session.reach.address("datagen_url").shown
    screen.result(
        stored, f"stored [bold]{escape(style.id)}[/] version {stored.version} at {escape(where)}"
    )
    screen.next_step(f"tonesmith generate --style {style.id}")
