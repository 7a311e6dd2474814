"""A finding, how bad it is, and how it is said."""

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel

Level = Literal["ok", "warning", "error"]
WORST_FIRST: tuple[Level, ...] = ("error", "warning", "ok")


class Finding(BaseModel):
    """One thing that was looked at; `remedy` says what to do where it is not ok."""

    name: str
    level: Level
    detail: str
    remedy: str = ""


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings, what stands in the way first; among equals the order stays."""
    return sorted(findings, key=lambda finding: WORST_FIRST.index(finding.level))


def tolerated(finding: Finding) -> Finding:
    """Return a finding that stands in nobody's way."""
    return finding.model_copy(update={"level": "warning"}) if finding.level == "error" else finding


def verdict(findings: Iterable[Finding]) -> str:
    """Return one sentence: the most severe finding with its remedy, or that all is well."""
    worst = worst_first(findings)[0]
    if worst.level == "ok":
        return "ready: nothing stands in the way"
    sentence = f"{worst.name}: {worst.detail}; {worst.remedy}"
    return f"error: {sentence}" if worst.level == "error" else f"ready, but {sentence}"


def gigabytes(count: int) -> str:
    """Return a number of bytes for people."""
    return f"{count / (1 << 30):.1f} GiB"
