"""Why a service did not do what a tab asked, in the reader's language, with the way out (pure).

For everything but a reply to a message, which `notices.py` explains.
"""

from html import escape

from ui.errors import ProblemError
from ui.texts import Texts

# What has a sentence of its own, and what to type then; a `{service}` is put in.
COMMANDS = {
    "connect": "tonesmith up",
    "timeout": "tonesmith status",
    "http_5xx": "tonesmith logs {service}",
    "stream_broken": "tonesmith logs {service}",
    "http_4xx": "",
    "busy": "",
    "training": "",
}
# A launcher is a part of serving.
NAMES = {"control": "serving"}


def service_html(texts: Texts, problem: ProblemError | None) -> str:
    """Return what failed, the service's own words, and what to do; nothing without a problem."""
    if problem is None:
        return ""
    kind = problem.kind if problem.kind in COMMANDS else "stream_broken"
    service = NAMES.get(problem.upstream, problem.upstream)
    name = texts(f"service.{service}")
    first, last = (texts(f"calls.{kind}{end}", service=name) for end in ("", "_hint"))
    said = [texts("problem.detail", detail=problem.detail)] if problem.detail else []
    hint = str(problem.values.get("hint") or "")
    command = COMMANDS[kind].format(service=service)
    # The service's own way out goes before ours, which stays where it leads to the command.
    told = [*said, hint, last if command or not hint else ""]
    sentences = "".join(f"<p>{escape(text)}</p>" for text in told if text)
    typed = f'<div class="ts-commands"><code>{escape(command)}</code></div>' if command else ""
    return (
        f'<div class="ts-notice" role="alert"><strong>{escape(first)}</strong>'
        f"{sentences}{typed}</div>"
    )
