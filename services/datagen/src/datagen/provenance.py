"""Where a reply comes from: kept with its row, so that the call can be found and asked again."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from contracts.sample import Provenance
from datagen.usage import read_usage

# Names come from outside: a teacher cannot make a row long.
MAX_NAME = 200


def provenance_of(
    body: Mapping[str, Any], answer: Mapping[str, Any], request_id: str, answer_id: str
) -> Provenance:
    """Return what is kept of a call.

    Args:
        body: the request, whole.
        answer: the answer's JSON.
        request_id: what we sent in `X-Client-Request-Id`.
        answer_id: `x-request-id` of the answer, if there was one.
    """
    usage = read_usage(answer.get("usage"))
    return Provenance(
        model=name(answer.get("model")) or name(body.get("model")),
        request_id=request_id,
        answer_id=name(answer_id) or name(answer.get("id")),
        prompt_sha256=prompt_digest(body),
        seed=body.get("seed"),
        temperature=body.get("temperature"),
        input_tokens=usage.input,
        cached_tokens=usage.cached,
        output_tokens=usage.output,
        reasoning_tokens=usage.reasoning,
    )


def prompt_digest(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the messages as compact JSON: equal prompts have equal ones."""
    content = json.dumps(body.get("messages"), separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def name(value: Any) -> str:
    """Return a name that a teacher gave, bounded; empty where it is no text that a file holds."""
    return value[:MAX_NAME].encode("utf-8", "replace").decode() if isinstance(value, str) else ""
