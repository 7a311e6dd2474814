"""How the events of this tab run: what is typed is waited for, and orders go before it."""

from typing import Any

from ui.events import QUICK

# What a handler changes: components that are not named stay as they are.
Changes = dict[Any, Any]
# What is typed is read when nobody has typed for a moment: a clock for each thing that is typed in.
FORM, TEXT, SEARCH = "form", "text", "search"
# An order takes what stands in the form; what still waits to be read would come too late.
CALM = """(...values) => {
  Object.values(window.tonesmithSettling || {}).forEach(clearTimeout);
  return values;
}"""
ORDER: dict[str, Any] = {**QUICK, "js": CALM}
SETTLE = """(...values) => new Promise((resolve) => {
  const clocks = (window.tonesmithSettling ||= {});
  clearTimeout(clocks.NAME);
  clocks.NAME = setTimeout(() => resolve(values), 400);
})"""


def settled(name: str) -> dict[str, Any]:
    """Return the options of an event that is fired by typing: only the last one counts.

    A text box is listened to by `change`: its `input` is fired by keys that print something, so
    neither by pasting, nor by deleting, nor by an input method for Chinese.
    """
    return {**QUICK, "trigger_mode": "always_last", "js": SETTLE.replace("NAME", name)}
