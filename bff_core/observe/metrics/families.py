"""The families of metrics: name, kind, labels and meaning of each."""

from typing import Final, Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]


class Family(NamedTuple):
    """A family of metrics. Each series also has the label `gateway`, a gauge `worker` as well."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str

    @property
    def is_over_workers(self) -> bool:
        """Whether it is a gauge of the gateway as a whole, computed from all workers."""
        return self.name.startswith("bff_objective_")


def _of(kind: Kind, name: str, labels: str, text: str) -> Family:
    return Family(name, kind, tuple(labels.split()), text)


_COUNTERS: Final = (
    (
        "bff_requests_total",
        "method route status state",
        "Answers by route, class of status and state (complete, degraded, failed).",
    ),
    (
        "bff_graphql_fields_total",
        "operation field state",
        "Answers by root field of GraphQL; a query of several fields counts for each.",
    ),
    (
        "bff_stale_answers_total",
        "method route",
        "Complete answers in which a part used a stale reply.",
    ),
    (
        "bff_client_requests_total",
        "client version state",
        "Answers by kind of client and version of the app, as the client names them.",
    ),
    ("bff_parts_total", "screen part state", "Parts of screens by how they ended."),
    (
        "bff_calls_total",
        "upstream operation outcome source",
        "Calls to services by outcome (class of status, error code) and source of the reply.",
    ),
    ("bff_retries_total", "upstream reason", "Attempts that were repeated."),
    (
        "bff_retries_refused_total",
        "upstream reason",
        "Failures that were not repeated: the budget or the deadline did not allow it.",
    ),
    ("bff_hedges_total", "upstream result", "Second calls of slow ones: sent, won, refused."),
    ("bff_coalesced_calls_total", "upstream", "Calls that waited for an equal one."),
    ("bff_calls_rejected_total", "upstream reason", "Calls that a breaker or bulkhead rejected."),
    ("bff_breaker_changes_total", "upstream state", "Changes of circuit breakers to a state."),
    ("bff_endpoints_ejected_total", "upstream", "Endpoints that got no calls for a while."),
    ("bff_replies_reduced_total", "upstream", "Replies from which values were omitted."),
    ("bff_streams_total", "upstream outcome", "Streamed replies by how they ended."),
    (
        "bff_split_requests_total",
        "route upstream",
        "Requests of routes with a split, by the upstream that was chosen.",
    ),
    (
        "bff_mirrored_requests_total",
        "route upstream outcome",
        "Copies of requests to a mirror, by how its reply compares to the route's own.",
    ),
    (
        "bff_mirror_differences_total",
        "route difference",
        "Comparisons with a difference at a place: a word and a JSON path.",
    ),
    (
        "bff_mirror_dropped_total",
        "route upstream reason",
        "Requests that were not copied to the mirror of their route.",
    ),
    ("bff_tokens_refused_total", "upstream reason", "Tokens that a token endpoint did not issue."),
    (
        "bff_cache_lookups_total",
        "cache outcome",
        "Lookups of caches, by service or of whole answers (views): hit, stale, miss.",
    ),
    ("bff_cache_purged_total", "by", "Entries that were purged, by cause."),
    ("bff_cache_evicted_total", "", "Entries that were evicted since the memory was full."),
    ("bff_requests_shed_total", "criticality", "Requests that were refused under load."),
    (
        "bff_screens_dimmed_total",
        "",
        "Screens that were answered without optional parts under load.",
    ),
    (
        "bff_requests_refused_total",
        "reason",
        "Requests that the server refused before the gateway got them.",
    ),
    ("bff_sessions_total", "change", "Changes of browser sessions."),
    ("bff_sagas_total", "saga outcome", "Sagas that ended."),
    ("bff_sagas_stuck_total", "saga step", "Times that a saga could not continue."),
    ("bff_exceptions_total", "", "Exceptions that nothing handled."),
    ("bff_loop_blocked_total", "", "Times that the event loop was blocked."),
    ("bff_workers_ended_total", "", "Worker processes that ended unexpectedly, of several."),
    (
        "bff_rate_limited_total",
        "limit",
        "Requests that were refused because their caller is over a rate limit.",
    ),
    (
        "bff_telemetry_lost_total",
        "reason",
        "Traces for which the queue had no room, and exports that the collector did not take.",
    ),
    ("bff_process_cpu_seconds_total", "", "CPU time of the processes of the gateway."),
    ("bff_gc_collections_total", "generation", "Runs of the garbage collector."),
    ("bff_policy_reloads_total", "result", "Policy files that were loaded or refused."),
    (
        "bff_store_changes_total",
        "store state",
        "Times that a shared store became unavailable (open) or available (closed).",
    ),
    (
        "bff_idempotency_records_lost_total",
        "reason",
        "Final answers that are not stored under their Idempotency-Key.",
    ),
    (
        "bff_objective_answers_total",
        "view outcome",
        "Answers of a view with an objective: good, or degraded, failed, slow.",
    ),
    (
        "bff_blame_total",
        "view part upstream reason client version outcome",
        "What spoilt answers: part, service and reason, by kind of client and version of the app.",
    ),
)


_HISTOGRAMS: Final = (
    ("bff_request_duration_seconds", "method route", "Time until an answer was sent."),
    (
        "bff_graphql_field_duration_seconds",
        "operation field",
        "Time of answers by root field of GraphQL.",
    ),
    ("bff_part_duration_seconds", "screen part", "Time of parts of screens."),
    (
        "bff_call_duration_seconds",
        "upstream operation",
        "Time of calls to services, without those that a cache answered.",
    ),
)


_GAUGES: Final = (
    ("bff_requests_in_flight", "", "Requests that are being answered."),
    ("bff_requests_limit", "", "How many requests may be in flight; it falls under load."),
    ("bff_streams_open", "", "Streams and web sockets that are open."),
    ("bff_loop_lag_seconds", "", "How long a turn of the event loop takes; 0 without requests."),
    (
        "bff_breaker_state",
        "upstream state",
        "1 for the state of a circuit breaker (closed, half-open, open), else 0.",
    ),
    ("bff_bulkhead_limit", "upstream", "How many calls of a service may run at once."),
    ("bff_bulkhead_calls", "upstream state", "Calls that are running, and those that wait."),
    ("bff_pool_connections", "upstream state", "Connections to a service: active, idle."),
    ("bff_store_up", "store", "0 for a shared store that is unavailable, 1 for one that is back."),
    ("bff_cache_entries", "", "Entries of the cache in memory."),
    ("bff_cache_bytes", "", "Size of the cache in memory."),
    (
        "bff_worker_up",
        "",
        "1 for a worker that answers, 0 for one whose metrics are those of an earlier scrape.",
    ),
    ("bff_process_memory_bytes", "", "Resident memory of the process."),
    ("bff_process_files_open", "", "Open files and sockets of the process."),
    ("bff_process_files_limit", "", "How many files and sockets the process may open."),
    ("bff_worker_start_time_seconds", "", "When the worker started, in Unix time."),
)


_OBJECTIVES: Final = (
    (
        "bff_objective_target_ratio",
        "view",
        "The share of good answers that the objective of a view wants.",
    ),
    (
        "bff_objective_burn_rate",
        "view window",
        "How many times faster than allowed the error budget was spent in a window.",
    ),
    (
        "bff_objective_budget_left_ratio",
        "view",
        "The rest of the error budget of 24 hours, below 0 if it is overspent.",
    ),
)


FAMILIES: Final = {
    one.name: one
    for one in (
        *(_of("counter", *row) for row in _COUNTERS),
        *(_of("histogram", *row) for row in _HISTOGRAMS),
        *(_of("gauge", *row) for row in (*_GAUGES, *_OBJECTIVES)),
    )
}
"""All families by name, in the order in which they are exported."""
