"""The services behind the gateways: rate, errors, latency, and what the layers do."""

from typing import Any, Final

from scripts.dashboards.panels import (
    GATEWAY,
    GREEN,
    INSTANCE,
    RED,
    UPSTREAM,
    YELLOW,
    Panel,
    Query,
    Row,
    make_dashboard,
    series,
    table,
)

OF: Final = 'gateway=~"$gateway",instance=~"$instance",upstream=~"$upstream"'

NOT_SENT: Final = "cancelled|circuit_open|bulkhead_full"

BY: Final = "gateway, upstream"


def rate(metric: str, by: str, chosen: str = "") -> str:
    """Return the sum of rates of a counter by labels."""
    matchers = f"{OF},{chosen}" if chosen else OF
    return f"sum by ({by}) (rate({metric}{{{matchers}}}[$__rate_interval]))"


def routed(metric: str, by: str) -> str:
    """Return the sum of rates of a counter of proxied routes by labels."""
    matchers = 'gateway=~"$gateway",instance=~"$instance"'
    return f"sum by ({by}) (rate({metric}{{{matchers}}}[$__rate_interval]))"


SENT: Final = rate("bff_calls_total", BY, f'source=~"upstream|",outcome!~"{NOT_SENT}"')

FAILED: Final = rate("bff_calls_total", BY, f'source=~"upstream|",outcome!~"[1-4]xx|{NOT_SENT}"')

ERRORS: Final = f"({FAILED} or 0 * {SENT}) / {SENT}"

CIRCUIT: Final = (
    f'max by ({BY}) (2 * bff_breaker_state{{{OF},state="open"}}) '
    f'+ max by ({BY}) (bff_breaker_state{{{OF},state="half-open"}})'
)

CIRCUIT_STATES: Final = (
    {
        "type": "value",
        "options": {
            "0": {"text": "closed", "color": GREEN, "index": 0},
            "1": {"text": "half-open", "color": YELLOW, "index": 1},
            "2": {"text": "open", "color": RED, "index": 2},
        },
    },
)


def percentile(rank: float, by: str = BY) -> str:
    """Return a percentile of the time of calls."""
    rates = f"rate(bff_call_duration_seconds_bucket{{{OF}}}[$__rate_interval])"
    return f"histogram_quantile({rank}, sum by ({by}, le) ({rates}))"


CALLS: Final = Row(
    "Calls",
    (
        table(
            "Services",
            "Calls that were sent, after retries; not those that a cache answered.",
            Query(SENT),
            Query(ERRORS),
            Query(percentile(0.5)),
            Query(percentile(0.95)),
            Query(f'sum by ({BY}) (bff_pool_connections{{{OF},state="active"}})'),
            columns=(
                ("gateway", "Gateway", ""),
                ("upstream", "Service", ""),
                ("Value #A", "Calls", "reqps"),
                ("Value #B", "Errors", "percentunit"),
                ("Value #C", "Median", "s"),
                ("Value #D", "95th percentile", "s"),
                ("Value #E", "Active connections", "short"),
            ),
            sort_by="Calls",
            height=9,
        ),
        series(
            "Calls",
            "Calls a second that were sent.",
            Query(SENT, "{{gateway}} {{upstream}}"),
            unit="reqps",
            width=8,
        ),
        series(
            "Errors",
            "Share of calls with 5xx, a timeout or a broken connection. Alert: UpstreamErrors.",
            Query(ERRORS, "{{gateway}} {{upstream}}"),
            unit="percentunit",
            width=8,
        ),
        series(
            "Time of calls",
            "95th percentile; a dot leads to a trace. Alert: UpstreamSlow.",
            Query(percentile(0.95), "{{gateway}} {{upstream}}", has_exemplars=True),
            unit="s",
            width=8,
        ),
        series(
            "Outcomes",
            "Classes of status and error codes.",
            Query(rate("bff_calls_total", "outcome"), "{{outcome}}"),
            unit="reqps",
            is_stacked=True,
        ),
        series(
            "Slowest operations",
            "95th percentile.",
            Query(
                f"topk(10, {percentile(0.95, 'gateway, upstream, operation')})",
                "{{gateway}} {{upstream}} {{operation}}",
            ),
            unit="s",
        ),
    ),
)

