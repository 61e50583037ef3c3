"""The lifespan of a gateway: checks, then connections and stores, then the user's lifespan."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from bff_core.gateway.app import Gateway, Lifespan
from bff_core.gateway.console import make_commands, serve_process_commands
from bff_core.observe.request_recorder import record_requests
from bff_core.observe.third_party_logs import foreign_logs_formatted
from bff_core.startup.checks import Checks
from bff_core.startup.processes import processes_of


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
            if app.settings.console == "on":  # in development requests are recorded anyway
                record_requests(app.events, app.title)
            await stack.enter_async_context(app.open())
            stack.push_async_callback(app.console.aclose)
            commands = partial(make_commands, app)
            await stack.enter_async_context(serve_process_commands(commands))
            if users_lifespan is not None:
                await stack.enter_async_context(users_lifespan(app))
            yield

    return lifespan
