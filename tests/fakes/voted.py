"""Votes as people cast them, for tests."""

from typing import Any

from contracts.votes import Vote


def vote(reply: str, value: int, **given: Any) -> Vote:
    """Return a vote on a reply to one question in one style."""
    usual = {"question": "今天好累呀怎么办", "style": "tsundere", "model": "tuned.v1"}
    return Vote.model_validate(usual | {"reply": reply, "value": value} | given)


def compared(value: int, **given: Any) -> Vote:
    """Return a vote between a tuned and a prompted reply."""
    rival = {"reply": "睡吧。", "model": "base", "contestant": "prompted"}
    return vote("哼，快去睡啦。", value, **{"contestant": "tuned", "against": rival} | given)
