"""The promise of the README: `make demo` on this machine, with the real engines, to the end."""

import itertools

import psutil
import pytest

from demo_process import Shown

pytestmark = pytest.mark.engines


def test_report_says_what_happened(shown: Shown) -> None:
    """The agreed shape, the engines' own versions, a time for each stage."""
    report = shown.report
    keys = {"stages", "peak_memory_bytes", "engines", "styles", "samples", "proof"}
    assert set(report) == keys
    assert set(report["engines"]) == {"llamafactory", "vllm", "torch"}
    assert all(report["engines"].values())
    assert {"start", "generate", "train", "serve", "evaluate", "promote"} <= set(report["stages"])
    assert report["samples"]["accepted"] >= 12 * 100


def test_style_takes(shown: Shown) -> None:
    """At least 12 styles and 240 replies: tuned 90 % or more, base 35 % or less."""
    styles = shown.report["styles"]
    assert len(styles) >= 12
    assert sum(style["replies"] for style in styles) >= 240
    assert shown.mean("tuned_accuracy") >= 0.90
    assert shown.mean("base_accuracy") <= 0.35


def test_tuned_ranks_over_prompted_over_base(shown: Shown) -> None:
    """Three places by style strength, with intervals that do not overlap, all differences sure."""
    proof = shown.report["proof"]
    assert (proof["verdict"], proof["reasons"]) == ("took", [])
    assert [(one["place"], one["contestant"]) for one in proof["ranking"]] == [
        (1, "tuned"),
        (2, "prompted"),
        (3, "base"),
    ]
    intervals = [one["strength"]["interval"] for one in proof["ranking"]]
    for higher, lower in itertools.pairwise(intervals):
        assert higher["low"] > lower["high"]
    assert {one["better"] for one in proof["pairs"]} == {"first"}


def test_probe_does_not_claim_to_know(shown: Shown) -> None:
    """The starter fails nearly every item before and after: nobody can tell what it forgot."""
    assert shown.report["proof"]["probe"]["verdict"] == "cannot_tell"


def test_advice_belongs_to_the_question(shown: Shown) -> None:
    """In at least 80 % of the tuned replies, for phrasings that no training row had."""
    assert shown.mean("on_topic") >= 0.80


def test_no_tuned_reply_is_defective(shown: Shown) -> None:
    """No broken character, no empty text, no echo of the question, no repeated 8-gram."""
    tuned = [reply for reply in shown.replies if reply.contestant == "tuned"]
    assert len(tuned) >= 240
    assert [reply for reply in tuned if reply.defects] == []


def test_memory_stays_below_the_promise(shown: Shown) -> None:
    """All processes together, at their peak."""
    assert 1 << 30 < shown.report["peak_memory_bytes"] < 8 << 30


def test_transcript_shows_every_style(shown: Shown) -> None:
    """A held-out question with all replies, both tables, the address of the chat page."""
    assert shown.output.count("  tuned ") >= 12
    assert shown.output.count("  prompted ") >= 12
    assert "Did the style take?" in shown.output
    assert "Who speaks in the style?" in shown.output
    assert "chat page" in shown.output


def test_no_process_is_left(shown: Shown) -> None:
    """Everything that the demo started has ended."""
    folder = str(shown.folder)
    left = [
        process.info
        for process in psutil.process_iter(["pid", "cmdline", "cwd"])
        if folder in " ".join(process.info["cmdline"] or []) or process.info["cwd"] == folder
    ]
    assert left == []
