"""The tab of the styles."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from contracts.style import Style, StyleVersion
from fakes.stack import Stack
from ui.catalog import CatalogSource
from ui.chat.talk import Talk
from ui.config import UiSettings
from ui.drain import Drain
from ui.kept.keeping import keeping
from ui.page import Page
from ui.style.card_yaml import read_yaml
from ui.style.draft import Draft, opened, read_draft
from ui.style.form import FIELDS, form_of
from ui.style.source import LibrarySource
from ui.tabs import TABS
from ui.tabs.styles.clash import UNSAVED
from ui.tabs.styles.steps import Steps
from ui.texts import texts_in
from ui.upstream.backend import Backend
from unit.ui.test_train_tab import NoTime

ZH, EN = texts_in("zh"), texts_in("en")


@pytest.fixture
async def tab(backend: Backend, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Steps:
    """The tab of a page, which asks the stand-ins each time."""
    made: list[Steps] = []
    before = Steps.__init__
    monkeypatch.setattr(
        Steps, "__init__", lambda self, desk: (before(self, desk), made.append(self))[0]
    )
    # The others would only cost time.
    monkeypatch.setattr("ui.page.TABS", [one for one in TABS if one.id in ("styles", "chat")])
    settings = UiSettings.from_environ(stack.urls)
    talk = Talk(backend, CatalogSource(backend), settings.max_tokens, Drain(5))
    Page(settings, talk, keeping(settings.state_dir))
    made[0].desk.source = LibrarySource(backend, NoTime())
    return made[0]


def card(stack: Stack, **changes: Any) -> Draft:
    """Return the first style as it is edited."""
    draft = opened(stack.styles[0])
    return draft.with_text(json.dumps(read_yaml(draft.text) | changes, ensure_ascii=False))


def written(draft: Draft, **values: Any) -> list[Any]:
    """Return what form and text hold, with something typed into the form."""
    shown = zip(FIELDS, form_of(read_yaml(draft.text)), strict=True)
    return [draft.text, *(values.get(field.key, value) for field, value in shown)]


def clicked(style: str) -> Any:
    """Return the event of a card that is clicked."""
    return SimpleNamespace(_data={"style": style})


async def test_library_is_shown_and_searched(tab: Steps) -> None:
    """By words and by language; what nobody has is said."""
    desk = tab.desk
    everything = await tab.look("", "", "all", False, "", "zh")
    assert everything[desk.shelf.cards].count("data-style=") == 12
    assert ZH("styles.used", datasets=2, models=2)[:1] in everything[desk.shelf.cards]
    english = (await tab.look("", "", "en", True, "", "en"))[desk.shelf.cards]
    assert 0 < english.count("data-style=") < 12
    found = (await tab.look("", "TSUN", "all", True, "", "en"))[desk.shelf.cards]
    assert found.count("data-style=") == 1
    none = (await tab.look("", "zzz", "all", True, "", "en"))[desk.shelf.cards]
    assert EN("styles.no_match") in none


async def test_nothing_moves_while_nothing_is_new(tab: Steps, stack: Stack) -> None:
    """The clock leaves alone what is there."""
    desk = tab.desk
    first = await tab.look("", "", "all", False, "", "zh")
    seen, offered = first[desk.seen], first[desk.clash.offered]
    again = await tab.tick(seen, "", "", "all", offered, "zh")
    assert not {desk.shelf.cards, desk.clash.picked} & again.keys()
    stack.styles = stack.styles[:3]
    assert desk.shelf.cards in await tab.tick(seen, "", "", "all", offered, "zh")


async def test_card_is_opened_and_its_edit_is_guarded(tab: Steps, stack: Stack) -> None:
    """Another card comes only after a yes; the same card just opens again."""
    desk = tab.desk
    shown = await tab.pick("", "zh", clicked("tsundere"))
    assert read_draft(shown[desk.kept]).version == 1
    assert shown[desk.editor.fields[2]]["value"] == "傲娇"
    dirty = card(stack, temperature=0.1).model_dump_json()
    asked = await tab.pick(dirty, "zh", clicked("gentle"))
    assert desk.kept not in asked
    assert asked[desk.guard]["visible"]
    assert desk.kept not in await tab.pick(dirty, "zh", clicked("tsundere"))
    gone = await tab.let_go(asked[desk.wanted], "zh")
    assert read_draft(gone[desk.kept]).id == "gentle"


async def test_typing_is_followed_and_explained(tab: Steps, stack: Stack) -> None:
    """Form into text, text into form; what is typed in is left alone."""
    desk, draft = tab.desk, opened(stack.styles[0])
    kept = draft.model_dump_json()
    typed = await tab.type_form(kept, "en", *written(draft, names_zh=""))
    assert read_yaml(typed[desk.editor.code])["names"]["zh"] == ""
    assert "<code>names.zh</code>" in typed[desk.editor.faults]
    assert "value" not in typed[desk.editor.fields[2]]
    assert typed[desk.editor.fields[2]]["info"].startswith("⚠")
    text = draft.text.replace("zh: 傲娇", "zh: 很傲娇")
    followed = await tab.type_text(kept, "en", text)
    assert followed[desk.editor.fields[2]]["value"] == "很傲娇"
    assert desk.editor.code not in followed
    broken = await tab.type_text(kept, "en", "names: [")
    assert EN("style.fault_unreadable_yaml", line=1)[:6] in broken[desk.editor.faults]
    assert not broken[desk.editor.fields[2]]["interactive"]
    assert set(await tab.type_form(kept, "en", *written(draft))) == {desk.kept}


async def test_card_is_saved_as_the_next_version(tab: Steps, stack: Stack) -> None:
    """Also what was typed in the last moment; not what is wrong, nor what is not new."""
    desk, draft = tab.desk, opened(stack.styles[0])
    kept = draft.model_dump_json()
    saved = await tab.save(kept, "en", *written(draft, temperature=0.3))
    after = read_draft(saved[desk.kept])
    assert (after.version, after.dirty) == (2, False)
    assert EN("styles.stored", number=2) in saved[desk.said]
    again = await tab.save(after.model_dump_json(), "en", *written(after))
    assert EN("styles.nothing_new") in again[desk.said]
    wrong = await tab.save(kept, "en", *written(draft, names_en=""))
    assert EN("styles.not_valid") in wrong[desk.said]
    assert len(stack.style_versions) == 1


async def test_version_of_somebody_else_is_not_overwritten(tab: Steps, stack: Stack) -> None:
    """It is shown, and the edit goes on top of it if its person wants."""
    desk, mine = tab.desk, card(stack, temperature=0.2)
    first = stack.styles[0]
    stack.style_versions.append(first)
    other = Style.model_validate(first.style.model_dump() | {"intensity": 0.1})
    stack.styles[0] = StyleVersion(version=2, style=other)
    refused = await tab.save(mine.model_dump_json(), "en", *written(mine))
    assert EN("styles.conflict", number=2) in refused[desk.said]
    assert refused[desk.rebase]["visible"]
    assert stack.styles[0].version == 2
    taken = await tab.take_theirs(refused[desk.kept], "en", *written(mine))
    rebased = read_draft(taken[desk.kept])
    assert (rebased.version, rebased.dirty) == (2, True)
    saved = await tab.save(rebased.model_dump_json(), "en", *written(rebased))
    assert read_draft(saved[desk.kept]).version == 3


async def test_versions_are_compared_and_brought_back(tab: Steps, stack: Stack) -> None:
    """An old version comes back as the newest."""
    desk, draft = tab.desk, card(stack, temperature=0.2)
    saved = await tab.save(draft.model_dump_json(), "en", *written(draft))
    shown = await tab.versions(saved[desk.kept], "en")
    assert shown[desk.history.older]["value"] == "1"
    assert "<ins>" in shown[desk.history.diff]
    known = shown[desk.history.known]
    back = await tab.restore(known, saved[desk.kept], "1", "en")
    assert read_draft(back[desk.kept]).version == 3
    assert stack.styles[-1].style.temperature == 0.8
    dirty = read_draft(back[desk.kept]).with_text("id: x").model_dump_json()
    assert EN("styles.save_first") in (await tab.restore(known, dirty, "1", "en"))[desk.said]


async def test_new_copy_and_file_become_drafts(tab: Steps, stack: Stack) -> None:
    """Each with an id that nobody has; a file of ours with a known id is an edit of it."""
    desk, draft = tab.desk, opened(stack.styles[0])
    kept = draft.model_dump_json()
    assert read_draft((await tab.new(kept, "zh"))[desk.kept]).version == 0
    copied = read_draft((await tab.copy(kept, "zh", *written(draft)))[desk.kept])
    assert (copied.document()["id"], copied.version) == ("tsundere-copy", 0)
    made = tab.export("json", kept, *written(draft, temperature=0.1))[desk.file]
    content = json.loads(made)["text"].encode()
    edit = read_draft((await tab.upload(content, "", "zh"))[desk.kept])
    assert (edit.id, edit.version, edit.dirty) == ("tsundere", 1, True)
    foreign = await tab.upload(b'{"spec": "chara_card_v2"}', "", "en")
    assert read_draft(foreign[desk.kept]).document()["id"] == "ada"
    assert "scenario" in foreign[desk.said]
    refused = await tab.upload(b"\x00", "", "en")
    assert "no character card" in refused[desk.said]


async def test_own_style_is_put_away_and_comes_back(tab: Steps, stack: Stack) -> None:
    """A shipped one stays, with the reason."""
    desk, draft = tab.desk, opened(stack.styles[1])
    away = await tab.put_away(draft.model_dump_json(), "en", *written(draft))
    assert away[desk.kept] == ""
    assert EN("styles.is_away") in away[desk.said]
    shelf = await tab.look("", "", "archived", True, "", "en")
    assert shelf[desk.shelf.cards].count("data-style=") == 1
    opened_again = await tab.pick("", "en", clicked(draft.id))
    stored = read_draft(opened_again[desk.kept])
    back = await tab.put_away(stored.model_dump_json(), "en", *written(stored))
    assert EN("styles.is_back") in back[desk.said]
    shipped = opened(stack.styles[0])
    stays = await tab.put_away(shipped.model_dump_json(), "en", *written(shipped))
    assert "stays" in stays[desk.said]


async def test_card_with_an_unsaved_edit_is_not_put_away(tab: Steps, stack: Stack) -> None:
    """The edit would be lost; also one that was typed a moment ago."""
    desk, draft = tab.desk, opened(stack.styles[1])
    fields = written(draft, temperature=0.3)
    away = await tab.put_away(draft.model_dump_json(), "en", *fields)
    assert EN("styles.save_first") in away[desk.said]
    assert read_draft(away[desk.kept]).document()["temperature"] == 0.3


async def test_preview_shows_the_unsaved_edit(tab: Steps, stack: Stack) -> None:
    """The answer, what the gates say; and the way out while there is no teacher."""
    trial, draft = tab.desk.trial, card(stack, temperature=0.2)
    kept = draft.model_dump_json()
    begun = tab.ask("hi", kept, "en", None, *written(draft))
    assert not begun[trial.ask]["interactive"]
    told = await trial.answer(begun[trial.asked], "en")
    assert EN("styles.preview_unsaved") in told[trial.reply]
    assert EN("styles.reason_echo") in told[trial.reply]
    assert told[trial.ask]["interactive"]
    stack.teacher_down = True
    assert "teacher" in (await trial.answer(begun[trial.asked], "en"))[trial.reply]
    assert tab.ask(" ", kept, "en", None, *written(draft))[trial.asked] is None


async def test_styles_are_told_apart(tab: Steps, stack: Stack) -> None:
    """Also the unsaved edit, beside the card that it began with."""
    clash, draft = tab.desk.clash, card(stack, temperature=0.2)
    kept = draft.model_dump_json()
    assert tab.judge(["tsundere"], 8, kept, "en")[clash.asked] is None
    begun = tab.judge([UNSAVED, "tsundere"], 4, kept, "en")
    told = await tab.judged(begun[clash.asked], "en")
    assert EN("styles.named_unsaved", name="Tsundere") in told[clash.found]


async def test_datagen_that_is_gone_leaves_what_is_known(tab: Steps, stack: Stack) -> None:
    """With the way out; an edit stays, and can be saved when it is back."""
    desk, draft = tab.desk, card(stack, temperature=0.2)
    stack.datagen_up = False
    never = await tab.look("", "", "all", False, "", "zh")
    assert "ts-notice" in never[desk.shelf.cards]
    stack.datagen_up = True
    await tab.look("", "", "all", True, "", "zh")
    stack.datagen_up = False
    known = await tab.look("", "", "all", True, "", "zh")
    assert known[desk.shelf.cards].count("data-style=") == 12
    kept = draft.model_dump_json()
    refused = await tab.save(kept, "zh", *written(draft))
    assert "ts-notice" in refused[desk.said]
    assert read_draft(refused[desk.kept]).dirty
    assert "ts-notice" in (await tab.versions(kept, "zh"))[desk.history.diff]


async def test_browser_brings_an_edit_back(tab: Steps, stack: Stack) -> None:
    """At the first look only; nonsense from a browser is no card."""
    desk, draft = tab.desk, card(stack, temperature=0.2)
    shown = await tab.look(draft.model_dump_json(), "", "all", False, "", "en")
    assert EN("styles.recalled") in shown[desk.said]
    assert shown[desk.behind]["visible"]
    later = await tab.look(draft.model_dump_json(), "", "all", True, "", "en")
    assert desk.behind not in later
    assert desk.behind not in await tab.look("{nonsense", "", "all", False, "", "en")
