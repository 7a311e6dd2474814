"""datagen as the Styles tab sees it: the library."""

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

if TYPE_CHECKING:
    from fakes.stack import Stack


def add_styles(app: FastAPI, stack: "Stack") -> None:
    """Add what the tab asks."""

    @app.get("/styles")
    def styles() -> Any:
        return stack.styles
