"""Which series a PromQL query reads, and by which labels: for tests that hold queries to names.

Parsed by promql-parser, whose grammar is Prometheus' own; Grafana's macros and variables are
replaced before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import promql_parser as parser

# What Grafana replaces before it asks: longer names first, since some begin like others.
MACROS = {"$__rate_interval": "2m", "$__interval": "30s", "$__range": "1h"}


@dataclass(frozen=True)
class Selector:
    """One use of a metric.

    Args:
        metric: its name.
        matchers: by label, operator and value, such as `=~.+`.
        function: the function around its range, or nothing.
        range_seconds: the length of its range; None where it is no range.
    """

    metric: str
    matchers: Mapping[str, str]
    function: str = ""
    range_seconds: float | None = None


@dataclass(frozen=True)
class Grouping:
    """Labels that a query groups or joins by, or takes over from the other side.

    Args:
        labels: their names.
        metrics: the names of the metrics of which they may be.
        made: labels that the query itself makes there, as `label_replace` does.
    """

    labels: tuple[str, ...]
    metrics: tuple[str, ...]
    made: frozenset[str] = field(default=frozenset())


def filled(expr: str, values: Mapping[str, str]) -> str:
    """Return the query as Grafana would send it."""
    for macro, value in MACROS.items():
        expr = expr.replace(macro, value)
    for name in sorted(values, key=len, reverse=True):
        expr = expr.replace(f"${{{name}}}", values[name]).replace(f"${name}", values[name])
    return expr


def selectors(expr: str) -> list[Selector]:
    """Return every use of a metric in a query.

    Raises:
        ValueError: it is no PromQL.
    """
    return list(_selectors(parser.parse(expr), "", None))


def _selectors(node: parser.Expr, function: str, length: float | None) -> Iterator[Selector]:
    if isinstance(node, parser.VectorSelector):
        found = {each.name: _operator(each) + each.value for each in node.matchers.matchers}
        name = node.name or found.pop("__name__", "").lstrip("=")
        yield Selector(name, found, function, length)
    elif isinstance(node, parser.MatrixSelector):
        yield from _selectors(node.vector_selector, function, node.range.total_seconds())
    else:
        called = node.func.name if isinstance(node, parser.Call) else ""
        for child in children(node):
            yield from _selectors(child, called, None)


def _operator(matcher: parser.Matcher) -> str:
    names = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
    return names[str(matcher.op).rsplit(".", maxsplit=1)[-1]]


def children(node: parser.Expr) -> list[parser.Expr]:
    """Return the parts of an expression."""
    if isinstance(node, parser.Call):
        return list(node.args)
    if isinstance(node, parser.AggregateExpr):
        return [node.expr, *([node.param] if node.param is not None else [])]
    if isinstance(node, parser.BinaryExpr):
        return [node.lhs, node.rhs]
    if isinstance(node, parser.ParenExpr | parser.UnaryExpr | parser.SubqueryExpr):
        return [node.expr]
    return []


def walk(node: parser.Expr) -> Iterator[parser.Expr]:
    """Yield an expression and everything in it."""
    yield node
    for child in children(node):
        yield from walk(child)


def groupings(expr: str) -> list[Grouping]:
    """Return every `by`, `without`, `on`, `ignoring` and `group_left` of a query."""
    found = []
    for node in walk(parser.parse(expr)):
        modifier = getattr(node, "modifier", None)
        if isinstance(node, parser.AggregateExpr) and modifier is not None:
            found.append(_grouping(modifier.labels, node.expr))
        elif isinstance(node, parser.BinaryExpr) and modifier is not None:
            labels = modifier.matching.labels if modifier.matching is not None else ()
            found += [_grouping(labels, side) for side in (node.lhs, node.rhs)]
            found.append(_grouping(modifier.group_labels or (), node))
    return [grouping for grouping in found if grouping.labels]


def _grouping(labels: tuple[str, ...] | list[str], node: parser.Expr) -> Grouping:
    names, made = [], set()
    for each in walk(node):
        if isinstance(each, parser.VectorSelector):
            names.append(each.name)
        elif isinstance(each, parser.MatrixSelector):
            names.append(each.vector_selector.name)
        elif isinstance(each, parser.Call) and each.func.name in ("label_replace", "label_join"):
            made.add(each.args[1].val)
    return Grouping(tuple(labels), tuple(names), frozenset(made))
