"""bespokelabs-curator: one prompt for each row, no rate limit of its own, its cache on."""

import importlib.util
import os
from pathlib import Path

from measuring import MODEL, Work, measure, read_work


def main() -> None:
    """Ask everything."""
    work = read_work()
    os.environ.update(TELEMETRY_ENABLED="false", CURATOR_DISABLE_RICH_DISPLAY="1")
    os.environ["CURATOR_CACHE_DIR"] = str(work.folder)
    # Its tokenizer would be fetched from the network; litellm, which it needs, brings the file.
    litellm = importlib.util.find_spec("litellm")
    assert litellm
    assert litellm.origin
    tokenizers = Path(litellm.origin).parent / "litellm_core_utils" / "tokenizers"
    os.environ["TIKTOKEN_CACHE_DIR"] = str(tokenizers)
    from bespokelabs import curator

    class Asker(curator.LLM):
        def prompt(self, row: dict[str, str]) -> list[dict[str, str]]:
            return [
                {"role": "system", "content": row["system"]},
                {"role": "user", "content": row["user"]},
            ]

        def parse(self, row: dict[str, str], response: str) -> dict[str, str]:
            return {"user": row["user"], "reply": response}

    asker = Asker(model_name=MODEL, backend="openai", backend_params=limits(work))
    rows = [{"system": system, "user": user} for system, user in work.prompts]
    measure(lambda: len(asker(rows).dataset))


def limits(work: Work) -> dict[str, object]:
    """Return limits that only the concurrency reaches."""
    return {
        "base_url": work.base_url,
        "api_key": "none",
        "max_concurrent_requests": work.concurrency,
        "max_requests_per_minute": 10_000_000,
        "max_tokens_per_minute": 10_000_000_000,
    }


if __name__ == "__main__":
    main()
