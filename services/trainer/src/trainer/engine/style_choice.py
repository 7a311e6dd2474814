"""Score a checkpoint by style: does each held-out reply fit its own style's prompt best?

A reply that was written in a style gets the likelihood that the model gives it under the system
prompt of each style. `accuracy` is the share of replies whose own prompt wins, `margin` the mean
lead over the best other prompt, in nats per token: it breaks ties. It costs rows x styles forward
passes at each evaluation, and no generation.
"""

from typing import Any

BATCH = 16
IGNORED = -100  # torch's own mark of a token without a loss


def unusable(plan: dict[str, Any]) -> str:
    """Return why the run's checkpoints cannot be chosen by style, or nothing if they can."""
    probe = plan.get("style_probe") or {}
    if len(probe.get("prompts") or {}) < 2:
        return "the dataset has less than two styles, or names them by no system prompt"
    if not probe.get("rows"):
        return "the dataset has no held-out rows"
    return ""


class StyleProbe:
    """Measures a model on held-out rows.

    Args:
        rows: [{messages, reply, style}]; the last message is the user's, and the
            system prompt among them, if any, is replaced.
        prompts: system prompt of each style.
        template: LLaMA-Factory's template of the run.
        tokenizer: of the model.
    """

    def __init__(
        self, rows: list[dict[str, Any]], prompts: dict[str, str], template: Any, tokenizer: Any
    ) -> None:
        self.styles = list(prompts)
        self.own = [self.styles.index(row["style"]) for row in rows]
        self.pad = tokenizer.pad_token_id or 0
        self.sequences = [
            encoded(row, prompts[style], template, tokenizer)
            for row in rows
            for style in self.styles
        ]

    def measure(self, model: Any) -> tuple[float, float]:
        """Return accuracy (0 to 1) and margin of the model as it is now."""
        import torch

        training = model.training
        model.eval()
        try:
            with torch.inference_mode():
                scores = self._scores(model)
        finally:
            model.train(training)
        width = len(self.styles)
        table = [scores[place : place + width] for place in range(0, len(scores), width)]
        return contrast(table, self.own)

    def _scores(self, model: Any) -> list[float]:
        """Return the mean log-likelihood of each reply under each prompt, in nats per token."""
        order = sorted(range(len(self.sequences)), key=lambda place: len(self.sequences[place][0]))
        scores = [0.0] * len(order)
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            found = likelihoods(model, [self.sequences[place] for place in places], self.pad)
            for place, score in zip(places, found, strict=True):
                scores[place] = score
        return scores


def contrast(table: list[list[float]], own: list[int]) -> tuple[float, float]:
    """Return accuracy and margin of scores (rows x styles); `own` is each row's own style.

    A tie is no win: a model that ignores the system prompt scores 0.
    """
    leads = [
        scores[place] - max(score for other, score in enumerate(scores) if other != place)
        for scores, place in zip(table, own, strict=True)
    ]
    return sum(lead > 0 for lead in leads) / len(leads), sum(leads) / len(leads)


def encoded(
    row: dict[str, Any], prompt: str, template: Any, tokenizer: Any
) -> tuple[list[int], int]:
    """Return a row's token ids with a style's prompt, and at which of them the reply begins."""
    turns = [message for message in row["messages"] if message["role"] != "system"]
    messages = [*turns, {"role": "assistant", "content": row["reply"]}]
    # Turn by turn, as training encodes chats: on a hybrid base each turn has its empty block.
    *earlier, (question, reply) = template.encode_multiturn(tokenizer, messages, prompt)
    asked = [*(token for turn in earlier for part in turn for token in part), *question]
    return [*asked, *reply], len(asked)


def likelihoods(model: Any, batch: list[tuple[list[int], int]], pad: int) -> list[float]:
    """Return the mean log-likelihood per reply token of each (token ids, start of the reply)."""
    import torch
    from torch.nn.functional import cross_entropy

    longest = max(len(ids) for ids, _ in batch)
    device = next(model.parameters()).device
    ids = torch.full((len(batch), longest), pad, device=device)
    labels = torch.full((len(batch), longest), IGNORED, device=device)
    mask = torch.zeros((len(batch), longest), dtype=torch.long, device=device)
    for place, (tokens, start) in enumerate(batch):
        ids[place, : len(tokens)] = torch.tensor(tokens, device=device)
        labels[place, start : len(tokens)] = ids[place, start : len(tokens)]
        mask[place, : len(tokens)] = 1
    logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1].float()
    wanted = labels[:, 1:]
    losses = cross_entropy(logits.transpose(1, 2), wanted, ignore_index=IGNORED, reduction="none")
    counts = (wanted != IGNORED).sum(1).clamp(min=1)
    means: list[float] = (-losses.sum(1) / counts).tolist()
    return means
