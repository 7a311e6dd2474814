"""The endpoint that all contenders ask: 200 ms (± 20), about 120 Chinese characters in a style.

    python mock.py    # prints its port

The replies pass the gates of the style that ours asks for, and no two are alike.
"""

import asyncio
import json
import random
import sys

from aiohttp import web

SECONDS, SPREAD = 0.2, 0.02
OPENERS = ["哼，谁要特地帮你啊！", "别误会，我只是顺口一说！", "真、真拿你没办法！"]
CLOSERS = ["谢什么谢，快去啦！", "才、才不是担心你呢！"]
SYLLABLES = "先把手头的事放一放喝口水走一小段路再回来想想今天能做完哪件就做完哪件别的明天说"


def reply(chance: random.Random) -> str:
    """Return a reply of about 120 characters."""
    clauses = ["".join(chance.choices(SYLLABLES, k=10)) for _ in range(9)]
    return f"{chance.choice(OPENERS)}{'，'.join(clauses)}。{chance.choice(CLOSERS)}"


async def chat(request: web.Request) -> web.Response:
    """Answer one chat."""
    body = await request.json()
    chance = random.Random()
    await asyncio.sleep(chance.uniform(SECONDS - SPREAD, SECONDS + SPREAD))
    text = reply(chance)
    answer = {
        "id": f"chatcmpl-{chance.getrandbits(64):x}",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 400, "completion_tokens": 90, "total_tokens": 490},
    }
    return web.Response(text=json.dumps(answer), content_type="application/json")


async def models(_: web.Request) -> web.Response:
    """List the one model."""
    listed = {"id": "mock", "object": "model", "created": 0, "owned_by": "mock"}
    return web.json_response({"object": "list", "data": [listed]})


async def main() -> None:
    """Serve until the input ends."""
    app = web.Application(client_max_size=1 << 24)
    app.router.add_post("/v1/chat/completions", chat)
    app.router.add_get("/v1/models", models)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    # Whoever started it holds its input open: it ends with them, however they end.
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
