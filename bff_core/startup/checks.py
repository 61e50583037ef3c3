"""All checks of one gateway: before it is assembled, and when a process starts to serve it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from starlette.routing import BaseRoute, Route

from bff_core.auth.authenticator import Authenticator
from bff_core.edge.options import EdgeOptions
from bff_core.errors import ConfigurationError
from bff_core.events import ConfigurationWarned, Events
from bff_core.policy.edge.rate_limits import Limit
from bff_core.routing.access import RouteAccess
from bff_core.saga.saga import Saga
from bff_core.settings.model import Settings
from bff_core.startup.processes import Processes
from bff_core.startup.production import doubts, refusals
from bff_core.startup.sharing import (
    keyed_paths,
    refusal,
    unshared_figures,
    unshared_promises,
)
from bff_core.startup.unused import idle_limits, idle_rules
from bff_core.upstream.client import Upstream


@dataclass(frozen=True, slots=True)
class Checks:
    """What a gateway is made of, as far as its checks need it; `own` are the framework's routes."""

    settings: Settings
    options: EdgeOptions
    authenticator: Authenticator | None
    services: Sequence[type[Upstream]]
    limits: Sequence[Limit]
    sagas: Sequence[type[Saga]]
    own: Sequence[Route]
    has_cache: bool

    def before_assembly(self) -> None:
        """Raise `ConfigurationError` for what production does not start with."""
        if self.settings.env == "production":
            found = refusals(
                self.settings, self.options, self.authenticator, has_sagas=bool(self.sagas)
            )
            _refuse(found)

    def before_serving(
        self,
        routes: Sequence[BaseRoute],
        processes: Processes,
        events: Events,
        rules: Sequence[RouteAccess],
    ) -> None:
        """Raise `ConfigurationError` for what several processes break; log what they blur."""
        if processes.count > 1:
            is_promised = self.options.idempotency is not None
            promises = unshared_promises(
                self.settings,
                self.authenticator,
                has_sagas=bool(self.sagas),
                keyed_paths=keyed_paths(routes, [route.endpoint for route in self.own])
                if is_promised
                else (),
            )
            if promises:
                raise ConfigurationError(refusal(processes.count, promises))
        if processes.is_first and events.sinks:
            for variable, reason in self._warnings(processes.count):
                events.emit(ConfigurationWarned(variable, reason))
            for option, reason in self._idle(routes, rules):
                events.emit(ConfigurationWarned(option, reason))

    def _idle(
        self, routes: Sequence[BaseRoute], rules: Sequence[RouteAccess]
    ) -> Iterable[tuple[str, str]]:
        yield from idle_limits(self.limits, routes)
        yield from idle_rules(rules, self.authenticator)

    def _warnings(self, count: int) -> Iterable[tuple[str, str]]:
        yield from self.settings.renamed.items()
        if count > 1:
            yield from unshared_figures(
                self.settings, count, has_limits=bool(self.limits), has_cache=self.has_cache
            ).items()
        if self.settings.env == "production":
            yield from doubts(
                self.settings,
                self.options,
                self.services,
                self.authenticator,
                has_sagas=bool(self.sagas),
            )


def _refuse(sentences: Iterable[str]) -> None:
    reasons = "\n".join(f"{sentence}." for sentence in sentences)
    if reasons:
        raise ConfigurationError(reasons)
