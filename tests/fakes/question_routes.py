"""What datagen answers about question sets and coverage, for `FakeServices`."""

from typing import Any

import httpx

from fakes.tonesmith_services import AT, FakeServices, job

SET: dict[str, Any] = {
    "id": "questions-1",
    "created_at": AT,
    "source": "generated",
    "status": "incomplete",
    "counts": {"asked": 8, "accepted": 7, "given_up": 1, "written": 9, "rejected": {"in_bank": 2}},
    "rows": {"train": 6, "heldout": 1},
    "languages": {"en": 7},
    "cells": 4,
    "short_cells": {"en/work/sad": 1},
    "files": {},
}
QUESTION = {"id": "q", "text": "Why [so] late?", "language": "en", "emotion": "sad", "area": "work"}
EVEN = {"places": 4, "filled": 3, "least": 0, "most": 2, "evenness": 0.946}
COVERAGE = {
    "emotions": ["sad", "happy"],
    "areas": ["work", "pets"],
    "counts": {"calm": {"work/sad": 2, "work/happy": 1, "pets/sad": 1}},
    "empty": {"calm": ["pets/happy"]},
    "balance": {"calm": {"rows": 4, "cells": EVEN, "emotions": EVEN, "areas": EVEN}},
    "unknown": {"calm": 3},
    "without_situation": 3,
}


def add_questions(fake: FakeServices) -> FakeServices:
    """Teach `fake` the routes; return it."""
    fake.jobs["/questions"] = job("questions", "questions-1", state="incomplete")
    fixed: dict[str, Any] = {
        "POST /questions": fake.jobs["/questions"],
        "POST /questions/import": SET,
        "GET /questions": [SET],
        "GET /questions/questions-1": SET,
        "GET /questions/questions-1/rows": [QUESTION],
        "GET /datasets/demo-1/coverage": COVERAGE,
    }
    for route, found in fixed.items():
        fake.answers[route] = lambda _, found=found: httpx.Response(200, json=found)
    return fake
