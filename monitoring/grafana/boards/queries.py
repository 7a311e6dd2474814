"""PromQL as the panels need it: every selector carries the variables of its dashboard."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
EVERYWHERE = ('job=~"$job"', 'instance=~"$instance"')


@dataclass(frozen=True)
class Scope:
    """Selects series by the variables of one dashboard.

    Args:
        matchers: further matchers, such as `run_id=~"$run_id"`.
    """

    matchers: tuple[str, ...] = field(default=())

    def __call__(self, metric: str, *extra: str) -> str:
        """Return a selector of `metric` with the dashboard's matchers and `extra` ones."""
        return f"{metric}{{{', '.join((*EVERYWHERE, *self.matchers, *extra))}}}"

    def rate(self, metric: str, *extra: str) -> str:
        """Return what the counter gains in a second, over the interval that fits the zoom."""
        return f"rate({self(metric, *extra)}[$__rate_interval])"

    def gained(self, metric: str, *extra: str) -> str:
        """Return what the counter gains over the time range that is shown."""
        return f"increase({self(metric, *extra)}[$__range])"

    def quantile(self, share: float, histogram: str, *extra: str, by: str = "") -> str:
        """Return a quantile of a histogram, by the labels `by` (comma separated)."""
        labels = f"le, {by}" if by else "le"
        buckets = self.rate(f"{histogram}_bucket", *extra)
        return f"histogram_quantile({share}, sum by ({labels}) ({buckets}))"

    def mean(self, histogram: str, by: str) -> str:
        """Return the mean of what a histogram saw, by the labels `by`."""
        total, count = self.rate(f"{histogram}_sum"), self.rate(f"{histogram}_count")
        return f"sum by ({by}) ({total}) / (sum by ({by}) ({count}) > 0)"


def equals(label: str, value: str) -> str:
    """Return a matcher."""
    return f'{label}="{value}"'


def share(part: str, whole: str) -> str:
    """Return the share of a sum in another: 0 where the part never was, nothing at no traffic."""
    return f"(sum({part}) or vector(0)) / (sum({whole}) > 0)"


def or_zero(expr: str) -> str:
    """Return `expr`, or 0 where it has no series: for counts, where absence means none."""
    return f"{expr} or vector(0)"


def or_row(expr: str, selector: str, label: str, text: str) -> str:
    """Return `expr`, or one row that says in `label` that there is nothing: for tables.

    Args:
        expr: the query of the table.
        selector: the series whose absence means that there is nothing to show.
        label: the column that shows the text.
        text: what it says, such as `no run yet`.
    """
    return f'{expr} or label_replace(0 * absent({selector}), "{label}", "{text}", "", "")'


def over_time(expr: str, legend: str) -> Json:
    """Return a query for a curve; `legend` may name labels as `{{uuid}}`."""
    return {"expr": expr, "legendFormat": legend, "range": True, "instant": False}


def now(expr: str, legend: str = "") -> Json:
    """Return a query for the newest value: what has gone is not shown as if it still were."""
    return {"expr": expr, "legendFormat": legend, "range": False, "instant": True}


def buckets(expr: str) -> Json:
    """Return a query whose series are the buckets of a heatmap."""
    return over_time(expr, "{{le}}") | {"format": "heatmap"}


def rows(expr: str) -> Json:
    """Return a query whose series are the rows of a table."""
    return now(expr) | {"format": "table"}
