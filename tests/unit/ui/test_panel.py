"""The controls beside a conversation."""

from typing import Any

import gradio as gr
import pytest

from contracts.dataset import Conditioning
from fakes.stack import Stack
from ui.catalog import Catalog, build_catalog
from ui.chat.panel import NONE, Panel, card_html, model_label, system_html
from ui.texts import texts_in
from unit.ui.test_catalog import found

ZH, EN = texts_in("zh"), texts_in("en")
CATALOG = build_catalog(found(Stack()))
NOTHING = build_catalog(found(Stack(promoted=False)))


@pytest.fixture
async def panel() -> Panel:
    """A panel with two model pickers."""
    with gr.Blocks(analytics_enabled=False):
        return Panel("x", [("compare.left", "base"), ("compare.right", "tuned")], 256)


def render(panel: Panel, catalog: Catalog, *values: Any) -> dict[str, Any]:
    """Return the updates by what they update."""
    updates = panel.render(ZH, catalog, *values, "")
    assert len(updates) == len(panel.outputs)
    return dict(zip(["style", "card", "left", "right"], updates, strict=False))


def test_pickers_prefer_base_and_tuned_when_nothing_is_chosen(panel: Panel) -> None:
    """The comparison starts as it is meant."""
    updates = render(panel, CATALOG, None, None, None)
    assert (updates["left"]["value"], updates["right"]["value"]) == ("base", "tonesmith")
    assert updates["style"]["value"] == "tsundere"


def test_choices_stay_when_the_page_is_rendered_again(panel: Panel) -> None:
    """A refresh leaves alone what the reader chose."""
    updates = render(panel, CATALOG, "gentle", "tonesmith.v1", "base")
    assert updates["style"]["value"] == "gentle"
    assert (updates["left"]["value"], updates["right"]["value"]) == ("tonesmith.v1", "base")


def test_pickers_say_so_when_there_is_no_model(panel: Panel) -> None:
    """An empty picker explains itself."""
    updates = render(panel, Catalog(), None, None, None)
    assert updates["left"]["choices"] == [(ZH("panel.no_models"), "")]
    assert ZH("panel.no_styles") in updates["card"]


def test_style_is_named_in_the_language_of_the_page(panel: Panel) -> None:
    """The same style, two names."""
    assert ("😤 傲娇", "tsundere") in render(panel, CATALOG, None, None, None)["style"]["choices"]
    assert "Tsundere" in card_html(EN, CATALOG.style_for(None, "tsundere"))


def test_model_is_named_by_what_it_is() -> None:
    """Live, staged and base are told apart."""
    labels = [model_label(EN, CATALOG, model) for model in CATALOG.models]
    assert labels == ["tonesmith · live, v1", "tonesmith.v1", "Base model · starter"]


def test_system_prompt_is_the_manifests(panel: Panel) -> None:
    """The page shows the very words that are sent, and whose they are."""
    style = CATALOG.style_for("tonesmith", "tsundere")
    assert style is not None
    page = system_html(EN, CATALOG, "tonesmith", style)
    assert style.system_prompt in page
    assert "tonesmith-20250101-abc123" in page


def test_system_prompt_is_absent_when_the_model_has_none() -> None:
    """A model that was trained without a system prompt is shown to have none."""
    catalog = build_catalog(found(Stack(conditioning=Conditioning.PREFIX)))
    page = system_html(EN, catalog, "tonesmith", catalog.style_for(None, None))
    assert "<blockquote>" not in page
    assert EN("panel.prefix_note") in page


def test_system_prompt_is_the_librarys_when_nothing_is_promoted() -> None:
    """Before the first model, the style card speaks for itself."""
    page = system_html(EN, NOTHING, "base", NOTHING.style_for(None, None))
    assert EN("panel.system_library") in page


def test_own_system_prompt_goes_before_the_styles(panel: Panel) -> None:
    """The page shows which one is in force."""
    style = CATALOG.style_for("tonesmith", "tsundere")
    page = system_html(EN, CATALOG, "tonesmith", style, " Be <kind>. ")
    assert "<blockquote>Be &lt;kind&gt;.</blockquote>" in page
    assert EN("panel.system_own") in page


def test_what_is_chosen_is_kept_and_comes_back(panel: Panel) -> None:
    """All of it, within its bounds; what a browser makes up is left open."""
    setup = panel.setup(["gentle", "base", "tonesmith.v1", "Be kind.", 9, 0.9, 99_999, 7])
    assert setup.models == ["base", "tonesmith.v1"]
    assert (setup.temperature, setup.top_p, setup.max_tokens, setup.seed) == (1.5, 0.9, 256, 7)
    back = panel.restored(ZH, CATALOG, setup)
    assert set(back) == set(panel.outputs)
    assert back[panel.style]["value"] == "gentle"
    assert back[panel.own]["value"] == "Be kind."
    assert [back[item]["value"] for item in panel.sliders] == [1.5, 0.9, 256, 7]
    made_up = panel.setup([None, None, None, None, "hot", float("nan"), True, -1])
    assert (made_up.temperature, made_up.top_p, made_up.max_tokens) == (None, None, None)
    assert made_up.seed is None


async def test_optional_picker_may_stay_empty() -> None:
    """Nobody has to choose a third model."""
    with gr.Blocks(analytics_enabled=False):
        panel = Panel("x", [("compare.left", "base"), ("compare.third", "none")], 256)
    assert panel.chosen(CATALOG, ["", ""])[1] is None
    third = panel.chosen(CATALOG, ["", "tonesmith"])[1]
    assert third is not None
    assert third.name == "tonesmith"
    assert panel.setup(["", "", "", "", 1, 1, 1, None]).models == ["", NONE]
    rendered = panel.render(ZH, CATALOG, None, None, None, None)
    assert rendered[3]["choices"][0] == (ZH("panel.nobody"), NONE)


def test_card_is_escaped() -> None:
    """A card is data that people write."""
    style = CATALOG.style_for(None, "gentle")
    assert style is not None
    evil = style.model_copy(update={"traits": ["<script>alert(1)</script>"]})
    assert "<script>" not in card_html(ZH, evil)
