"""Judges with known vices: `python -m fakes.judge longer --port 9100`, an OpenAI-compatible server.

- seat_a always prefers seat A, and gives everything 5
- longer prefers the longer reply, and scores by length
- honest knows the truth: a reply that holds WORD is better, and gets 5 instead of 2
- garbage answers with no JSON, scores out of range, or a refusal in words, in turn
"""

import argparse
import itertools
import json
import re
from typing import Any

import uvicorn

from fakes.teacher import FakeTeacher

# What makes a reply good in the eyes of the honest judge.
WORD = "gold"
RUBBISH = (
    "I like the first one.",
    '{"better": "C", "empathy": 9}',
    "",
    '{"better": 1, "style_strength": 0, "empathy": 3, "relevance": 3}',
)


def part(text: str, tag: str) -> str:
    """Return what stands between the tags; empty where they are missing."""
    found = re.search(f"<{tag}>\n(.*)\n</{tag}>", text, re.DOTALL)
    return found.group(1) if found else ""


class FakeJudge:
    """Answers a rubric or a comparison.

    Args:
        kind: seat_a, longer, honest or garbage.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.rubbish = itertools.cycle(RUBBISH)

    def __call__(self, body: dict[str, Any]) -> str:
        """Return the answer to a request's body."""
        system, user = (message["content"] for message in body["messages"])
        if self.kind == "garbage":
            return next(self.rubbish)
        if "<reply_a>" in user:
            seats = part(user, "reply_a"), part(user, "reply_b")
            return json.dumps({"reason": self.kind, "better": self.better(*seats)})
        names = re.findall(r"^- (\w+) \(", system, re.MULTILINE)
        score = self.score(part(user, "reply"))
        return json.dumps({"reason": self.kind} | dict.fromkeys(names, score))

    def better(self, first: str, second: str) -> str:
        """Return the seat that this judge prefers."""
        if self.kind == "honest":
            truth = (WORD in first) - (WORD in second)
            return "A" if truth > 0 else "B" if truth < 0 else "tie"
        return "B" if self.kind == "longer" and len(second) > len(first) else "A"

    def score(self, reply: str) -> int:
        """Return what this judge gives a reply on every criterion."""
        if self.kind == "honest":
            return 5 if WORD in reply else 2
        return max(1, min(5, len(reply) // 20)) if self.kind == "longer" else 5


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["seat_a", "longer", "honest", "garbage"])
    parser.add_argument("--port", type=int, default=9100)
    options = parser.parse_args()
    app = FakeTeacher(FakeJudge(options.kind))
    uvicorn.run(app, host="127.0.0.1", port=options.port, lifespan="off", log_level="warning")


if __name__ == "__main__":
    main()
