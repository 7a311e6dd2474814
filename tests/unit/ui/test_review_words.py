"""What the review sheet says and reads: orders of a browser, filters, rows and words."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.quality import Coverage, Preview, Thresholds
from contracts.review import Review, ReviewCounts, ReviewFilter, ReviewPage, ReviewRow
from contracts.versions import DatasetDiff, DatasetVersion, DiffCounts
from fakes.page_jobs import job
from ui.dataset.card_preview import SLIDERS, limits_of, preview_html
from ui.dataset.coverage_map import map_html
from ui.dataset.version_list import diff_html, versions_html
from ui.review.filters import EVERYTHING, filter_of, query_of
from ui.review.orders import orders_in
from ui.review.row_list import list_html, whole_html
from ui.review.view import Bulk, Told, View, view_of
from ui.review.words import bar_html, bulk_html, counts_html, help_html, jobs_html, told_html
from ui.tabs.data.versions import proposed
from ui.texts import LANGUAGES, texts_in

EVIL = "<b id=evil>'\"&"
ZH, EN = texts_in("zh"), texts_in("en")
AT = datetime(2030, 1, 1, tzinfo=UTC)


def row(**values: Any) -> ReviewRow:
    """Return a row."""
    known: dict[str, Any] = {
        "number": 3, "id": "a#1", "origin": "rejected", "decision": "open", "style": EVIL,
        "question": EVIL, "reply": EVIL, "original": EVIL, "reason": "too_short", "detail": EVIL,
        "note": EVIL, "edit": "person", "forced": True, "uncertainty": 0.4, "characters": 5,
        "history": [{"user": EVIL, "assistant": EVIL}], "situation": EVIL, "revision": 1,
    }  # fmt: skip
    return ReviewRow.model_validate(known | values)


def view(**values: Any) -> View:
    """Return what a reviewer sees: one row."""
    counts = ReviewCounts(
        rows=9, open=4, accepted=3, rejected=2, edited=1, noted=0, kept=7, by_style={}, by_reason={}
    )
    review = Review(dataset_id="d", revision=1, created_at=AT, counts=counts)
    page = ReviewPage(revision=1, total=120, rows=[row()])
    known: dict[str, Any] = {"dataset": "d", "review": review, "page": page}
    return View(**known | values)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_others_wrote_stays_text(language: Any) -> None:
    """Rows, notes, job errors and bulk questions are escaped."""
    texts, seen = texts_in(language), view(told=Told("review.edited_meanwhile", {"reply": EVIL}))
    parts = [list_html(texts, seen, {}, EVIL), whole_html(texts, seen, {}), told_html(texts, seen)]
    parts += [counts_html(texts, seen), bar_html(texts, seen), help_html(texts)]
    assert "<b id=evil>" not in "".join(parts)
    assert "&lt;b id=evil&gt;" in parts[1]


def test_row_says_why_it_was_refused_and_what_it_was() -> None:
    """The reason in words, the reply before the edit, the note."""
    html = whole_html(EN, view(), {EVIL: "Tsundere"})
    assert EN("review.reason.too_short") in html
    assert EN("review.before") in html
    assert EN("review.forced") in html
    assert "Tsundere" in html


def test_page_says_where_it_is() -> None:
    """And which of its neighbours there are."""
    html = list_html(ZH, view(offset=50), {}, "")
    assert ZH("review.where", first=51, last=51, total=120) in html
    assert list_html(ZH, View(), {}, "").count(ZH("review.no_dataset")) == 1
    assert ZH("review.open") in list_html(ZH, View(dataset="d", unopened=True), {}, "")


def test_bulk_asks_with_the_number() -> None:
    """Nothing that matches is nothing to say yes to."""
    asked = Bulk("reject", ReviewFilter(), 1234, 1, "")
    assert "1,234" in bulk_html(EN, asked)
    assert EN("review.yes") in bulk_html(EN, asked)
    assert EN("review.yes") not in bulk_html(EN, Bulk("reject", ReviewFilter(), 0, 1, ""))


def test_jobs_say_what_came_of_them() -> None:
    """How many rows were replaced, and why others were not."""
    done = job("r", state="done", result={"changed": 4, "refused": {"too_short": 2}})  # type: ignore[arg-type]
    html = jobs_html(EN, [done])
    assert EN("review.job_changed", count=4) in html
    assert EN("review.reason.too_short") in html
    assert EN("review.job_stop") in jobs_html(EN, [job("s")])


@pytest.mark.parametrize(
    "told", [None, "", "x", "[]", '{"orders": 3}', '{"orders": [{"do": "rm"}, 5, null]}']
)
def test_orders_that_make_no_sense_are_dropped(told: Any) -> None:
    """They come from a browser."""
    assert orders_in(told) == ([], False)


def test_orders_are_bounded() -> None:
    """However many a browser sends."""
    many = json.dumps({"seen": True, "orders": [{"do": "undo"}] * 500})
    orders, seen = orders_in(many)
    assert seen
    assert len(orders) == 100
    assert not orders_in(json.dumps({"orders": [{"do": "accept", "rows": [-1]}]}))[0]


def test_filter_takes_what_makes_sense() -> None:
    """A value that no service would take is no condition."""
    fields = ["tsundere", "open", "nonsense", "too_short", "number", "累"]
    found = filter_of(fields, '{"area": "work", "emotion": "sad", "more": 1}')
    assert found.model_dump(exclude_none=True) == {
        "style": "tsundere", "decision": "open", "reason": "too_short", "text": "累",
        "area": "work", "emotion": "sad",
    }  # fmt: skip
    assert filter_of(EVERYTHING, "nonsense") == ReviewFilter()
    assert query_of(found, "nonsense", 50).order == "uncertainty"


def test_reload_comes_back_to_its_page() -> None:
    """Of the same dataset only, and from the first page where the filter changed."""
    place = json.dumps({"dataset": "d", "offset": 100})
    assert view_of(None, place, "d").offset == 100
    assert view_of(None, place, "other").offset == 0
    assert view_of(None, "[]", "d").offset == 0
    assert view_of(view(offset=50), place, "d", first=True).offset == 0


def coverage() -> Coverage:
    """Return a map of one style with one hole."""
    return Coverage(
        emotions=["sad", "glad", "afraid"],
        areas=["work"],
        counts={"calm": {"work/sad": 2}},
        empty={"calm": ["work/glad"]},
        names={"en": {"work": "Work", "sad": "Sad", "glad": "Glad"}, "zh": {"sad": "难过"}},
        unknown={"calm": 3},
    )


def test_map_has_numbers_and_names_holes() -> None:
    """A number leads to its rows; a situation of another language is not on the map."""
    html = map_html(EN, coverage(), "calm", {"calm": "Calm"})
    assert EN("coverage.cell", area="Work", emotion="Sad", count=2) in html
    assert EN("coverage.place", area="Work", emotion="Glad") in html
    assert EN("coverage.unknown", count=3) in html
    assert "afraid" not in html
    # Chinese has no name for each of them, so none is mixed in.
    assert "Glad" in map_html(ZH, coverage(), "calm", {})
    assert "难过" not in map_html(ZH, coverage(), "calm", {})
    assert EN("coverage.none") in map_html(EN, Coverage(), "", {})


def test_limits_are_those_of_the_sliders() -> None:
    """What is no number, or out of bounds, stays as usual."""
    usual = [getattr(Thresholds(), name) for name in SLIDERS]
    assert limits_of(usual) == Thresholds()
    assert limits_of([60, *usual[1:]]).shortest == 60
    assert limits_of([None, "x", 9, *usual[3:]]) == Thresholds()


def test_preview_says_that_nothing_changed() -> None:
    """And how many rows would."""
    found = Preview(thresholds=Thresholds(), rows=9, kept_now=8, kept_then=5, changed=3, gates=[])
    html = preview_html(EN, found, {})
    assert EN("report_card.preview", now=8, then=5, changed=3) in html
    assert EN("report_card.nothing_changed") in html


def test_versions_say_where_they_come_from() -> None:
    """The one that is looked at is marked; equal versions are said to be equal."""
    first = DatasetVersion(
        id="d", version=1, created_at=AT, source="generated", rows={"train": 8, "eval": 1}
    )
    html = versions_html(EN, [first], "d")
    assert EN("versions.here") in html
    assert EN("versions.first") in html
    same = DatasetDiff(
        before="d", after="d", counts=DiffCounts(same=9), by_style={}, total=0, rows=[]
    )
    assert EN("versions.equal") in diff_html(EN, same, 0, {})


def test_version_is_compared_with_the_one_before() -> None:
    """The first one with the newest; what was picked stays."""
    first = version(1)
    second = version(2, {"version": 2, "parent": "v1", "root": "v1"})
    assert proposed([first, second], "v2", None, None) == ("v1", "v2")
    assert proposed([first, second], "v1", "v1", "v1") == ("v1", "v2")
    assert proposed([first, second], "v2", "v2", "v1") == ("v2", "v1")


def version(number: int, lineage: dict[str, Any] | None = None) -> DatasetVersion:
    """Return a version of a dataset."""
    known = {"id": f"v{number}", "version": number, "created_at": AT, "source": "generated"}
    return DatasetVersion.model_validate(known | {"rows": {"train": 8}, "lineage": lineage})
