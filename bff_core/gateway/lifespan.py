"""The lifespan of a gateway: checks, then connections and stores, then the user's lifespan."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from bff_core.cache.response_cache import ResponseCache
from bff_core.gateway.app import Gateway, Lifespan
from bff_core.gateway.console import make_commands, serve_process_commands, serves_console
from bff_core.gateway.metrics import (
    GatewayMetrics,
    counters_of,
    gauges_of,
    is_served_by_parent,
    metrics_sink,
    served_views,
)
from bff_core.gateway.metrics_port import bind_metrics, serve_metrics
from bff_core.observe.flushing import flushed
from bff_core.observe.metrics.process import ProcessMetrics
from bff_core.observe.metrics.sink import MetricsSink
from bff_core.observe.recording import record_requests
from bff_core.observe.third_party_logs import foreign_logs_formatted
from bff_core.routing.face import CallsServices
from bff_core.startup.checks import Checks
from bff_core.startup.processes import Processes, processes_of


def lifespan_of(checks: Checks, users_lifespan: Lifespan | None) -> Lifespan:
    """Return the lifespan of a gateway; `users_lifespan` runs inside it, with open services."""

    @asynccontextmanager
    async def lifespan(app: Gateway) -> AsyncIterator[None]:
        processes = processes_of(app.lifespan_state, app.settings)
        async with AsyncExitStack() as stack:
            stack.enter_context(
                foreign_logs_formatted(app.events.sinks, is_own_process=processes.is_own_server)
            )
            checks.of_routes(app.routes, has_document=app.openapi_url is not None)
            checks.before_serving(
                app.route_table(), processes, app.events, app.access, app.fast_path.obstacles()
            )
            for face in app.config.faces:
                if isinstance(face, CallsServices):
                    face.check_routes(app.route_table())
            serves_console(app.settings, app.route_table())  # raises if it can't
            if app.settings.console == "on":  # in development requests are recorded anyway
                record_requests(app.events, app.title)
            await stack.enter_async_context(flushed(app.events.sinks))
            await stack.enter_async_context(app.open())
            await stack.enter_async_context(metrics_served(app, processes))
            stack.push_async_callback(app.console.aclose)
            app.console.start(is_made=app.settings.console == "on")
            commands = partial(make_commands, app)
            await stack.enter_async_context(serve_process_commands(commands))
            if users_lifespan is not None:
                await stack.enter_async_context(users_lifespan(app))
            yield

    return lifespan


@asynccontextmanager
async def metrics_served(app: Gateway, processes: Processes) -> AsyncIterator[None]:
    """Serve the metrics on the port of the settings, if the gateway counts; store them at the end.

    Of several workers the parent serves them: raises `ConfigurationError` where it does not.
    """
    sink, settings = metrics_sink(app.events), app.settings
    if sink is None:
        yield
        return
    if processes.replaced is not None:
        sink.note(processes.replaced)
    metrics = app.metrics = GatewayMetrics(_process_metrics(app, sink))
    async with AsyncExitStack() as stack:
        stack.callback(metrics.close)
        if settings.metrics_port and not is_served_by_parent(settings, processes):
            listener = bind_metrics(settings.metrics_host, settings.metrics_port)
            await stack.enter_async_context(serve_metrics(listener, metrics.scrape))
        yield


def _process_metrics(app: Gateway, sink: MetricsSink) -> ProcessMetrics:
    def cache() -> ResponseCache | None:
        return app.running.shared.cache if app.has_cache else None

    return ProcessMetrics(
        sink,
        app.title,
        views=served_views(app.routes, app.config.faces),
        read_gauges=lambda: gauges_of(app.shedding, cache, app.running.stacks),
        read_counters=lambda: counters_of(cache, app.rate_limited),
        read_upstreams=lambda: [one.name for one in app.running.stacks],
    )
