"""The bare SDK on its aiohttp backend: as many tasks as calls at once, replies kept in a list.

`RAW=create` calls `chat.completions.create`, `RAW=post` the SDK's lower level.
"""

import asyncio
import os

import httpx2
import openai
from measuring import MODEL, Work, measure, read_work


def main() -> None:
    """Ask everything."""
    work = read_work()
    measure(lambda: asyncio.run(ask_all(work, os.environ.get("RAW", "create"))))


async def ask_all(work: Work, way: str) -> int:
    """Return the number of replies."""
    waiting, replies = iter(work.prompts), []
    async with openai.AsyncOpenAI(
        base_url=work.base_url, api_key="none", http_client=openai.DefaultAioHttpClient()
    ) as client:

        async def ask() -> None:
            for seed, (system, user) in enumerate(waiting):
                body = {
                    "model": MODEL,
                    "messages": [
                        {"role": "system", "content": system},
                        {"role": "user", "content": user},
                    ],
                    "temperature": 0.8,
                    "max_tokens": 512,
                    "seed": seed,
                }
                if way == "create":
                    answer = await client.chat.completions.create(**body)
                    replies.append(answer.choices[0].message.content)
                else:
                    response = await client.post(
                        "/chat/completions", body=body, cast_to=httpx2.Response
                    )
                    replies.append(response.json()["choices"][0]["message"]["content"])

        await asyncio.gather(*(ask() for _ in range(work.concurrency)))
    return len(replies)


if __name__ == "__main__":
    main()
