"""Gradio's blocks, for which what an event leaves alone costs nothing.

Gradio takes `gr.skip()` for an update of nothing: it builds the component anew, reads the signature
of its class and writes its JSON schema, for each output, at each step of a stream. On a page that
streams to many people this was most of the processor's work (*measured*: benchmarks/ui_latency.py).
"""

from copy import copy
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.blocks import convert_component_dict_to_list
from gradio.state_holder import SessionState

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