PROTECTION: Final = Row(
    "Protection",
    (
        Panel(
            "state-timeline",
            "Circuit breakers",
            "Red: the service is not called. Alert: BreakerOpen.",
            (Query(CIRCUIT, "{{gateway}} {{upstream}}"),),
            mappings=CIRCUIT_STATES,
            width=12,
        ),
        series(
            "Calls that were rejected",
            "By an open circuit, or by a bulkhead that is full. Alert: CallsRejected.",
            Query(
                rate("bff_calls_rejected_total", "gateway, upstream, reason"),
                "{{gateway}} {{upstream}} {{reason}}",
            ),
            unit="reqps",
        ),
        series(
            "Retries",
            "Attempts that were repeated, by what failed.",
            Query(
                rate("bff_retries_total", "gateway, upstream, reason"),
                "{{gateway}} {{upstream}} {{reason}}",
            ),
            unit="reqps",
            width=8,
        ),
        series(
            "Retries that were refused",
            "By the budget, the deadline or Retry-After.",
            Query(
                rate("bff_retries_refused_total", "gateway, upstream, reason"),
                "{{gateway}} {{upstream}} {{reason}}",
            ),
            unit="reqps",
            width=8,
        ),
        series(
            "Hedges, joined calls, reduced replies, ejected endpoints",
            "Second calls of slow ones; calls that waited for an equal one; replies from which "
            "values were omitted; endpoints that get no calls for a while.",
            Query(rate("bff_hedges_total", "upstream, result"), "{{upstream}} hedge {{result}}"),
            Query(rate("bff_coalesced_calls_total", "upstream"), "{{upstream}} joined"),
            Query(rate("bff_replies_reduced_total", "upstream"), "{{upstream}} reduced"),
            Query(rate("bff_endpoints_ejected_total", "upstream"), "{{upstream}} ejected"),
            unit="reqps",
            width=8,
        ),
    ),
)

CANARIES: Final = Row(
    "Canaries and mirrors",
    (
        series(
            "Requests by the side of a split",
            "Which upstream served the requests of routes that have a split.",
            Query(routed("bff_split_requests_total", "route, upstream"), "{{route}} {{upstream}}"),
            unit="reqps",
            width=8,
        ),
        series(
            "Mirrored requests",
            "How the replies of mirrors compare with those that clients got; copies that were not "
            "sent.",
            Query(
                routed("bff_mirrored_requests_total", "route, upstream, outcome"),
                "{{route}} {{upstream}} {{outcome}}",
            ),
            Query(
                routed("bff_mirror_dropped_total", "route, upstream, reason"),
                "{{route}} {{upstream}} dropped: {{reason}}",
            ),
            unit="reqps",
            width=8,
        ),
        series(
            "Differences",
            "What differs in the replies of mirrors, by place; values are not recorded.",
            Query(
                routed("bff_mirror_differences_total", "route, difference"),
                "{{route}} {{difference}}",
            ),
            unit="reqps",
            width=8,
        ),
    ),
)

POOLS: Final = Row(
    "Pools and caches",
    (
        series(
            "Connections",
            "Open connections to services, of all workers.",
            Query(
                f"sum by (gateway, upstream, state) (bff_pool_connections{{{OF}}})",
                "{{gateway}} {{upstream}} {{state}}",
            ),
            width=8,
        ),
        series(
            "Bulkheads",
            "Calls that run or wait, as a share of what may run.",
            Query(
                f"sum by ({BY}) (bff_bulkhead_calls{{{OF}}}) / "
                f"sum by ({BY}) (bff_bulkhead_limit{{{OF}}})",
                "{{gateway}} {{upstream}}",
            ),
            unit="percentunit",
            width=8,
            thresholds=((None, GREEN), (1.0, RED)),
        ),
        series(
            "Hits of caches",
            "Share of lookups that were answered, stale ones included; `views` are whole answers.",
            Query(
                'sum by (gateway, cache) (rate(bff_cache_lookups_total{gateway=~"$gateway",'
                'instance=~"$instance",outcome=~"hit|stale"}[$__rate_interval])) / '
                'sum by (gateway, cache) (rate(bff_cache_lookups_total{gateway=~"$gateway",'
                'instance=~"$instance"}[$__rate_interval]))',
                "{{gateway}} {{cache}}",
            ),
            unit="percentunit",
            width=8,
            maximum=1,
        ),
        series(
            "Streams",
            "Streamed replies by how they ended.",
            Query(
                rate("bff_streams_total", "gateway, upstream, outcome"),
                "{{gateway}} {{upstream}} {{outcome}}",
            ),
            unit="reqps",
        ),
        series(
            "Tokens that were refused",
            "A token endpoint did not issue one. Alert: UpstreamTokensRefused.",
            Query(
                rate("bff_tokens_refused_total", "gateway, upstream, reason"),
                "{{gateway}} {{upstream}} {{reason}}",
            ),
            unit="reqps",
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    return make_dashboard(
        "bff-upstreams",
        "Gateways: services",
        "The services behind the gateways: which one is slow, failing or protected?",
        (CALLS, PROTECTION, CANARIES, POOLS),
        variables=(GATEWAY, INSTANCE, UPSTREAM),
    )
