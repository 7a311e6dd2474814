"""Events that leave most of the page alone."""

from typing import Any

import gradio as gr
import pytest
from gradio.state_holder import SessionState

from ui.blocks import FrugalBlocks, FrugalStates


def built(blocks: type[gr.Blocks]) -> tuple[gr.Blocks, list[Any]]:
    """Return a page with two boxes and something that the server keeps, all of one event."""
    with blocks() as page:
        parts = [gr.Textbox(), gr.Textbox(), gr.State(7)]
        gr.Button().click(lambda: None, None, parts)
    return page, parts


async def sent(page: gr.Blocks, told: Any) -> list[Any]:
    """Return what a browser is sent where the event returns `told`."""
    (event,) = page.fns.values()
    return await page.postprocess_data(event, told, SessionState(page))


def answers(parts: list[Any]) -> list[Any]:
    """Return what an event may return: lists, a dict by component, nothing at all."""
    first, second, kept = parts
    return [
        ["a", gr.skip(), gr.skip()],
        ["a", "b", 3],
        [gr.skip(), gr.update(visible=False), gr.skip()],
        (gr.skip(), gr.update(value="b", label="c"), 3),
        {second: "b"},
        {first: gr.update(value="a"), kept: 4},
        gr.skip(),
        [gr.skip(), gr.skip(), gr.skip()],
    ]


@pytest.mark.parametrize("number", range(8))
async def test_browser_is_sent_what_gradio_sends(number: int) -> None:
    """Whatever an event returns."""
    usual, parts = built(gr.Blocks)
    frugal, ours = built(FrugalBlocks)
    assert await sent(frugal, answers(ours)[number]) == await sent(usual, answers(parts)[number])


async def test_nothing_is_made_anew_for_what_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradio makes a component for each `gr.skip()`; here none is made."""
    made = []
    make = gr.Textbox.__init__

    def counted(box: gr.Textbox, *values: Any, **named: Any) -> None:
        made.append(box)
        make(box, *values, **named)

    monkeypatch.setattr(gr.Textbox, "__init__", counted)
    for blocks, more in ((gr.Blocks, 3), (FrugalBlocks, 0)):
        page, _ = built(blocks)
        before = len(made)
        await sent(page, [gr.skip(), "b", gr.skip()])
        await sent(page, gr.skip())
        assert len(made) - before == more


async def test_what_the_server_keeps_is_changed_only_where_it_is_told() -> None:
    """`gr.State` beside outputs that are left alone."""
    page, (*_, kept) = built(FrugalBlocks)
    (event,) = page.fns.values()
    state = SessionState(page)
    await page.postprocess_data(event, [gr.skip(), "b", 9], state)
    await page.postprocess_data(event, [gr.skip(), "c", gr.skip()], state)
    assert state[kept._id] == 9


async def test_visitor_is_remembered_without_a_description_of_the_page() -> None:
    """What the server keeps is theirs alone; a component is what it was changed to."""
    page, (box, _, kept) = built(FrugalBlocks)
    (event,) = page.fns.values()
    states = FrugalStates(page, 2)
    ann, bob = states["ann"], states["bob"]
    await page.postprocess_data(event, [gr.update(label="mine"), "b", 9], ann)
    assert (ann[kept._id], bob[kept._id]) == (9, 7)
    assert (ann[box._id].label, bob[box._id].label) == ("mine", box.label)
    assert not any(ann.config_values.values())
    assert states["ann"] is ann


async def test_visitor_who_was_silent_for_longest_is_forgotten_first() -> None:
    """However many come."""
    page, _ = built(FrugalBlocks)
    states = FrugalStates(page, 2)
    for name in ("ann", "bob", "ann", "eve"):
        states[name]
    assert [*states.session_data] == ["ann", "eve"]
