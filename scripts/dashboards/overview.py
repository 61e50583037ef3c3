"""The overview: screens of all gateways, their states, latencies and objectives."""

from typing import Any, Final

from scripts.dashboards.panels import (
    GATEWAY,
    GREEN,
    INSTANCE,
    ORANGE,
    RED,
    YELLOW,
    Panel,
    Query,
    Row,
    make_dashboard,
    series,
    stat,
    table,
)

OF: Final = 'gateway=~"$gateway",instance=~"$instance"'

ALL: Final = f"sum(rate(bff_requests_total{{{OF}}}[$__rate_interval]))"

FEW: Final = ((None, GREEN), (0.01, YELLOW), (0.05, RED))

BURN: Final = ((None, GREEN), (1.0, YELLOW), (6.0, ORANGE), (14.4, RED))


def share(state: str) -> str:
    """Return the share of answers with a state."""
    found = f'sum(rate(bff_requests_total{{{OF},state="{state}"}}[$__rate_interval]))'
    return f"({found} or vector(0)) / {ALL}"


def percentile(rank: float, by: str = "gateway") -> str:
    """Return a percentile of the time of answers."""
    rates = f"rate(bff_request_duration_seconds_bucket{{{OF}}}[$__rate_interval])"
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({rank}, sum by ({labels}) ({rates}))"


def of_route(state: str = "") -> str:
    """Return the rate of answers by route, of one state or of all."""
    chosen = f'{OF},state="{state}"' if state else OF
    return (
        f"sum by (gateway, method, route) (rate(bff_requests_total{{{chosen}}}[$__rate_interval]))"
    )


def of_field(state: str = "") -> str:
    """Return the same by root field of GraphQL."""
    chosen = f'{OF},state="{state}"' if state else OF
    rates = f"rate(bff_graphql_fields_total{{{chosen}}}[$__rate_interval])"
    return f"sum by (gateway, operation, field) ({rates})"


NOW: Final = Row(
    "Now",
    (
        stat("Requests", "Answers a second, of all states.", ALL, unit="reqps"),
        stat(
            "Complete",
            "Answers in which nothing is missing.",
            share("complete"),
            unit="percentunit",
            thresholds=((None, RED), (0.9, YELLOW), (0.99, GREEN)),
        ),
        stat(
            "Degraded",
            "Answers without an optional part. Alert: AnswersDegraded.",
            share("degraded"),
            unit="percentunit",
            thresholds=FEW,
        ),
        stat(
            "Failed",
            "Answers with an error. Alert: RequestsFail.",
            share("failed"),
            unit="percentunit",
            thresholds=FEW,
        ),
        stat(
            "95th percentile",
            "95 of 100 answers were sent in this time.",
            percentile(0.95, ""),
            unit="s",
            thresholds=((None, GREEN), (0.5, YELLOW), (2.0, RED)),
            decimals=2,
        ),
        stat(
            "Alerts",
            "Alerts that are firing. The dashboard Runbooks says what to do.",
            'count(ALERTS{alertstate="firing"}) or vector(0)',
            unit="none",
            decimals=0,
            thresholds=((None, GREEN), (1, RED)),
        ),
    ),
)

TRAFFIC: Final = Row(
    "Answers",
    (
        series(
            "Requests by gateway",
            "Answers a second.",
            Query(
                f"sum by (gateway) (rate(bff_requests_total{{{OF}}}[$__rate_interval]))",
                "{{gateway}}",
            ),
            unit="reqps",
            width=8,
        ),
        series(
            "State of answers",
            "Complete, degraded (an optional part is missing) and failed; stale ones are "
            "complete, with an older reply. Alerts: RequestsFail, AnswersDegraded, StaleServed.",
            *(Query(f"{share(state)}", state) for state in ("complete", "degraded", "failed")),
            Query(
                f"(sum(rate(bff_stale_answers_total{{{OF}}}[$__rate_interval])) or vector(0))"
                f" / {ALL}",
                "stale",
            ),
            unit="percentunit",
            width=8,
            maximum=1,
        ),
        series(
            "Time of answers",
            "Median and 95th percentile. A dot is a request with a trace: it leads to the trace.",
            Query(percentile(0.5), "{{gateway}} p50"),
            Query(percentile(0.95), "{{gateway}} p95", has_exemplars=True),
            unit="s",
            width=8,
        ),
        table(
            "Routes",
            "Each route of each gateway; `other` are paths without a route.",
            Query(of_route()),
            Query(f"({of_route('degraded')} or 0 * {of_route()}) / {of_route()}"),
            Query(f"({of_route('failed')} or 0 * {of_route()}) / {of_route()}"),
            Query(percentile(0.95, "gateway, method, route")),
            columns=(
                ("gateway", "Gateway", ""),
                ("method", "Method", ""),
                ("route", "Route", ""),
                ("Value #A", "Requests", "reqps"),
                ("Value #B", "Degraded", "percentunit"),
                ("Value #C", "Failed", "percentunit"),
                ("Value #D", "95th percentile", "s"),
            ),
            sort_by="Requests",
            height=9,
        ),
        table(
            "Fields of GraphQL",
            "Each root field; a query of several counts for each.",
            Query(of_field()),
            Query(f"({of_field('degraded')} or 0 * {of_field()}) / {of_field()}"),
            Query(f"({of_field('failed')} or 0 * {of_field()}) / {of_field()}"),
            Query(
                "histogram_quantile(0.95, sum by (gateway, operation, field, le) "
                f"(rate(bff_graphql_field_duration_seconds_bucket{{{OF}}}[$__rate_interval])))"
            ),
            columns=(
                ("gateway", "Gateway", ""),
                ("operation", "Operation", ""),
                ("field", "Field", ""),
                ("Value #A", "Answers", "reqps"),
                ("Value #B", "Degraded", "percentunit"),
                ("Value #C", "Failed", "percentunit"),
                ("Value #D", "95th percentile", "s"),
            ),
            sort_by="Answers",
        ),
    ),
)

