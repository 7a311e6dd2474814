"""How the services are, which alerts fire, and where the charts are, in words (pure)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from html import escape

from ui.config import UiSettings
from ui.texts import Texts
from ui.watch.alarms import Alarms, Alert
from ui.watch.health import LIMIT_SECONDS, Health

# The setting that holds the address of each service; those of who watches may have two.
SETTINGS = {
    "datagen": "DATAGEN_URL",
    "trainer": "TRAINER_URL",
    "serving": "SERVING_CONTROL_URL",
    "prometheus": "UI_PROMETHEUS_API",
    "grafana": "UI_GRAFANA_API",
}
WATCHERS = frozenset({"prometheus", "grafana"})
# Reasons that our services are known to give, as they give them; others stay as they are.
LENT = "lent to "
REASONS = {
    "draining": "health.draining",
    "waiting": "health.waiting",
    "starting": "health.starting",
    "failed": "health.failed",
    "the data folder is not writable": "health.read_only",
    "DATA_DIR cannot be written": "health.read_only",
    "the teacher does not answer": "health.no_teacher",
    "MODELS_DIR holds no base model": "health.no_base",
}
DASHBOARDS = ("overview", "training", "gpus", "serving", "datagen", "chat")
WITH_CHARTS = "tonesmith up --docker"
ALERTS_SHOWN = 8
WORDS_SHOWN = 300


def health_html(texts: Texts, found: tuple[Health, ...]) -> str:
    """Return every service with its state in words, and the way out where it is not well."""
    items = "".join(item_html(texts, health) for health in found)
    return f'<h3>{escape(texts("monitor.services"))}</h3><ul class="ts-health">{items}</ul>'


def item_html(texts: Texts, health: Health) -> str:
    """Return one service."""
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences(texts, health))
    command = way_out(health)
    return (
        f'<li data-service="{health.service}"><strong>{escape(texts(f"service.{health.service}"))}'
        f'</strong><span class="ts-state ts-is-{health.state}">'
        f"{escape(texts(f'health.{health.state}'))}</span>"
        + said
        + (f"<code>{escape(command)}</code>" if command else "")
        + "</li>"
    )


def sentences(texts: Texts, health: Health) -> list[str]:
    """Return why a service is not ready, or not there."""
    if health.state == "not_ready":
        return [reason_text(texts, reason) for reason in health.reasons]
    if health.state == "ok":
        return []
    values: Mapping[str, object] = {
        "setting": SETTINGS.get(health.service, ""),
        "seconds": f"{LIMIT_SECONDS:g}",
        "status": health.status,
    }
    if health.service in WATCHERS:
        return [texts(f"health.watch_{health.cause}", **values), texts("health.watcher")]
    return [texts(f"health.{health.cause}", **values)]


def reason_text(texts: Texts, reason: str) -> str:
    """Return a reason in the reader's language, if it is a known one."""
    if reason.startswith(LENT):
        return texts("health.lent", holder=reason.removeprefix(LENT))
    return texts(REASONS[reason]) if reason in REASONS else reason


def way_out(health: Health) -> str:
    """Return what to type, or nothing."""
    if health.state == "ok" or health.service in WATCHERS or health.service == "ui":
        return ""
    if health.state == "down":
        return "tonesmith up" if health.cause == "connect" else "tonesmith status"
    lent = any(reason.startswith(LENT) for reason in health.reasons)
    return "" if lent else f"tonesmith logs {health.service}"


def alarms_html(texts: Texts, found: Alarms, settings: UiSettings) -> str:
    """Return the alerts that fire, the worst first; nothing where nobody watches."""
    if not settings.prometheus_inner:
        return ""
    title = f"<h3>{escape(texts('monitor.alerts'))}</h3>"
    if not found.known:
        return title + f'<p class="ts-faint">{escape(texts("alert.unknown"))}</p>'
    if not found.firing:
        return title + f'<p class="ts-faint">{escape(texts("alert.none"))}</p>'
    items = "".join(alert_html(texts, alert) for alert in found.firing[:ALERTS_SHOWN])
    more = len(found.firing) - ALERTS_SHOWN
    rest = f"<p>{escape(texts('alert.more', count=more))}</p>" if more > 0 else ""
    return f'{title}<ul class="ts-alerts">{items}</ul>{rest}'


def alert_html(texts: Texts, alert: Alert) -> str:
    """Return one alert: how bad, what, where, and what to do.

    The rule's own words hold figures and commands, and are English. Who reads another language is
    told in a sentence of ours, where there is one for the rule; the rule's words can be unfolded.
    """
    said = [alert.annotations.get("summary", ""), alert.annotations.get("runbook", "")]
    words = "".join(f'<p lang="en">{escape(text[:WORDS_SHOWN])}</p>' for text in said if text)
    known = texts.table.get(f"alert.name.{alert.name}", "")
    if known and (texts.language != "en" or not words):
        title = escape(texts("alert.detail"))
        folded = f"<details><summary>{title}</summary>{words}</details>" if words else ""
        words = f"<p>{escape(known)}</p>{folded}"
    place = f"<small>{escape(alert.place[:WORDS_SHOWN])}</small>" if alert.place else ""
    return (
        f'<li class="ts-is-{alert.severity}"><b>{escape(texts(f"alert.{alert.severity}"))}</b>'
        f"<strong>{escape(alert.name[:WORDS_SHOWN])}</strong>{place}{words}</li>"
    )


def links_html(texts: Texts, settings: UiSettings) -> str:
    """Return links to the charts; where there are none, how to have them."""
    links = []
    if settings.grafana_url:
        links += [
            (f"{settings.grafana_url}/d/tonesmith-{name}", texts(f"dashboard.{name}"))
            for name in DASHBOARDS
        ]
    if settings.prometheus_url:
        links.append((f"{settings.prometheus_url}/alerts", texts("dashboard.alerts")))
        links.append((f"{settings.prometheus_url}/targets", texts("dashboard.targets")))
    title = f"<h3>{escape(texts('monitor.charts'))}</h3>"
    if not links:
        said = f'<p class="ts-faint">{escape(texts("monitor.no_charts"))}</p>'
        return f'{title}{said}<div class="ts-commands"><code>{WITH_CHARTS}</code></div>'
    items = "".join(
        f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(name)} ↗</a>'
        for url, name in links
    )
    return f'{title}<nav class="ts-links">{items}</nav>'


def checked_html(texts: Texts, at: datetime, offset_minutes: int) -> str:
    """Return when all this was asked, by the reader's own clock.

    Args:
        texts: the words.
        at: when, in UTC.
        offset_minutes: of the reader's zone, east of UTC.
    """
    local = f"{at + timedelta(minutes=offset_minutes):%H:%M:%S}"
    stamp = f'<time datetime="{at.isoformat(timespec="seconds")}">{local}</time>'
    before, after = escape(texts("monitor.checked")).split("{time}")
    return f'<p class="ts-faint">{before}{stamp}{after}</p>'
