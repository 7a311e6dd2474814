"""The parity gate: what training rendered must be what serving renders. Pure comparisons.

Each comparison gives a `GateCheck`; one that failed shows the difference in words.
"""

import difflib
from itertools import zip_longest
from typing import Any

from contracts.artefact import GateCheck, GateResult, GoldenPrompt
from contracts.sample import Message

CONTEXT = 6  # tokens shown on either side of the first difference
# Merging rounds differently from adding: two tokens whose logits are this close may swap.
TIE = 1e-3
# Another engine (other kernels) rounds more; beyond a lead this small its reply may differ.
SURE = 0.05


def gate_result(report: dict[str, Any], trained: str, exported: str) -> GateResult:
    """Return the verdict on the engine's export report.

    Args:
        report: what `engine/export.py` returned.
        trained: the chat template that the run recorded when it began.
        exported: the chat template among the exported files.
    """
    checks = [same_template("chat_template", trained, exported)]
    for golden in report["golden"]:
        checks.append(same_tokens(golden["name"], golden["trained"], golden["served"]))
    checks.append(same_end(report["eos"]))
    for golden in report["golden"]:
        checks.append(same_reply(golden["name"], golden["adapter"], golden["merged"]))
    return GateResult(checks=checks)


def same_template(name: str, want: str, found: str) -> GateCheck:
    """Compare two chat templates; a difference is shown as a unified diff."""
    if want == found:
        return GateCheck(name=name, passed=True)
    lines = difflib.unified_diff(
        shown_lines(want), shown_lines(found), "recorded by the run", "in the model", lineterm=""
    )
    return GateCheck(name=name, passed=False, detail="\n".join(lines))


def shown_lines(text: str) -> list[str]:
    """Return lines in which blanks at the end and a missing last newline can be seen."""
    lines = text.split("\n")
    lines = [line[: len(line.rstrip())] + blanks(line) for line in lines]
    return lines[:-1] if lines[-1] == "" else [*lines[:-1], lines[-1] + "␃"]


def blanks(line: str) -> str:
    """Return what stands for the blanks at the end of a line."""
    return "".join(f"\\x{ord(char):02x}" for char in line[len(line.rstrip()) :])


def same_tokens(name: str, want: dict[str, Any], found: dict[str, Any]) -> GateCheck:
    """Compare two rendered prompts (`token_ids`, `pieces`)."""
    detail = found.get("error") or token_difference(want, found)
    return GateCheck(name=f"token_ids:{name}", passed=not detail, detail=detail)


def token_difference(want: dict[str, Any], found: dict[str, Any]) -> str:
    """Return where two token lists part and what stands around, or nothing if they are equal."""
    at = first_difference(want["token_ids"], found["token_ids"])
    if at is None:
        return ""
    return (
        f"they part at token {at}: "
        f"trained {around(want, at)}, served {around(found, at)} "
        f"({len(want['token_ids'])} and {len(found['token_ids'])} tokens)"
    )


def first_difference(want: list[int], found: list[int]) -> int | None:
    """Return the index of the first token that differs, or None."""
    pairs = enumerate(zip_longest(want, found))
    return next((at for at, (left, right) in pairs if left != right), None)


def around(side: dict[str, Any], at: int) -> str:
    """Return the ids and the text around a position; `«»` marks the token itself."""
    ids, texts = side["token_ids"], side.get("pieces") or []
    start, end = max(0, at - CONTEXT), at + CONTEXT + 1
    if at >= len(ids):
        return f"ends after {''.join(texts[start:])!r}"
    before, mark, after = "".join(texts[start:at]), "".join(texts[at : at + 1]), texts[at + 1 : end]
    return f"id {ids[at]} in {before + '«' + mark + '»' + ''.join(after)!r}"


def same_end(eos: dict[str, Any]) -> GateCheck:
    """Compare the token that ends a reply: training's, the tokenizer's, the generation config's."""
    faults = []
    if eos["trained"] != eos["exported"]:
        faults.append(f"trained on {eos['trained']!r}, exported tokenizer says {eos['exported']!r}")
    if eos["exported_id"] not in eos["trained_ids"]:
        faults.append(f"id {eos['exported_id']} is none of training's {eos['trained_ids']}")
    if eos["exported_id"] not in eos["generation_ids"]:
        faults.append(f"generation_config stops at {eos['generation_ids']}")
    return GateCheck(name="eos", passed=not faults, detail="; ".join(faults))


def same_reply(name: str, adapter: dict[str, Any], merged: dict[str, Any]) -> GateCheck:
    """Compare the greedy replies of the adapter on its base and of the merged weights.

    A swap of two tokens within `TIE` logits is rounding, no fault: it is told, and passes.
    """
    at = first_difference(adapter["token_ids"], merged["token_ids"])
    if at is None:
        return GateCheck(name=f"reply:{name}", passed=True)
    lead = adapter["leads"][at] if at < len(adapter["leads"]) else float("inf")
    detail = (
        f"they part at token {at} (lead {lead:.2g} logits): "
        f"adapter {around(adapter, at)}, merged {around(merged, at)}"
    )
    return GateCheck(name=f"reply:{name}", passed=lead <= TIE, detail=detail)


def golden_prompts(report: dict[str, Any]) -> list[GoldenPrompt]:
    """Return what serving must reproduce: prompts, and each reply as far as it is sure."""
    return [
        GoldenPrompt(
            name=golden["name"],
            messages=[Message.model_validate(each) for each in golden["messages"]],
            token_ids=golden["trained"]["token_ids"],
            reply_ids=sure_part(golden["adapter"]),
        )
        for golden in report["golden"]
    ]


def sure_part(reply: dict[str, Any]) -> list[int]:
    """Return the reply up to its first token that another engine's rounding could change."""
    unsure = (at for at, lead in enumerate(reply["leads"]) if lead < SURE)
    return list(reply["token_ids"][: next(unsure, len(reply["leads"]))])


def failures(gate: GateResult) -> str:
    """Return what failed, one line or block each, for a message."""
    failed = [check for check in gate.checks if not check.passed]
    return "\n".join(
        f"{one.name}:{chr(10) if chr(10) in one.detail else ' '}{one.detail}" for one in failed
    )