OBJECTIVES: Final = Row(
    "Objectives",
    (
        series(
            "Burn rate",
            "How many times faster than allowed the error budget is spent, over an hour. Above "
            "14.4 a budget of 30 days is gone in two. Alerts: ErrorBudgetBurnsFast, "
            "ErrorBudgetBurns, ErrorBudgetBurnsSlowly.",
            Query(
                'max by (gateway, view) (bff_objective_burn_rate{gateway=~"$gateway",window="1h"})',
                "{{gateway}} {{view}}",
            ),
            thresholds=BURN,
        ),
        Panel(
            "bargauge",
            "Budget left",
            "What is left of the error budget of 24 hours, as far as the running processes have "
            "counted.",
            (
                Query(
                    'min by (gateway, view) (bff_objective_budget_left_ratio{gateway=~"$gateway"})',
                    "{{gateway}} {{view}}",
                    is_instant=True,
                ),
            ),
            unit="percentunit",
            maximum=1,
            thresholds=((None, RED), (0.0, ORANGE), (0.25, YELLOW), (0.5, GREEN)),
        ),
        table(
            "What spoils answers",
            "Part, service and reason of the answers that do not meet an objective, or are not "
            "complete, in the time of the dashboard.",
            Query(
                "topk(15, sum by (gateway, view, part, upstream, reason, outcome) "
                f"(increase(bff_blame_total{{{OF}}}[$__range])) > 0)"
            ),
            columns=(
                ("gateway", "Gateway", ""),
                ("view", "View", ""),
                ("part", "Part", ""),
                ("upstream", "Service", ""),
                ("reason", "Reason", ""),
                ("outcome", "Outcome", ""),
                ("Value", "Answers", "short"),
            ),
            sort_by="Answers",
            width=14,
        ),
        series(
            "Answers by outcome",
            "Of views with an objective: good, degraded, failed, slow.",
            Query(
                f"sum by (outcome) (rate(bff_objective_answers_total{{{OF}}}[$__rate_interval]))",
                "{{outcome}}",
            ),
            unit="reqps",
            is_stacked=True,
            width=10,
        ),
    ),
)

PARTS: Final = Row(
    "Parts and clients",
    (
        series(
            "Parts that did not end well",
            "Fallbacks, stale values and failures. Alert: CriticalPartFails.",
            Query(
                "topk(12, sum by (gateway, screen, part, state) "
                f'(rate(bff_parts_total{{{OF},state!="ok"}}[$__rate_interval])))',
                "{{gateway}} {{screen}}.{{part}} {{state}}",
            ),
            unit="ops",
            width=8,
        ),
        series(
            "Slowest parts",
            "95th percentile of the time of parts.",
            Query(
                "topk(10, histogram_quantile(0.95, sum by (gateway, screen, part, le) "
                f"(rate(bff_part_duration_seconds_bucket{{{OF}}}[$__rate_interval]))))",
                "{{gateway}} {{screen}}.{{part}}",
            ),
            unit="s",
            width=8,
        ),
        series(
            "Answers that are not complete, by client",
            "By kind of client and version of the app, as the client names them.",
            Query(
                "topk(12, sum by (gateway, client, version, state) "
                f'(rate(bff_client_requests_total{{{OF},state!="complete"}}[$__rate_interval])))',
                "{{gateway}} {{client}} {{version}} {{state}}",
            ),
            unit="reqps",
            width=8,
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    return make_dashboard(
        "bff-overview",
        "Gateways: overview",
        "Screens of all gateways: are clients served, in time and completely?",
        (NOW, TRAFFIC, OBJECTIVES, PARTS),
        variables=(GATEWAY, INSTANCE),
    )
