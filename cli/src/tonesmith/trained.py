"""A training run in words: how it goes on, why it ended, how it was fitted, how good it is."""

from contracts.job import JobState, Progress
from contracts.run import Fit, RunRecord
from tonesmith.pace import span

GIB = 1 << 30
REASONS = {
    "flat": "the loss is flat",
    "overfit": "the held-out loss rises, it overfits",
    "diverged": "the training loss rises for good",
}
# Figures of LLaMA-Factory's evaluation, with or without its prefix.
METRICS = {
    "perplexity": "perplexity",
    "bleu-4": "BLEU-4",
    "rouge-1": "ROUGE-1",
    "rouge-2": "ROUGE-2",
    "rouge-l": "ROUGE-L",
    "style-accuracy": "style accuracy",
}
PREFIXES = ("predict_", "eval_")


def going_on(progress: Progress, seconds_left: float | None = None) -> str:
    """Return the line beside the bar of a run: losses first, they are cut last."""
    known = progress.figures
    words = [
        f"{name} {known[key]:.3g}"
        for key, name in (("loss", "loss"), ("eval_loss", "held-out"))
        if key in known
    ]
    if seconds_left is not None:  # a run whose loss goes flat ends before
        words.append(f"≤ {span(seconds_left)} left")
    flat, patience = known.get("plateau_steps", 0), known.get("plateau_patience_steps", 0)
    if flat and patience:
        words.append(f"flat {flat:.0f}/{patience:.0f}")
    return "  ".join(words)


def headline(run: RunRecord) -> str:
    """Return what came out of a run, in a line of markup."""
    made = run.model_id or run.id
    return (
        f"[bold]{made}[/] after {run.step} steps: loss {shown(run.loss)}, "
        f"held-out loss {shown(run.eval_loss)}"
    )


def details(run: RunRecord) -> list[tuple[str, str]]:
    """Return what else a run says of itself, each with its name."""
    found = [
        ("ended", ending(run)),
        ("fit", fitted(run.fit) if run.fit else ""),
        ("held out", measured(run.metrics)),
        *(("note", note) for note in run.notes),
    ]
    return [(name, sentence) for name, sentence in found if sentence]


def ending(run: RunRecord) -> str:
    """Return why a run ended, or nothing while it goes on."""
    best = "" if run.best_step is None else f"; best step {run.best_step}"
    if run.stop:
        planned = max(run.max_steps, run.stop.step + run.stop.saved_steps)
        why = REASONS[run.stop.reason]
        return (
            f"stopped at step {run.stop.step} of {planned}: {why}; best step {run.stop.best_step}"
        )
    if run.state is JobState.DONE:
        return f"all {run.step} steps{best}"
    if run.error:
        return f"{run.state} at step {run.step}: {run.error.message}"
    return f"{run.state} at step {run.step}{best}" if run.state.final else ""


def fitted(fit: Fit) -> str:
    """Return how a run was fitted to its rows and its card."""
    words: list[str] = [fit.batching]
    if fit.micro_batch:
        words.append(f"micro-batch {fit.micro_batch} x accumulation {fit.accumulation}")
    if fit.cutoff_len:
        words.append(f"cutoff {fit.cutoff_len} tokens")
    if fit.useful_ratio is not None:
        words.append(f"{fit.useful_ratio:.0%} of the tokens useful")
    memory = [
        f"{name} {value / GIB:.1f}"
        for name, value in (
            ("predicted", fit.predicted_bytes),
            ("probed", fit.probed_bytes),
            ("measured", fit.measured_bytes),
        )
        if value is not None
    ]
    if not memory:
        return ", ".join(words)
    card = f" of {fit.card_bytes / GIB:.1f}" if fit.card_bytes else ""
    return f"{', '.join(words)}; memory {', '.join(memory)}{card} GiB"


def measured(metrics: dict[str, float]) -> str:
    """Return the known ones of a run's metrics, in their order."""
    plain = {plain_name(name): value for name, value in metrics.items()}
    found = [f"{name} {plain[key]:.4g}" for key, name in METRICS.items() if key in plain]
    return ", ".join(found)


def plain_name(name: str) -> str:
    """Return a metric's name without the prefix of who measured it, in one spelling."""
    for prefix in PREFIXES:
        name = name.removeprefix(prefix)
    return name.lower().replace("_", "-")


def shown(loss: float | None) -> str:
    """Return a loss for people."""
    return "unknown" if loss is None else f"{loss:.4f}"
