"""What can go wrong between the page and the other services, ready to be said in any language."""

from typing import Literal

from kit.errors import TonesmithError

# `ui` is the page itself.
Upstream = Literal["serving", "control", "trainer", "datagen", "ui"]
# Those from `empty` on are found without a call: `ui_upstream_errors_total` never has them.
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
]


class ProblemError(TonesmithError):
    """Another service did not do what the page needs, or the page itself cannot.

    Args:
        upstream: the service.
        kind: how it failed; a label of `ui_upstream_errors_total`.
        detail: what the service said of it, in its own words; may be empty.
        values: fill the placeholders of the sentence that explains it.
    """

    status = 502
    code = "upstream"

    def __init__(self, upstream: Upstream, kind: Kind, detail: str = "", **values: object) -> None:
        super().__init__(f"{upstream}: {detail or kind}")
        self.upstream = upstream
        self.kind = kind
        self.detail = detail
        self.values = values

    @property
    def key(self) -> str:
        """The locale key of the sentence that explains it."""
        return f"problem.{self.kind}"
