"""Published models: where each comes from, whether it is live, and what its gate said (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from contracts.artefact import CurrentModel, GateCheck, ModelManifest, ServedVersion
from contracts.export import ExportManifest
from contracts.job import Job, JobState
from ui.errors import ProblemError
from ui.texts import Texts
from ui.training.runs import UNKNOWN, metrics_text, note

MOST, JOBS_SHOWN, STYLES_SHOWN = 50, 6, 6
SIZE = 1 << 20
COLUMNS = ("name", "status", "base", "made", "held_out")


@dataclass(frozen=True)
class Shelf:
    """The models, the newest first; which are served; exports, and the jobs of both kinds."""

    models: tuple[ModelManifest, ...] = ()
    current: CurrentModel | None = None
    exports: tuple[ExportManifest, ...] = ()
    jobs: tuple[Job, ...] = ()
    problem: ProblemError | None = None

    def model(self, model_id: str) -> ModelManifest | None:
        """Return the model that was picked, else the live one, else the newest."""
        named = [each for each in self.models if each.id == model_id]
        live = [each for each in self.models if self.live(each.id)]
        return next(iter([*named, *live, *self.models]), None)

    def version(self, model_id: str) -> ServedVersion | None:
        """Return the version under which a model is served, or None."""
        versions = self.current.versions if self.current else []
        return next((each for each in versions if each.model_id == model_id), None)

    def live(self, model_id: str) -> bool:
        """Return whether the name of a model answers with it."""
        found = self.version(model_id)
        return bool(
            found and self.current and self.current.aliases.get(found.name) == found.version
        )

    def earlier(self, name: str) -> int | None:
        """Return the version to which a name would go back."""
        return self.current.previous.get(name) if self.current else None


def status_key(shelf: Shelf, model: ModelManifest) -> str:
    """Return how a model stands: live, previous, staged or kept."""
    found = shelf.version(model.id)
    if found is None:
        return "kept"
    if shelf.live(model.id):
        return "live"
    return "previous" if shelf.earlier(found.name) == found.version else "staged"


def status_html(texts: Texts, shelf: Shelf, model: ModelManifest) -> str:
    """Return how a model stands, with its version."""
    found, key = shelf.version(model.id), status_key(shelf, model)
    version = f" · v{found.version}" if found else ""
    return f'<span class="ts-state ts-is-{key}">{escape(texts(f"models.{key}"))}{version}</span>'


def list_html(texts: Texts, shelf: Shelf, chosen: str) -> str:
    """Return the models as a table; a sentence where there are none."""
    if not shelf.models:
        return note(texts("models.none"), texts("models.none_hint"), "tonesmith train")
    head = "".join(f'<th scope="col">{escape(texts(f"models.{key}"))}</th>' for key in COLUMNS)
    rows = "".join(
        row_html(texts, shelf, each, chosen=each.id == chosen) for each in shelf.models[:MOST]
    )
    label = escape(texts("models.name"))
    return (
        f'<div class="ts-roll" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="ts-runs"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def row_html(texts: Texts, shelf: Shelf, model: ModelManifest, *, chosen: bool) -> str:
    """Return one model as a row."""
    loss = model.metrics.get("eval_loss")
    cells = (
        f"<code>{escape(model.id)}</code>",
        status_html(texts, shelf, model),
        escape(model.base.name),
        f"{model.created_at:%Y-%m-%d %H:%M}",
        UNKNOWN if loss is None else f"{loss:.4f}",
    )
    row = "".join(
        f'<td class="ts-{key}" data-label="{escape(texts(f"models.{key}"))}">{cell}</td>'
        for key, cell in zip(COLUMNS, cells, strict=True)
    )
    return f'<tr class="ts-chosen">{row}</tr>' if chosen else f"<tr>{row}</tr>"


def card_html(texts: Texts, shelf: Shelf, model: ModelManifest | None) -> str:
    """Return one model: its lineage, its figures, what its gate said."""
    if model is None:
        return ""
    facts = {
        "rank": str(model.lora_rank or ""),
        "best": str(model.best_step or ""),
        "continues": model.continues or "",
        "metrics": metrics_text(model.metrics),
        "size": f"{sum(file.bytes for file in model.files.values()) / SIZE:,.0f} MiB"
        if model.files
        else "",
    }
    known = "".join(
        f"<dt>{escape(texts(f'models.{key}'))}</dt><dd>{escape(value)}</dd>"
        for key, value in facts.items()
        if value
    )
    return (
        f'<div class="ts-run"><h3>{status_html(texts, shelf, model)}</h3>'
        f"{lineage_html(texts, shelf, model)}<dl>{known}</dl>{gate_html(texts, model)}</div>"
    )


def lineage_html(texts: Texts, shelf: Shelf, model: ModelManifest) -> str:
    """Return the way from the styles to the name that answers, link by link."""
    names = [f"{each.style.id} v{each.version}" for each in model.styles[:STYLES_SHOWN]]
    more = len(model.styles) - len(names)
    styles = ", ".join(names) + (f" +{more}" if more > 0 else "")
    found = shelf.version(model.id)
    links = {
        "styles": styles,
        "dataset": model.dataset_id,
        "run": model.run_id,
        "adapter": model.id,
        "served": found.served_name if found else "",
    }
    chain = "".join(
        f"<li><span>{escape(texts(f'models.{key}'))}</span> <code>{escape(value)}</code></li>"
        for key, value in links.items()
        if value
    )
    return f'<ol class="ts-chain" aria-label="{escape(texts("models.lineage"))}">{chain}</ol>'


def gate_html(texts: Texts, model: ModelManifest) -> str:
    """Return the verdict of the parity gate; each check that failed with its difference."""
    checks = model.gate.checks
    if not checks:
        return ""
    failed = [check for check in checks if not check.passed]
    key = "models.gate_failed" if failed else "models.gate_passed"
    said = texts(key, failed=len(failed), checks=len(checks))
    lines = "".join(check_html(check) for check in failed[:MOST])
    return f'<p class="ts-gate">{escape(said)}</p>' + (
        f'<ul class="ts-gate-checks">{lines}</ul>' if lines else ""
    )


def check_html(check: GateCheck) -> str:
    """Return one check that failed, with the difference as it is."""
    return f"<li><strong>✗ {escape(check.name)}</strong><pre>{escape(check.detail[:2000])}</pre>"


def jobs_html(texts: Texts, jobs: Sequence[Job]) -> str:
    """Return the latest promotions and exports, each with how far it is or why it failed."""
    shown = sorted(jobs, key=lambda job: job.created_at, reverse=True)[:JOBS_SHOWN]
    if not shown:
        return ""
    lines = "".join(job_html(texts, job) for job in shown)
    return f"<h3>{escape(texts('models.jobs'))}</h3><ul class='ts-orders'>{lines}</ul>"


def job_html(texts: Texts, job: Job) -> str:
    """Return one job; the gate's differences keep their lines."""
    form = str(job.request.get("form", ""))
    what = texts(f"models.job_{job.kind}" if job.kind in ("promotion", "export") else "models.jobs")
    stage = job.progress.stage if job.state is JobState.RUNNING else ""
    said = " · ".join(
        part for part in (what, form, texts.table.get(f"stage.{stage}", stage)) if part
    )
    error = f"<pre>{escape(job.error.message[:4000])}</pre>" if job.error else ""
    hint = f"<p>{escape(job.error.hint)}</p>" if job.error and job.error.hint else ""
    return (
        f'<li><span class="ts-state ts-is-{job.state}">{escape(texts(f"run.{job.state}"))}</span> '
        f"{escape(said)} <code>{escape(str(job.request.get('model_id', job.id)))}</code>"
        f"{error}{hint}</li>"
    )


def exports_html(texts: Texts, shelf: Shelf, model: ModelManifest | None) -> str:
    """Return the finished exports of a model, and how to save one on a disk."""
    mine = [each for each in shelf.exports if model and each.model_id == model.id]
    if not mine:
        return ""
    lines = "".join(
        f"<li><code>{escape(each.id)}</code> "
        f"{sum(file.bytes for file in each.files.values()) / SIZE:,.0f} MiB"
        f'<div class="ts-commands"><code>tonesmith export {escape(each.model_id)} '
        f"--form {escape(each.form)}</code></div></li>"
        for each in mine[:MOST]
    )
    return (
        f"<h3>{escape(texts('models.exports'))}</h3>"
        f'<p class="ts-faint">{escape(texts("models.fetch"))}</p><ul class="ts-orders">{lines}</ul>'
    )
