"""Services, alerts and links in words."""

import re
from datetime import UTC, datetime

import pytest

from fakes.watched import alert
from repository import ROOT
from ui.config import UiSettings
from ui.kept.keeping import Store
from ui.kept.store_words import store_html
from ui.texts import texts_in
from ui.watch.alarms import Alarms, Alert
from ui.watch.health import Health
from ui.watch.health_list import ALERTS_SHOWN, alarms_html, checked_html, health_html, links_html

ZH, EN = texts_in("zh"), texts_in("en")
WATCHED = UiSettings(prometheus_url="http://watch:9090", grafana_url="http://watch:3000")
EVIL = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    ("health", "said", "command"),
    [
        (Health("trainer", "ok"), "health.ok", ""),
        (Health("trainer", "down", cause="connect"), "health.down", "tonesmith up"),
        (Health("trainer", "down", cause="timeout"), "health.down", "tonesmith status"),
        (Health("trainer", "down", cause="strange", status=404), "health.down", "tonesmith status"),
        (Health("trainer", "not_ready", ("x",)), "health.not_ready", "tonesmith logs trainer"),
        (Health("serving", "not_ready", ("lent to r-1",)), "health.not_ready", ""),
        (Health("ui", "not_ready", ("draining",)), "health.draining", ""),
        (Health("grafana", "down", cause="connect"), "health.watcher", ""),
    ],
)
def test_state_is_in_words_with_the_way_out(health: Health, said: str, command: str) -> None:
    """What is wrong, and what to type where that helps."""
    html = health_html(ZH, (health,))
    assert ZH(said) in html
    assert (f"<code>{command}</code>" in html) if command else ("<code>" not in html)


def test_address_of_a_service_stays_inside() -> None:
    """Who reads the page need not know the network: the setting is named."""
    health = Health("trainer", "down", cause="connect", url="http://user:key@trainer:8002")
    html = health_html(EN, (health,))
    assert "TRAINER_URL" in html
    assert "8002" not in html


def test_known_reasons_are_translated_and_others_are_quoted() -> None:
    """Those of our services have a sentence in each language."""
    reasons = ("MODELS_DIR holds no base model", "lent to r-1", "something new")
    html = health_html(ZH, (Health("trainer", "not_ready", reasons),))
    assert ZH("health.no_base") in html
    assert ZH("health.lent", holder="r-1") in html
    assert "something new" in html


def test_alerts_say_how_bad_what_where_and_what_to_do() -> None:
    """In words, and no more of them than somebody reads."""
    many = [alert(f"Alert{number}", "critical", instance=f"i-{number}") for number in range(11)]
    found = Alarms(True, tuple(Alert.model_validate(each) for each in many))
    html = alarms_html(EN, found, WATCHED)
    for said in (EN("alert.critical"), "Alert0", "i-0", "Alert0 happened", "Look at it."):
        assert said in html
    assert html.count("<li") == ALERTS_SHOWN
    assert EN("alert.more", count=3) in html


def test_absence_of_alerts_is_told_apart_from_not_knowing() -> None:
    """Silence of Prometheus is not silence of the alerts."""
    assert EN("alert.none") in alarms_html(EN, Alarms(True), WATCHED)
    assert EN("alert.unknown") in alarms_html(EN, Alarms(False), WATCHED)
    assert alarms_html(EN, Alarms(False), UiSettings()) == ""


def test_links_lead_to_every_dashboard() -> None:
    """By the uids under which they are provisioned; a new window cannot reach back."""
    html = links_html(EN, WATCHED)
    for name in ("overview", "training", "gpus", "serving", "datagen", "chat"):
        assert f'href="http://watch:3000/d/tonesmith-{name}"' in html
    assert 'href="http://watch:9090/alerts"' in html
    assert html.count("<a ") == html.count('rel="noopener noreferrer"') == 8


def test_page_without_charts_says_how_to_have_them() -> None:
    """No dead link."""
    html = links_html(ZH, UiSettings())
    assert ZH("monitor.no_charts") in html
    assert "<a " not in html


def test_words_from_elsewhere_are_text() -> None:
    """Reasons, names and labels of alerts, addresses of settings."""
    raised = alert(EVIL, "critical", instance=EVIL)
    raised["annotations"]["summary"] = EVIL
    settings = UiSettings(prometheus_url="http://watch/'onclick='x", grafana_url='http://a/"><i>')
    html = (
        health_html(ZH, (Health("trainer", "not_ready", (EVIL, f"lent to {EVIL}")),))
        + alarms_html(ZH, Alarms(True, (Alert.model_validate(raised),)), settings)
        + links_html(ZH, settings)
    )
    assert "<img" not in html
    assert "<b>alert" not in html
    assert '"><i>' not in html
    assert html.count("&lt;img") == 5


@pytest.mark.parametrize(
    ("minutes", "local"), [(0, "22:30:05"), (480, "06:30:05"), (-210, "19:00:05")]
)
def test_time_is_the_readers(minutes: int, local: str) -> None:
    """The stamp itself has its zone."""
    at = datetime(2026, 1, 1, 22, 30, 5, tzinfo=UTC)
    html = checked_html(EN, at, minutes)
    assert f'<time datetime="2026-01-01T22:30:05+00:00">{local}</time>' in html


def rules() -> list[str]:
    """Return the names of our alerts."""
    folder = ROOT / "monitoring" / "prometheus" / "rules"
    found = "".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.y*ml")))
    return re.findall(r"^ +- alert: (\w+)", found, re.MULTILINE)


def test_every_alert_of_ours_has_a_sentence_in_each_language() -> None:
    """A reader of Chinese is not left with a rule's English words; no sentence is left over."""
    assert len(rules()) > 40
    for texts in (ZH, EN):
        named = [key for key in texts.table if key.startswith("alert.name.")]
        assert sorted(named) == sorted(f"alert.name.{name}" for name in rules())


def test_rules_own_words_are_unfolded_by_who_reads_another_language() -> None:
    """They hold figures and commands; who reads English sees them at once."""
    raised = Alert.model_validate(alert("GpuLost", "critical", uuid="GPU-3"))
    zh, en = [alarms_html(texts, Alarms(True, (raised,)), WATCHED) for texts in (ZH, EN)]
    assert ZH("alert.name.GpuLost") in zh
    assert ZH("alert.detail") in zh
    assert "<details>" not in en
    strange = Alert.model_validate(alert("Strange", "warning"))
    assert "<details>" not in alarms_html(ZH, Alarms(True, (strange,)), WATCHED)


def test_what_the_page_keeps_is_told_and_little_room_is_said() -> None:
    """In figures; the warning is words, not a colour."""
    html = store_html(ZH, Store(waiting=3, refused=1, bytes=5 << 20, free=2 << 20))
    assert "5.0 MiB" in html
    assert ZH("monitor.store_scarce") in html
    assert ZH("monitor.store_scarce") not in store_html(ZH, Store(free=9 << 30))
    assert EN("monitor.store_unknown") in store_html(EN, None)
