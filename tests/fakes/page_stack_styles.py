"""datagen as the Styles tab sees it: the library with its versions, and a scripted studio."""

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request

from contracts.studio import (
    CardDraft,
    Collision,
    ConfusionRequest,
    GateVerdict,
    PreviewRequest,
    StyleConfusion,
    StylePreview,
    Unmapped,
)
from contracts.style import Style, StyleVersion
from fakes.page_answers import error

if TYPE_CHECKING:
    from fakes.stack import Stack


def add_styles(app: FastAPI, stack: "Stack") -> None:
    """Add what the tab asks."""
    add_library(app, stack)
    add_studio(app, stack)


def add_library(app: FastAPI, stack: "Stack") -> None:
    """Add the stored cards; `stack.styles` holds the newest of each."""

    def stored(style_id: str) -> list[StyleVersion]:
        newest = [one for one in stack.styles if one.style.id == style_id]
        return [one for one in stack.style_versions if one.style.id == style_id] + newest

    @app.get("/styles")
    def styles(archived: bool = False) -> Any:
        return [one for one in stack.styles if (one.style.id in stack.styles_away) is archived]

    @app.get("/styles/{style_id}/versions")
    def versions(style_id: str) -> Any:
        return stored(style_id) or error(404, "there is no such style", "not_found")

    @app.put("/styles/{style_id}")
    def put(style_id: str, style: Style, after: int | None = None) -> Any:
        known = stored(style_id)
        newest = known[-1].version if known else 0
        if after is not None and after != newest:
            return error(409, f"the newest version is {newest}, not {after}", "style_changed")
        stack.styles_away.discard(style_id)
        if known and known[-1].style == style:
            return known[-1]
        stack.style_versions += known[-1:]
        stack.styles = [one for one in stack.styles if one.style.id != style_id]
        stack.styles.append(StyleVersion(version=newest + 1, style=style))
        return stack.styles[-1]

    @app.delete("/styles/{style_id}")
    def archive(style_id: str) -> Any:
        if style_id == "tsundere":
            return error(409, "the style comes with Tonesmith and stays", "conflict")
        stack.styles_away.add(style_id)
        return stored(style_id)[-1]


def add_studio(app: FastAPI, stack: "Stack") -> None:
    """Add previews, confusion, and cards of other tools."""

    @app.post("/styles/preview")
    def preview(request: PreviewRequest) -> Any:
        if stack.teacher_down:
            return error(503, "the teacher does not answer", "teacher_down")
        card = request.card
        reply = f"{card.lexicon.openers[0]} {request.question} {card.lexicon.closers[0]}"
        gate = GateVerdict(gate="echo", passed=False, reason="echo", detail="0.9")
        known = next((one for one in stack.styles if one.style == card), None)
        version = known.version if known else None
        return StylePreview(
            reply=reply, accepted=False, verdicts=[gate], teacher="scripted", version=version
        )

    @app.post("/styles/confusion")
    def confusion(request: ConfusionRequest) -> Any:
        names = [card.id for card in request.cards] + request.styles
        rows = {name: dict.fromkeys(names, 0) | {name: request.replies} for name in names}
        first, second, *_ = names
        rows[first][first] -= 2
        rows[first][second] += 2
        right = sum(rows[name][name] for name in names)
        total = len(names) * request.replies
        pair = Collision(
            styles=(first, second),
            mixed_up=2 / request.replies,
            likeness=0.4,
            indistinguishable=False,
            shared={"particles": ["la"]},
            suggestions=["give one of them other closers"],
        )
        return StyleConfusion(matrix=rows, accuracy=right / total, replies=total, collisions=[pair])

    @app.post("/styles/import")
    async def read(request: Request) -> Any:
        content = await request.body()
        if b"spec" not in content:
            return error(422, "the file is no character card", "invalid_input")
        return CardDraft(
            source="character_card_v2",
            draft={"id": "ada", "language": "en", "names": {"en": "Ada"}},
            complete=False,
            problems=[Unmapped(field="names.zh", why="the file does not say it: fill it in")],
            unmapped=[Unmapped(field="scenario", why="a style card has no scene")],
        )
