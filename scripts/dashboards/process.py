"""The processes of gateways: load, limits, memory, and rare events."""

from typing import Any, Final

from scripts.dashboards.panels import (
    GATEWAY,
    GREEN,
    INSTANCE,
    RED,
    YELLOW,
    Panel,
    Query,
    Row,
    make_dashboard,
    series,
    stat,
)

OF: Final = 'gateway=~"$gateway",instance=~"$instance"'

WORKER: Final = "{{gateway}} {{instance}} {{worker}}"


def gauge(metric: str, by: str = "gateway, instance, worker") -> str:
    """Return a gauge by worker."""
    return f"max by ({by}) ({metric}{{{OF}}})"


def rate(metric: str, by: str = "gateway, instance", chosen: str = "") -> str:
    """Return the sum of rates of a counter by labels."""
    matchers = f"{OF},{chosen}" if chosen else OF
    return f"sum by ({by}) (rate({metric}{{{matchers}}}[$__rate_interval]))"


def rare(metric: str, legend: str, chosen: str = "") -> Query:
    """Return how often something happened in the last hour, 0 if it never has."""
    matchers = f"{OF},{chosen}" if chosen else OF
    return Query(f"sum(increase({metric}{{{matchers}}}[1h])) or vector(0)", legend, is_instant=True)


NOW: Final = Row(
    "Now",
    (
        stat(
            "Workers",
            "Processes that answer. Alerts: WorkerSilent, WorkersEnd.",
            f"sum(bff_worker_up{{{OF}}})",
            unit="none",
            decimals=0,
            thresholds=((None, RED), (1, GREEN)),
        ),
        stat(
            "Youngest worker",
            "How long ago the last worker started. Alert: GatewayRestarts.",
            f"time() - max(bff_worker_start_time_seconds{{{OF}}})",
            unit="s",
            thresholds=((None, YELLOW), (600, GREEN)),
        ),
        stat(
            "CPU of a worker",
            "The share of a core. Alert: CPUSaturated.",
            f"sum(rate(bff_process_cpu_seconds_total{{{OF}}}[$__rate_interval])) "
            f"/ count(bff_worker_up{{{OF}}})",
            unit="percentunit",
            thresholds=((None, GREEN), (0.7, YELLOW), (0.85, RED)),
        ),
        stat(
            "Memory of a worker",
            "The largest. Alert: WorkerMemoryHigh.",
            f"max(bff_process_memory_bytes{{{OF}}})",
            unit="bytes",
        ),
        stat(
            "Refused under load",
            "Requests a second that got 503. Alert: RequestsShed.",
            f"sum(rate(bff_requests_shed_total{{{OF}}}[$__rate_interval])) or vector(0)",
            unit="reqps",
            thresholds=((None, GREEN), (0.01, RED)),
        ),
        stat(
            "Stores that are down",
            "Shared stores that a worker can't use. Alert: StoreUnreachable.",
            f"count(bff_store_up{{{OF}}} == 0) or vector(0)",
            unit="none",
            decimals=0,
            thresholds=((None, GREEN), (1, RED)),
        ),
    ),
)

LOAD: Final = Row(
    "Load",
    (
        series(
            "CPU",
            "Cores that all workers of an instance use.",
            Query(rate("bff_process_cpu_seconds_total"), "{{gateway}} {{instance}}"),
            unit="short",
            width=8,
        ),
        series(
            "Turn of the event loop",
            "Above 2 ms for a quarter of a second load shedding begins. Alert: EventLoopLags.",
            Query(gauge("bff_loop_lag_seconds"), WORKER),
            unit="s",
            width=8,
            thresholds=((None, GREEN), (0.002, YELLOW), (0.01, RED)),
        ),
        series(
            "Requests in flight",
            "And how many may be: the limit falls under load.",
            Query(gauge("bff_requests_in_flight"), f"{WORKER} in flight"),
            Query(gauge("bff_requests_limit"), f"{WORKER} limit"),
            width=8,
        ),
        series(
            "Load shedding",
            "Requests that got 503, by criticality, and screens without their optional parts.",
            Query(
                rate("bff_requests_shed_total", "gateway, criticality"),
                "{{gateway}} {{criticality}}",
            ),
            Query(
                rate("bff_screens_dimmed_total", "gateway"), "{{gateway}} without optional parts"
            ),
            unit="reqps",
            width=8,
        ),
        series(
            "Refused by rate limits",
            "Alert: RateLimiterRefuses.",
            Query(rate("bff_rate_limited_total", "gateway, limit"), "{{gateway}} {{limit}}"),
            unit="reqps",
            width=8,
        ),
        series(
            "Refused by the server",
            "Requests that the gateway did not get: malformed or slow.",
            Query(
                rate("bff_requests_refused_total", "gateway, reason"),
                "{{gateway}} {{reason}}",
            ),
            unit="reqps",
            width=8,
        ),
    ),
)

