"""What changed between two versions."""

from ui.style.diff import ROWS_SHOWN, diff_html, marks
from ui.texts import texts_in

ZH, EN = texts_in("zh"), texts_in("en")


def test_changed_words_are_marked_and_signed() -> None:
    """By a sign, by a word for who listens, and by marks; never by colour alone."""
    shown = diff_html(EN, "id: a\ntemperature: 0.8\n", "id: a\ntemperature: 0.9\n", "1 to 2")
    assert "<del>8</del>" in shown
    assert "<ins>9</ins>" in shown
    assert ">+<" in shown
    assert EN("styles.diff_add") in shown
    assert EN("styles.diff_del") in shown


def test_chinese_is_compared_by_character() -> None:
    """There are no blanks between its words."""
    assert marks("嘴硬心软", "嘴硬心热") == ("嘴硬心<del>软</del>", "嘴硬心<ins>热</ins>")


def test_lines_that_have_nothing_in_common_are_not_sprinkled_with_marks() -> None:
    """They were replaced as a whole."""
    assert marks("abc", "xyz") == ("abc", "xyz")


def test_equal_texts_say_so_and_foreign_text_stays_text() -> None:
    """No table, no markup."""
    assert ZH("styles.same") in diff_html(ZH, "a", "a", "")
    shown = diff_html(ZH, "<b>", "<i>", "<u>")
    assert not {"<b>", "<i>", "<u>"} & set(shown.replace("</", "<").split())
    assert "<u>" not in shown


def test_endless_difference_is_cut() -> None:
    """And told so."""
    lines = "\n".join(str(number) for number in range(ROWS_SHOWN + 50))
    shown = diff_html(EN, "", lines, "x")
    assert shown.count("<tr") == ROWS_SHOWN
    assert EN("styles.diff_cut") in shown
