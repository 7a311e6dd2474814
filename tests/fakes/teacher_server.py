"""The fake teacher as a program, for containers: `python -m fakes.teacher_server --port 9000`.

It runs on what datagen's image holds, answers as the scripted teacher does, and tells a test what
it was sent: `GET /received`. `PUT /delay` with a number sets the seconds before an answer.
"""

import argparse
import json
from collections import Counter

import uvicorn

from datagen.config import Settings, shipped_folder
from datagen.library import load_cards
from datagen.questions import load_banks
from datagen.scripted import ScriptedTeacher
from fakes.teacher import FakeTeacher, Receive, Scope, Send, read


class TeacherServer:
    """The fake teacher, with a window for the test.

    Args:
        teacher: answers the chats.
    """

    def __init__(self, teacher: FakeTeacher) -> None:
        self.teacher = teacher
        self.keys: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a chat, or the test."""
        if scope.get("path") == "/received":
            seeds = [call["seed"] for call in self.teacher.calls]
            await answer(send, {"seeds": seeds, "keys": dict(self.keys)})
        elif scope.get("path") == "/delay":
            self.teacher.delay = float(await read(receive))
            await answer(send, {"delay": self.teacher.delay})
        else:
            self.keys[dict(scope.get("headers", [])).get(b"authorization", b"").decode()] += 1
            await self.teacher(scope, receive, send)


async def answer(send: Send, document: object) -> None:
    """Send a JSON document."""
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9000)
    options = parser.parse_args()
    shipped = shipped_folder(Settings())
    cards = load_cards(shipped / "styles")
    scripted = ScriptedTeacher(lambda: cards, load_banks(shipped / "questions"), 0.1)
    server = TeacherServer(FakeTeacher(scripted.reply, delay=0.01))
    uvicorn.run(server, host="0.0.0.0", port=options.port, lifespan="off", log_level="warning")


if __name__ == "__main__":
    main()
