"""The metrics of a running gateway: what it counts, and the scrape over all its workers."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
from starlette.routing import BaseRoute

from bff_core.cache.response_cache import ResponseCache
from bff_core.compat.fastapi import iter_route_contexts
from bff_core.compat.starlette import compile_path
from bff_core.edge.shedding.controller import SheddingController
from bff_core.errors import ConfigurationError
from bff_core.events import Events
from bff_core.objective import objective_of, parsed_objective
from bff_core.observe.metrics.ended import store_totals
from bff_core.observe.metrics.mirror_report import mirror_reports
from bff_core.observe.metrics.process import (
    BREAKER_STATES,
    Gauges,
    MeasuredView,
    ProcessMetrics,
)
from bff_core.observe.metrics.process_usage import process_counters, process_gauges
from bff_core.observe.metrics.samples import SamplesQuery
from bff_core.observe.metrics.scrape import SAMPLES, Scrape, stored_samples
from bff_core.observe.metrics.sink import MetricsSink
from bff_core.observe.process_socket import SOCKETS_VARIABLE, Command, InvalidCommand
from bff_core.routing.face import Face
from bff_core.routing.fields import HasFields
from bff_core.settings.model import Settings
from bff_core.startup.processes import Processes
from bff_core.startup.unused import screens_of
from bff_core.upstream.stack import UpstreamStack
from bff_core.upstream.state import UpstreamState

_query = msgspec.json.Decoder(SamplesQuery)

Row = tuple[tuple[str, ...], float]

GetCache = Callable[[], ResponseCache | None]


def counts(settings: Settings) -> bool:
    """Whether a gateway counts: as BFF_METRICS says, else if something shows what it counts."""
    if settings.metrics is not None:
        return settings.metrics == "on"
    is_shown = bool(settings.metrics_port) or settings.console == "on"
    return is_shown or settings.env == "development"


def is_served_by_parent(settings: Settings, processes: Processes) -> bool:
    """Whether the parent of several workers serves the port of the settings.

    Each worker would get connections that another one can't answer for it when it is blocked, so
    none listens. Raises `ConfigurationError` for several workers whose parent does not serve it.
    """
    if processes.count == 1:
        return False
    wanted = settings.metrics_host, settings.metrics_port
    if processes.metrics == wanted:
        return True
    if processes.is_own_server:
        raise ConfigurationError(
            f"BFF_METRICS_PORT={wanted[1]}: with several workers their parent serves the metrics: "
            "set port and host in the environment, not in the code"
        )
    raise ConfigurationError(
        f"BFF_METRICS_PORT={wanted[1]}: {processes.count} workers of another server can't share a "
        "port: use `bff serve --workers`, or BFF_METRICS=on and BFF_OPERATOR_TOKEN for /metrics "
        "at the gateway"
    )


def metrics_sink(events: Events) -> MetricsSink | None:
    """Return the sink that counts; None if the gateway has none."""
    return next((one for one in events.sinks if isinstance(one, MetricsSink)), None)


def served_views(routes: Sequence[BaseRoute], faces: Iterable[Face]) -> dict[str, MeasuredView]:
    """Return the routes and root fields of GraphQL that a gateway serves, by their labels."""
    found: dict[str, MeasuredView] = {}
    for context in iter_route_contexts(routes):
        template = compile_path(context.path or "/")[1]
        screens = screens_of([context.route])
        name = screens[0].__name__ if screens else ""
        for method in sorted(set(context.methods or ()) - {"HEAD"}):
            found.setdefault(
                f"{method} {template}", MeasuredView(name, objective_of(context.endpoint))
            )
    for face in faces:
        for label, screen, text in face.fields() if isinstance(face, HasFields) else ():
            found[label] = MeasuredView(screen, parsed_objective(text) if text else None)
    return found


class GatewayMetrics:
    """The metrics of a gateway in this process, and of its other workers by their sockets."""

    def __init__(
        self,
        process: ProcessMetrics,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        folder = environ.get(SOCKETS_VARIABLE, "")
        self.process = process
        self._folder = Path(folder) if folder else None
        self.scrape = Scrape(self._folder, process)

    def commands(self) -> dict[str, Command]:
        """Return the commands of this process."""

        async def samples(body: bytes) -> bytes:
            try:
                query = _query.decode(body) if body else SamplesQuery()
            except msgspec.DecodeError as error:
                raise InvalidCommand(str(error)) from None
            return msgspec.json.encode(stored_samples(self.process, query, self._folder))

        return {SAMPLES: samples}

    async def mirrors(self) -> Mapping[str, object]:
        """Return the report on the mirrors of routes, over all processes, for operators."""
        return {"mirrors": msgspec.to_builtins(mirror_reports(await self.scrape.totals()))}

    def close(self) -> None:
        """Store the totals of a process that ends."""
        if self._folder is not None:
            store_totals(self._folder, self.process.totals())


def gauges_of(
    shedding: SheddingController, get_cache: GetCache, stacks: Sequence[UpstreamStack]
) -> Gauges:
    """Return the current values of load shedding, of the cache, of services and the process."""
    pressure, is_measured = shedding.pressure, shedding.loop_lag.is_on
    found: dict[str, Sequence[Row]] = {
        **process_gauges(),
        **_stack_gauges([one.state() for one in stacks]),
        "bff_requests_in_flight": [((), float(pressure.in_flight))],
        "bff_requests_limit": [((), float(pressure.limit))],
        "bff_streams_open": [((), float(pressure.streams))],
        "bff_loop_lag_seconds": [((), float(pressure.lag if is_measured else 0.0))],
    }
    cache = get_cache()
    if cache is not None:
        found["bff_cache_entries"] = [((), float(len(cache.store)))]
        found["bff_cache_bytes"] = [((), float(cache.store.size))]
    return found


def _stack_gauges(states: Sequence[UpstreamState]) -> dict[str, Sequence[Row]]:
    breakers: list[Row] = []
    limits: list[Row] = []
    calls: list[Row] = []
    connections: list[Row] = []
    for one in states:
        if (breaker := one.breaker) is not None:
            breakers += [
                ((one.upstream, state), float(state == breaker.state)) for state in BREAKER_STATES
            ]
        if (bulkhead := one.bulkhead) is not None:
            limits.append(((one.upstream,), float(bulkhead.limit)))
            calls.append(((one.upstream, "running"), float(bulkhead.in_use)))
            calls.append(((one.upstream, "waiting"), float(bulkhead.waiting)))
        active = sum(endpoint.active for endpoint in one.endpoints)
        idle = sum(endpoint.idle for endpoint in one.endpoints)
        connections.append(((one.upstream, "active"), float(active)))
        connections.append(((one.upstream, "idle"), float(idle)))
    return {
        "bff_breaker_state": breakers,
        "bff_bulkhead_limit": limits,
        "bff_bulkhead_calls": calls,
        "bff_pool_connections": connections,
    }


def counters_of(get_cache: GetCache, rate_limited: Mapping[str, int]) -> Gauges:
    """Return the lookups of the cache, refusals by limit, and what the process has used."""
    cache = get_cache()
    limited = [((limit,), float(count)) for limit, count in sorted(rate_limited.items())]
    found: dict[str, Sequence[Row]] = {**process_counters(), "bff_rate_limited_total": limited}
    if cache is not None:
        found["bff_cache_lookups_total"] = list(_lookups(cache))
    return found


def _lookups(cache: ResponseCache) -> Iterator[tuple[tuple[str, ...], float]]:
    for name, figures in sorted(cache.figures.by_name.items()):
        rows: Sequence[tuple[str, int]] = (
            ("hit", figures.hit),
            ("stale", figures.stale),
            ("miss", figures.miss),
        )
        for outcome, amount in rows:
            yield (name, outcome), float(amount)
