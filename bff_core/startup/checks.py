"""Checks at start-up: before a gateway is assembled, and before a process serves it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from starlette.routing import BaseRoute, Route

from bff_core.auth.authenticator import Authenticator
from bff_core.edge.options import EdgeOptions
from bff_core.errors import ConfigurationError
from bff_core.events import ConfigurationWarned, Events
from bff_core.extras import has_extra, missing
from bff_core.policy.edge.rate_limits import Limit
from bff_core.routing.access import RouteAccess
from bff_core.routing.owner import check_owners
from bff_core.routing.route_table import RouteTable
from bff_core.saga.saga import Saga
from bff_core.settings.model import Settings
from bff_core.startup.documented_types import check_documented_types
from bff_core.startup.processes import Processes
from bff_core.startup.production import production_errors, production_warnings
from bff_core.startup.screens import check_routes
from bff_core.startup.sharing import (
    inaccurate_unshared_state,
    keyed_paths,
    too_many_processes,
    unsafe_unshared_state,
)
from bff_core.startup.unused import unusable_access_rules, unused_limit_paths
from bff_core.upstream.client import Upstream


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks of one gateway, and the configuration that they check.

    `own` are the routes of the framework itself.
    """

    settings: Settings
    options: EdgeOptions
    authenticator: Authenticator | None
    services: Sequence[type[Upstream]]
    limits: Sequence[Limit]
    sagas: Sequence[type[Saga]]
    own: Sequence[Route]
    has_cache: bool

    def before_assembly(self) -> None:
        """Raise `ConfigurationError` for settings that are too unsafe for production."""
        if self.settings.env == "production":
            reasons = production_errors(
                self.settings, self.options, self.authenticator, has_sagas=bool(self.sagas)
            )
            if message := "\n".join(f"{reason}." for reason in reasons):
                raise ConfigurationError(message)

    def of_routes(self, routes: Sequence[BaseRoute], *, has_document: bool) -> None:
        """Raise `ConfigurationError` for a screen that needs what the gateway does not have.

        If it has an OpenAPI document, its routes need types that can be documented.
        """
        check_routes(routes, self.services, has_cache=self.has_cache, sagas=self.sagas)
        if has_document:
            check_documented_types(routes)

    def before_serving(
        self,
        table: RouteTable,
        processes: Processes,
        events: Events,
        rules: Sequence[RouteAccess],
        obstacles: Iterable[tuple[str, str]],
    ) -> None:
        """Raise `ConfigurationError` for what can't be served so, and emit warnings.

        That is state which processes must share, routes of several owners that conflict, and web
        sockets without their extra. `obstacles` are the reasons why all requests leave the fast
        path.
        """
        sockets = [entry.path for entry in table.entries if entry.is_socket]
        if sockets and processes.is_own_server and not has_extra("websockets"):
            raise missing("websockets", f"the web socket {sockets[0]}")
        check_owners(table)
        if processes.count > 1:
            has_keys = self.options.idempotency is not None
            unsafe = unsafe_unshared_state(
                self.settings,
                self.authenticator,
                has_sagas=bool(self.sagas),
                keyed_paths=keyed_paths(table, [route.endpoint for route in self.own])
                if has_keys
                else (),
            )
            if unsafe:
                raise ConfigurationError(too_many_processes(processes.count, unsafe))
        if processes.is_first and events.sinks:
            unused = unused_limit_paths(self.limits, table)
            unusable = unusable_access_rules(rules, self.authenticator)
            for option, reason in (
                *self._warnings(processes.count),
                *unused,
                *unusable,
                *obstacles,
            ):
                events.emit(ConfigurationWarned(option, reason))

    def _warnings(self, count: int) -> Iterable[tuple[str, str]]:
        yield from self.settings.renamed.items()
        if count > 1:
            yield from inaccurate_unshared_state(
                self.settings, count, has_limits=bool(self.limits), has_cache=self.has_cache
            ).items()
        if self.settings.env == "production":
            yield from production_warnings(
                self.settings,
                self.options,
                self.services,
                self.authenticator,
                has_sagas=bool(self.sagas),
            )
