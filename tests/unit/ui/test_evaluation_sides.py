"""Replies next to each other."""

from fakes.library import shipped_styles
from fakes.page_stack_prove import replies
from ui.proof.sides import PAGE, chosen, exchanges, pages, sides_html
from ui.texts import texts_in

EN = texts_in("en")
EVERY = exchanges(replies(shipped_styles()))


def test_one_question_is_one_exchange() -> None:
    """Later turns of a conversation are not among them."""
    later = [one.model_copy(update={"turn": 2}) for one in replies(shipped_styles())]
    assert len(exchanges([*replies(shipped_styles()), *later])) == len(EVERY) == 18
    assert all(set(one.replies) == {"base", "prompted", "tuned"} for one in EVERY)


def test_filters_leave_a_style_and_order_the_rest() -> None:
    """What went wrong first, or where they differ most."""
    style = EVERY[0].one.style
    assert {one.one.style for one in chosen(EVERY, style, "drawn")} == {style}
    failed = chosen(EVERY, "", "failed")
    assert [one.failed for one in failed] == sorted((one.failed for one in EVERY), reverse=True)
    assert failed[0].failed
    spreads = [one.spread for one in chosen(EVERY, "", "differ")]
    assert spreads == sorted(spreads, reverse=True)


def test_sheet_is_bounded_and_shows_whom_the_reader_picked() -> None:
    """Five questions, three columns at most; what was heard is said in words."""
    page = sides_html(EN, EVERY, 1, {}, ["tuned", "base"])
    assert page.count("<article") == PAGE
    assert EN("report.prompted") not in page
    assert EN("report.tuned") in page
    assert EN("prove.topic_on") in page
    assert pages(EVERY) == 4
    assert sides_html(EN, EVERY, 99, {}, ["tuned"]).count("<article") == 3
    assert EN("prove.no_replies") in sides_html(EN, [], 1, {}, ["tuned"])
    many = sides_html(EN, EVERY[:1], 1, {}, ["tuned", "base", "prompted", "other"])
    assert many.count("<h4>") == 3


def test_words_of_models_stay_text() -> None:
    """Whatever a reply holds; an empty one is said to be so."""
    evil = [
        one.model_copy(update={"reply": "<b>x</b>" if one.contestant == "base" else ""})
        for one in replies(shipped_styles())
    ]
    page = sides_html(EN, exchanges(evil), 1, {}, ["tuned", "base"])
    assert "<b>x" not in page
    assert EN("prove.empty_reply") in page
