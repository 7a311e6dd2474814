"""Gradio's blocks, for which what an event leaves alone costs nothing, and a visitor little.

Gradio takes `gr.skip()` for an update of nothing: it builds the component anew, reads the signature
of its class and writes its JSON schema, for each output, at each step of a stream. And of each
visitor it keeps a description of the whole page, anew for every component that changes, for links
to a page as somebody left it: which this page does not offer. On a page that streams to many people
these two were most of the processor's work (*measured*: benchmarks/ui_latency.py).
"""

from copy import copy
from types import SimpleNamespace
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.blocks import convert_component_dict_to_list
from gradio.state_holder import SessionState, StateHolder

NOTHING = gr.skip()


class FrugalBlocks(gr.Blocks):
    """Blocks whose events pay for the outputs that they change, and for no other."""

    async def postprocess_data(
        self, block_fn: BlockFunction, predictions: Any, state: SessionState | None
    ) -> list[Any]:
        """Return what the browser is sent for each output of an event."""
        outputs = block_fn.outputs
        told = listed(block_fn, predictions)
        if block_fn.batch or len(told) != len(outputs) or not any(map(is_nothing, told)):
            return await super().postprocess_data(block_fn, predictions, state)
        sent: list[Any] = [None if block.stateful else dict(NOTHING) for block in outputs]
        changed = [place for place, value in enumerate(told) if not is_nothing(value)]
        if changed:
            values = [told[place] for place in changed]
            part = copy(block_fn)
            part.outputs = [outputs[place] for place in changed]
            single = values[0] if len(values) == 1 else values
            done = await super().postprocess_data(part, single, state)
            for place, value in zip(changed, done, strict=True):
                sent[place] = value
        return sent


def listed(block_fn: BlockFunction, predictions: Any) -> list[Any]:
    """Return one value for each output, whichever way they were returned."""
    outputs = list(block_fn.outputs)
    if is_nothing(predictions):
        return [NOTHING] * len(outputs)
    if isinstance(predictions, dict) and predictions:
        predictions = convert_component_dict_to_list(outputs, predictions)
    if len(outputs) == 1:
        return [predictions]
    return list(predictions) if isinstance(predictions, list | tuple) else []


def is_nothing(value: Any) -> bool:
    """Return whether a value is `gr.skip()`."""
    return isinstance(value, dict) and value == NOTHING


class FrugalState(SessionState):
    """What the server keeps of one visitor, without a description of the page.

    Args:
        blocks: the page.
    """

    def __init__(self, blocks: gr.Blocks) -> None:
        nothing: Any = SimpleNamespace(default_config=blocks.default_config, blocks={})
        super().__init__(nothing)
        self.blocks_config.config_for_block = no_description  # type: ignore[method-assign,assignment]


class FrugalStates(StateHolder):
    """What the server keeps of its visitors.

    Args:
        blocks: the page.
        most: visitors that are remembered; the one who was silent for longest goes first.
    """

    def __init__(self, blocks: gr.Blocks, most: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.set_blocks(blocks)
        self.capacity = most

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = FrugalState(self.blocks)
        return super().__getitem__(session_id)


def no_description(*_: Any) -> dict[str, Any]:
    """Return the description of a component that nobody will read."""
    return {}
