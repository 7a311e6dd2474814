"""What a reviewer's browser asks for: keys and buttons as a short list of orders (pure)."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from contracts.review import RowNumber

Action = Literal["accept", "reject", "reopen", "regenerate"]
Do = Literal[
    "accept", "reject", "reopen", "regenerate", "undo", "edit", "explain", "ask", "yes", "no",
    "page", "open", "filter", "clear", "cancel",
]  # fmt: skip
# One page of rows can be selected; what is beyond is "all that match".
MOST_ROWS, MOST_ORDERS, MOST_CHARACTERS = 500, 100, 60_000
Short = Annotated[str, Field(max_length=200)]


class Wanted(BaseModel):
    """Rows that another sheet points at."""

    style: Short = ""
    area: Short = ""
    emotion: Short = ""
    text: Short = ""


class Order(BaseModel):
    """One key, or one button."""

    do: Do
    rows: Annotated[list[RowNumber], Field(max_length=MOST_ROWS)] | None = None
    action: Action = "accept"
    key: Annotated[str, Field(max_length=80)] = ""
    by: int = Field(default=0, ge=-1, le=1)
    filter: Wanted = Wanted()

    @property
    def number(self) -> int | None:
        """The one row that is meant."""
        return self.rows[0] if self.rows else None


def orders_in(told: Any) -> tuple[list[Order], bool]:
    """Return the orders of a browser, and whether its reader sees the sheet; others are dropped."""
    try:
        found = json.loads(str(told or "{}")[:MOST_CHARACTERS])
    except ValueError:
        return [], False
    if not isinstance(found, dict):
        return [], False
    listed = found.get("orders")
    orders = [one for one in map(order_of, listed if isinstance(listed, list) else []) if one]
    return orders[:MOST_ORDERS], bool(found.get("seen"))


def order_of(told: Any) -> Order | None:
    """Return one order, or None where it is none."""
    try:
        return Order.model_validate(told)
    except ValidationError:
        return None
