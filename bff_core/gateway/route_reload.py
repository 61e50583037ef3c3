"""Reloads the routes of a file while the gateway serves, and takes a reload back that fails."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fastapi import FastAPI
from starlette.routing import BaseRoute

from bff_core.errors import ConfigurationError
from bff_core.events import RoutesChanged, RoutesRefused, RoutesRolledBack
from bff_core.gateway.config import GatewayConfig
from bff_core.gateway.reload import RollBack
from bff_core.gateway.running import RunningGateway
from bff_core.policy.edge.rollback import WATCHED_SECONDS, AnswerCount, RollbackGuard
from bff_core.policy_reload import PreparedPolicies
from bff_core.proxy.data.proxy_file import ProxyFile
from bff_core.proxy.face import ProxiedRoute, Proxy, compiled, read_again
from bff_core.routing.access import check_rules
from bff_core.routing.face import Face
from bff_core.routing.fast_path import FastPath
from bff_core.routing.route_table import RouteTable
from bff_core.startup.services import check_services
from bff_core.startup.used_services import check_names
from bff_core.upstream.client import Upstream


@dataclass(frozen=True, slots=True)
class Generation:
    """The routes of a file at one time; `digest` is that of its content."""

    number: int
    digest: str
    file: ProxyFile
    installed: tuple[ProxiedRoute, ...]


class RouteReload:
    """The generations of one proxy: the current one, and the one before.

    A request, stream or web socket ends on the generation that it began with: its route and its
    upstream stay open for ten minutes more. A content that was taken back is refused until the file
    changes.
    """

    def __init__(
        self,
        app: FastAPI,
        fast_path: FastPath,
        proxy: Proxy,
        file: ProxyFile,
        *,
        config: GatewayConfig,
        running: RunningGateway,
    ) -> None:
        self._app = app
        self._fast_path = fast_path
        self._proxy = proxy
        self._settings = config.settings
        self._running = running
        self._clock = config.clock
        self._events = config.events
        self.current = Generation(1, _digest(file.path), file, proxy.installed)
        self._before: Generation | None = None
        self._refused = ""
        self.roll_back_everywhere: RollBack = self.roll_back

    async def prepare(self) -> "PreparedRoutes":
        """Read the file, and compile what it changes; requests notice nothing until the switch.

        Raises `ConfigurationError` for a wrong file, and for the content that was taken back.
        """
        digest = _digest(self.current.file.path)
        try:
            self._check_digest(digest)
            file = await asyncio.to_thread(read_again, self._proxy)  # a large one takes seconds
            return self._compiled(digest, file)
        except ConfigurationError as error:
            if self._events.sinks:
                self._events.emit(RoutesRefused(str(error)))
            raise

    def roll_back(self, digest: str, reason: str) -> None:
        """Return to the generation before, if the current one has this digest."""
        before, current = self._before, self.current
        if before is None or current.digest != digest:
            return
        self._refused, self._before = digest, None
        prepared = self._compiled(before.digest, before.file)
        prepared.policies.switch()
        self.switch(prepared, is_watched=False)
        if self._events.sinks:
            self._events.emit(RoutesRolledBack(reason, current.number))

    def _compiled(self, digest: str, file: ProxyFile) -> "PreparedRoutes":
        others = [one for one in self._running.policies.services if not self._is_of_file(one)]
        services = [*others, *file.upstreams]
        check_names(services)
        check_services(services, self._settings)
        installed = compiled(self._proxy, file, self._app.title, self._fast_path)
        new = [one for one in installed if one not in self.current.installed]
        try:
            self._check([*installed, *self._python_routes()])
            policies = self._running.policies.prepare(services)
        except BaseException:
            self._forget(new)
            raise
        number = self.current.number + 1
        after = Generation(number, digest, file, tuple(installed))
        changes = (*_changes(self.current, after), *policies.changes)
        return PreparedRoutes(self, after, policies, new, changes)

    def switch(self, prepared: "PreparedRoutes", *, is_watched: bool = True) -> None:
        """Serve prepared routes; their upstreams are open already."""
        before, after = self.current, prepared.generation
        wiring = self._running.wiring
        left = [one for one in before.installed if one not in after.installed]
        for one in left:
            one.forwarder.resolve(wiring)
        for kind in after.file.upstreams:
            wiring.add(self._running.services[kind])
        self._app.router.routes[:] = [*after.installed, *self._python_routes()]
        self._fast_path.table.read_again()
        for kind in before.file.upstreams:
            if kind not in after.file.upstreams:
                self._running.upstreams.retire(kind)
                wiring.remove(kind)
        self._forget(left)
        self._proxy.file, self._proxy.installed = after.file, after.installed
        self._proxy.routes = tuple(one.route for one in after.installed)
        self.current = after
        if is_watched:
            self._before = before
            self._watch(left, prepared.new)
        if self._events.sinks:
            changes = tuple(one for one in prepared.changes if one not in prepared.policies.changes)
            self._events.emit(RoutesChanged(changes, after.number))

    def discard(self, prepared: "PreparedRoutes") -> None:
        """Forget prepared routes."""
        self._forget(prepared.new)

    def _watch(self, left: Sequence[ProxiedRoute], new: Sequence[ProxiedRoute]) -> None:
        """Compare the answers of changed routes with those before, for 30 seconds."""
        before = AnswerCount()
        for one in left:
            before.total += one.forwarder.answers.total
            before.failed += one.forwarder.answers.failed
        digest = self.current.digest

        def roll_back(reason: str) -> None:
            self.roll_back_everywhere(digest, reason)

        guard = RollbackGuard(before, self._clock() + WATCHED_SECONDS, roll_back)
        for one in new:
            one.forwarder.guard = guard

    def _check_digest(self, digest: str) -> None:
        if digest == self._refused:
            raise ConfigurationError(
                f"{self.current.file.path}: these routes were taken back, since they failed: "
                "change the file"
            )

    def _check(self, routes: Sequence[BaseRoute]) -> None:
        table = RouteTable.of(routes, self._fast_path.compiled)
        check_rules(table)
        self._proxy.check_routes(table)

    def _python_routes(self) -> list[BaseRoute]:
        return [one for one in self._app.router.routes if one not in self.current.installed]

    def _is_of_file(self, kind: type[Upstream]) -> bool:
        return kind in self.current.file.upstreams

    def _forget(self, routes: Sequence[ProxiedRoute]) -> None:
        for one in routes:
            self._fast_path.remove(one.forwarder, one.path)


@dataclass(frozen=True, slots=True)
class PreparedRoutes:
    """Routes that were read, compiled and checked, with the policies of all services."""

    reload: RouteReload
    generation: Generation
    policies: PreparedPolicies
    new: Sequence[ProxiedRoute]
    changes: tuple[str, ...]

    def switch(self) -> None:
        """Serve them: new requests use them, those under way end as they began."""
        self.policies.switch()
        if self.changes != self.policies.changes:
            self.reload.switch(self)

    def discard(self) -> None:
        """Drop them."""
        self.policies.discard()
        self.reload.discard(self)


def _digest(path: Path) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError:  # reading it raises the error that says so
        return ""


def _changes(before: Generation, after: Generation) -> tuple[str, ...]:
    """Return which upstreams and routes were added, changed or removed."""
    return (
        *_changed("upstream", _named(before.file.upstreams), _named(after.file.upstreams)),
        *_changed("route", _by_id(before), _by_id(after)),
    )


def _named(kinds: Sequence[type[Upstream]]) -> dict[str, object]:
    return {kind.name: kind for kind in kinds}


def _by_id(generation: Generation) -> dict[str, object]:
    return {one.route.id: one.route for one in generation.installed}


def _changed(what: str, before: dict[str, object], after: dict[str, object]) -> list[str]:
    names = dict.fromkeys((*before, *after))
    found = {
        name: "added" if name not in before else "removed" if name not in after else "changed"
        for name in names
        if before.get(name) != after.get(name)
    }
    return [f"{what} {name}: {how}" for name, how in found.items()]


def reload_of(
    app: FastAPI, fast_path: FastPath, face: Face, config: GatewayConfig, running: RunningGateway
) -> RouteReload | None:
    """Return the reload of a face whose routes are data."""
    if not isinstance(face, Proxy) or face.file is None:
        return None
    return RouteReload(app, fast_path, face, face.file, config=config, running=running)
