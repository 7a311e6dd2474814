"""Questions to begin with, by the language of the style that is to answer."""

import json
from pathlib import Path

EXAMPLES_SHOWN = 4
EXAMPLES: dict[str, list[str]] = json.loads(
    (Path(__file__).parent / "data" / "examples.json").read_text(encoding="utf-8")
)