MEMORY: Final = Row(
    "Memory and files",
    (
        series(
            "Memory",
            "Resident memory of each worker. Alert: WorkerMemoryHigh.",
            Query(gauge("bff_process_memory_bytes"), WORKER),
            unit="bytes",
            width=8,
        ),
        series(
            "Open files and sockets",
            "Of those that a worker may open. Alert: OpenFilesHigh.",
            Query(
                f"{gauge('bff_process_files_open')} / {gauge('bff_process_files_limit')}", WORKER
            ),
            unit="percentunit",
            width=8,
            thresholds=((None, GREEN), (0.8, RED)),
        ),
        series(
            "Streams and web sockets",
            "That clients hold open.",
            Query(gauge("bff_streams_open"), WORKER),
            width=8,
        ),
        series(
            "Cache",
            "Size of the cache in memory.",
            Query(gauge("bff_cache_bytes"), WORKER),
            unit="bytes",
            width=8,
        ),
        series(
            "Entries of the cache",
            "Stored, evicted since it is full, and purged.",
            Query(gauge("bff_cache_entries"), f"{WORKER} stored"),
            Query(rate("bff_cache_evicted_total", "gateway"), "{{gateway}} evicted a second"),
            Query(
                rate("bff_cache_purged_total", "gateway, by"),
                "{{gateway}} purged a second by {{by}}",
            ),
            width=8,
        ),
        series(
            "Garbage collections",
            "Runs a second by generation.",
            Query(
                rate("bff_gc_collections_total", "gateway, generation"),
                "{{gateway}} generation {{generation}}",
            ),
            unit="ops",
            width=8,
        ),
    ),
)

EVENTS: Final = Row(
    "Events",
    (
        Panel(
            "bargauge",
            "In the last hour",
            "What should not happen; the log has the reason of each.",
            (
                rare("bff_exceptions_total", "Exceptions that nothing handled"),
                rare("bff_loop_blocked_total", "Blocked event loops"),
                rare("bff_workers_ended_total", "Workers that ended"),
                rare("bff_sagas_stuck_total", "Sagas that could not continue"),
                rare("bff_store_changes_total", "Stores that became unavailable", 'state="open"'),
                rare("bff_idempotency_records_lost_total", "Idempotency records that were lost"),
                rare(
                    "bff_policy_reloads_total", "Policy files that were refused", 'result="refused"'
                ),
                rare("bff_telemetry_lost_total", "Traces and exports that were lost"),
                rare("bff_breaker_changes_total", "Circuits that opened", 'state="open"'),
            ),
            unit="short",
            decimals=0,
            thresholds=((None, GREEN), (1, RED)),
            height=10,
        ),
        series(
            "Sessions and sagas",
            "Changes of browser sessions, and sagas that ended.",
            Query(
                rate("bff_sessions_total", "gateway, change"),
                "{{gateway}} session {{change}}",
            ),
            Query(
                rate("bff_sagas_total", "gateway, saga, outcome"),
                "{{gateway}} {{saga}} {{outcome}}",
            ),
            unit="ops",
            height=10,
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    return make_dashboard(
        "bff-process",
        "Gateways: processes",
        "The processes of gateways: is there room, and does anything restart or leak?",
        (NOW, LOAD, MEMORY, EVENTS),
        variables=(GATEWAY, INSTANCE),
    )
