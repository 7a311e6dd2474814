"""The library of styles, as a person works in it."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.conftest import Opener
from contracts.style import Style, StyleVersion
from fakes.stack import Stack
from ui.texts import Texts, texts_in

pytestmark = pytest.mark.browser
ZH, EN = texts_in("zh"), texts_in("en")
# What a new card lacks, by the key of its field.
FILLED = {
    "id": "cheerful",
    "names_zh": "开朗",
    "names_en": "Cheerful",
    "description_zh": "总能看到好的一面。",
    "description_en": "Sees the bright side {{user}} <b>always</b> ${1+1}.",
    "traits": "开朗\n爱笑",
    "system_prompt": "你很开朗。",
    "lexicon_openers": "哈哈，\n来啦，",
    "lexicon_closers": "加油！",
}


def look(page: Page, texts: Texts) -> None:
    """Open the tab, and wait for the cards."""
    page.get_by_role("tab", name=texts("tab.styles")).click()
    expect(page.locator(".ts-style").first).to_be_visible()


def field(page: Page, key: str) -> Locator:
    """Return the box of a field."""
    return page.locator(f"#styles-field-{key} textarea").first


def sheet(page: Page, texts: Texts, name: str) -> None:
    """Turn to a sheet of the card."""
    page.locator("#styles-sheets").get_by_role("tab", name=texts(f"styles.sheet_{name}")).click()


def test_style_is_made_from_the_first_word_to_the_second_version(
    visit: Opener, stack: Stack
) -> None:
    """New, invalid, valid, tried, saved, edited in its text, compared, brought back."""
    page = visit().page
    look(page, ZH)
    page.locator("#styles-new").click()
    faults = page.locator("#styles-faults")
    expect(faults).to_contain_text("system_prompt")
    for key, text in FILLED.items():
        field(page, key).fill(text)
    expect(faults).to_contain_text(ZH("style.valid"))
    field(page, "id").fill("Not Good")
    expect(faults).to_contain_text(ZH("style.fault_name"))
    expect(page.locator("#styles-field-id")).to_contain_text(ZH("style.fault_name"))
    page.locator("#styles-save").click()
    expect(page.locator("#styles-said")).to_contain_text(ZH("styles.not_valid"))
    field(page, "id").fill("cheerful")
    expect(faults).to_contain_text(ZH("style.valid"))
    page.locator("#styles-question textarea").fill("今天好累")
    page.locator("#styles-ask").click()
    expect(page.locator("#styles-reply")).to_contain_text("哈哈， 今天好累 加油！")
    expect(page.locator("#styles-reply")).to_contain_text(ZH("styles.preview_unsaved"))
    page.locator("#styles-save").click()
    expect(page.locator("#styles-said")).to_contain_text(ZH("styles.stored", number=1))
    sheet(page, ZH, "text")
    text = page.locator("#styles-yaml .cm-content")
    expect(text).to_contain_text("id: cheerful")
    text.get_by_text("system_prompt:").click()
    page.keyboard.press("End")
    page.keyboard.type("!!")
    expect(page.locator("#styles-head")).to_contain_text(ZH("styles.unsaved"))
    sheet(page, ZH, "form")
    expect(field(page, "system_prompt")).to_have_value("你很开朗。!!")
    page.locator("#styles-save").click()
    expect(page.locator("#styles-said")).to_contain_text(ZH("styles.stored", number=2))
    sheet(page, ZH, "versions")
    expect(page.locator("#styles-diff ins")).to_have_text("!!")
    page.locator("#styles-restore").click()
    expect(page.locator("#styles-said")).to_contain_text(ZH("styles.restored", number=3))
    assert [one.version for one in stack.style_versions] == [1, 2]


def test_style_is_copied_carried_away_and_judged(visit: Opener) -> None:
    """Duplicate, export, import, confusion; foreign text stays text, in both languages."""
    page = visit(locale="en-GB").page
    look(page, EN)
    page.locator("[data-style=tsundere]").click()
    page.locator("#styles-duplicate").click()
    expect(field(page, "id")).to_have_value("tsundere-copy")
    field(page, "description_en").fill(FILLED["description_en"])
    expect(page.locator("#styles-faults")).to_contain_text(EN("style.valid"))
    page.locator("#styles-save").click()
    expect(page.locator("#styles-said")).to_contain_text(EN("styles.stored", number=1))
    sheet(page, EN, "text")
    with page.expect_download() as started:
        page.locator("#styles-as-json").click()
    assert started.value.suggested_filename == "tsundere-copy.json"
    content = started.value.path().read_bytes().replace(b"tsundere-copy", b"read-again")
    page.locator("#styles-back").click()
    expect(page.locator("#styles-cards")).to_contain_text(FILLED["description_en"])
    with page.expect_file_chooser() as asked:
        page.locator("#styles-import").click()
    asked.value.set_files({"name": "a.json", "mimeType": "application/json", "buffer": content})
    expect(page.locator("#styles-said")).to_contain_text(EN("styles.read_new", number=0))
    expect(field(page, "id")).to_have_value("read-again")
    page.locator("#styles-back").click()
    page.locator("#styles-clash-fold button").first.click()
    for number in range(3):
        page.locator("#styles-clash label").nth(number).click()
    page.locator("#styles-judge").click()
    expect(page.locator("#styles-matrix td")).to_have_count(9)
    page.locator("#ts-language label", has_text="中文").click()
    expect(page.locator("#styles-matrix")).to_contain_text(ZH("styles.corner"))


def test_unsaved_words_outlive_a_reload_and_another_card(visit: Opener, stack: Stack) -> None:
    """Kept by the browser; put aside only with a yes; never over somebody else's version."""
    page = visit().page
    look(page, ZH)
    page.locator("[data-style=gentle]").focus()
    page.keyboard.press("Enter")
    field(page, "system_prompt").fill("慢慢说，我在听。")
    expect(page.locator("#styles-head")).to_contain_text(ZH("styles.unsaved"))
    page.wait_for_timeout(600)
    page.reload()
    page.locator("#ts-tabs").wait_for()
    page.get_by_role("tab", name=ZH("tab.styles")).click()
    expect(field(page, "system_prompt")).to_have_value("慢慢说，我在听。")
    page.locator("#styles-back").click()
    page.locator("[data-style=tsundere]").click()
    expect(page.locator("#styles-said")).to_contain_text(ZH("styles.guard", name="gentle"))
    page.locator("#styles-stay").click()
    expect(field(page, "system_prompt")).to_have_value("慢慢说，我在听。")
    first = next(one for one in stack.styles if one.style.id == "gentle")
    theirs = Style.model_validate(first.style.model_dump() | {"intensity": 0.1})
    stack.style_versions.append(first)
    others = [one for one in stack.styles if one is not first]
    stack.styles = [*others, StyleVersion(version=2, style=theirs)]
    page.locator("#styles-save").click()
    expect(page.locator("#styles-said")).to_contain_text(ZH("styles.conflict", number=2))
    page.locator("#styles-rebase").click()
    expect(page.locator("#styles-said")).to_contain_text(ZH("styles.rebased", number=2))
    page.locator("#styles-save").click()
    expect(page.locator("#styles-said")).to_contain_text(ZH("styles.stored", number=3))


def test_datagen_that_is_gone_is_said_and_found_again(visit: Opener, stack: Stack) -> None:
    """What is known stays readable; what is asked of it is answered with the way out."""
    page = visit().page
    look(page, ZH)
    stack.datagen_up = False
    expect(page.locator("#styles-cards .ts-notice")).to_be_visible()
    page.locator("[data-style=tsundere]").click()
    page.locator("#styles-example-0").click()
    expect(page.locator("#styles-reply .ts-notice")).to_be_visible()
    expect(page.locator("#styles-ask")).to_be_enabled()
    page.locator("#styles-back").click()
    stack.datagen_up = True
    expect(page.locator("#styles-cards .ts-notice")).to_have_count(0)


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_has_to_be_scrolled_sideways(visit: Opener, width: int) -> None:
    """Neither on the shelf nor on the bench."""
    page = visit(width=width, height=844).page
    look(page, ZH)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("[data-style=tsundere]").click()
    expect(page.locator("#styles-head")).to_contain_text(re.compile("傲娇"))
    for name in ("text", "versions", "uses"):
        sheet(page, ZH, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
