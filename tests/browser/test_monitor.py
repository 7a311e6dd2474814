"""How everything is, as a person looks at it."""

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import Opener
from contracts.gpu import GpuReport
from fakes.recorded_runs import recorded
from fakes.stack import Stack
from fakes.watched import alert
from ui.texts import Texts, texts_in

pytestmark = pytest.mark.browser
ZH, EN = texts_in("zh"), texts_in("en")


def look(page: Page, texts: Texts) -> None:
    """Open the tab, and wait for what it says."""
    page.get_by_role("tab", name=texts("tab.monitor")).click()
    expect(page.locator("#monitor-health li").first).to_be_visible()


def service(name: str) -> str:
    """Return where a service stands."""
    return f'#monitor-health li[data-service="{name}"]'


def test_everything_is_seen_at_a_glance(visit: Opener, stack: Stack) -> None:
    """Services, alerts, GPUs and the run, in both languages, without Grafana."""
    stack.alerts = [alert("GpuLost", "critical", uuid="GPU-3")]
    page = visit().page
    look(page, ZH)
    for name in ("ui", "datagen", "trainer", "serving", "prometheus"):
        expect(page.locator(service(name))).to_contain_text(ZH("health.ok"))
    expect(page.locator("#monitor-alerts")).to_contain_text("GpuLost")
    for key in ("gpu.band", "gpu.above", "gpu.lost"):
        expect(page.locator("#monitor-gpus")).to_contain_text(ZH(key))
    expect(page.locator("#monitor-run")).to_contain_text("420 / 900")
    expect(page.locator("#monitor-plot svg")).to_contain_text("900")
    expect(page.locator("#monitor-links")).to_contain_text(ZH("monitor.no_charts"))
    page.locator("#ts-language label", has_text="English").click()
    expect(page.locator(service("trainer"))).to_contain_text(EN("service.trainer"))
    expect(page.locator("#monitor-gpus")).to_contain_text(EN("gpu.lost"))
    expect(page.locator("#monitor-again")).to_have_text(EN("monitor.again"))


def test_trouble_shows_by_itself_and_goes_away_again(visit: Opener, stack: Stack) -> None:
    """The clock runs while the tab is seen."""
    page = visit(locale="en-GB").page
    look(page, EN)
    stack.reasons = {"datagen": ["the teacher does not answer"]}
    stack.gpus = GpuReport(available=False)
    expect(page.locator(service("datagen"))).to_contain_text(EN("health.not_ready"))
    expect(page.locator(service("datagen"))).to_contain_text(EN("health.no_teacher"))
    expect(page.locator("#monitor-gpus")).to_contain_text(EN("gpu.no_library"))
    stack.reasons = {}
    expect(page.locator(service("datagen"))).to_contain_text(EN("health.ok"))


def test_nobody_is_asked_while_another_tab_is_seen(visit: Opener, stack: Stack) -> None:
    """The clock stands still, and goes on when the tab is opened again."""
    page = visit().page
    look(page, ZH)
    page.get_by_role("tab", name=ZH("tab.chat")).click()
    page.wait_for_timeout(1000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.post_data or ""))
    page.wait_for_timeout(7000)
    zone = str(page.evaluate("-new Date().getTimezoneOffset()"))
    assert not [body for body in asked if f'"data":["{zone}"' in body]
    stack.reasons = {"trainer": ["DATA_DIR cannot be written"]}
    look(page, ZH)
    expect(page.locator(service("trainer"))).to_contain_text(ZH("health.read_only"))


def test_button_asks_at_once(visit: Opener, stack: Stack) -> None:
    """The time of the last look is the reader's own."""
    page = visit().page
    look(page, ZH)
    page.wait_for_timeout(1100)
    stack.runs = [recorded({"id": "r-1", "state": "running", "step": 3, "max_steps": 9})]
    page.locator("#monitor-again").click()
    expect(page.locator("#monitor-run")).to_contain_text("3 / 9", timeout=4000)
    told = page.locator("#monitor-checked time").inner_text()
    assert page.evaluate("new Date().toTimeString().slice(0, 2)") == told[:2]


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_has_to_be_scrolled_sideways(visit: Opener, stack: Stack, width: int) -> None:
    """Also with long words from elsewhere, which stay text."""
    evil = "<b id=evil>" + "x" * 200
    stack.alerts = [alert(evil, "warning", instance=evil)]
    stack.reasons = {"trainer": [evil]}
    page = visit(width=width, height=844).page
    look(page, ZH)
    expect(page.locator("#monitor-alerts li")).to_be_visible()
    page.locator("#monitor-plot svg").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#evil").count() == 0
