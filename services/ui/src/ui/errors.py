"""What can go wrong between the page and the other services, ready to be said in any language."""

from typing import Literal

from kit.errors import TonesmithError

# `ui` is the page itself.
Upstream = Literal["serving", "control", "trainer", "datagen", "ui"]
# `ui_upstream_errors_total` has the first five; a refusal counts there by its status.
Kind = Literal[
    "connect",
    "timeout",
    "http_4xx",
    "http_5xx",
    "stream_broken",
    "busy",
    "training",
    "empty",
    "silent",
    "no_model",
    "too_long",
    "no_question",
    "unknown_model",
    "unknown_style",
    "leaving",
    "cut_off",
    "rate",
]


# What a failed reply counts as in `ui_chat_requests_total`.
Outcome = Literal["error", "rejected", "unavailable"]
OUTCOMES: dict[Kind, Outcome] = {
    "rate": "rejected",
    "training": "unavailable",
    "leaving": "unavailable",
    "no_model": "unavailable",
}


class ProblemError(TonesmithError):
    """Another service did not do what the page needs, or the page itself cannot.

    Args:
        upstream: the service.
        kind: how it failed.
        detail: what the service said of it, in its own words; may be empty.
        outcome: what a reply that fails of it counts as; by default as its kind does.
        values: fill the placeholders of the sentence that explains it.
    """

    status = 502
    code = "upstream"

    def __init__(
        self,
        upstream: Upstream,
        kind: Kind,
        detail: str = "",
        outcome: Outcome | None = None,
        **values: object,
    ) -> None:
        super().__init__(f"{upstream}: {detail or kind}")
        self.upstream = upstream
        self.kind = kind
        self.detail = detail
        self.outcome = outcome or OUTCOMES.get(kind, "error")
        self.values = values

    @property
    def key(self) -> str:
        """The locale key of the sentence that explains it."""
        return f"problem.{self.kind}"


# Why the page's own state does not do what is asked.
StoreKind = Literal["unknown", "full", "long", "too_long", "bad_file", "no_vote", "disk"]
STATUSES: dict[StoreKind, int] = {"unknown": 404, "full": 507, "long": 507, "disk": 507}


class StoreError(TonesmithError):
    """What a person keeps on the page cannot be found, or has no room.

    Args:
        kind: what is wrong.
        values: fill the placeholders of the sentence that explains it.
    """

    code = "store"

    def __init__(self, kind: StoreKind, **values: object) -> None:
        super().__init__(f"store: {kind}")
        self.status = STATUSES.get(kind, 422)
        self.kind = kind
        self.values = values

    @property
    def key(self) -> str:
        """The locale key of the sentence that explains it."""
        return f"store.{self.kind}"
