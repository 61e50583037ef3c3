"""Makes a gateway for a test, and puts scripted services in the place of its transports."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from bff_core.auth.viewer import Viewer
from bff_core.gateway.app import Gateway
from bff_core.gateway.named_app import NoSuchApp, find
from bff_core.gateway.under_test import MakingForTest, made_for_test
from bff_core.policy.upstream.policy import Policy
from bff_core.testing.calls import Calls
from bff_core.testing.scripted import ScriptedConnector
from bff_core.testing.scripts import Script, ScriptedService
from bff_core.testing.viewers import GivenViewers, with_viewers
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.transport.interface import Connector, Endpoint

App: TypeAlias = Gateway | Callable[[], Gateway] | str
"""A gateway, a function that makes one, or where to find either: `"shop:make_app"`."""

ENVIRON: Mapping[str, str] = {
    "BFF_ENV": "development",
    "BFF_LOG": "root",  # so that pytest shows what was logged during a test that failed
    "BFF_JOURNAL_URL": "sqlite://",
    "BFF_API_KEYS_URL": "sqlite://",
    "BFF_GC_FREEZE": "false",
    "BFF_MAX_LAG": "0",  # a busy machine is no reason to refuse a request of a test
    "BFF_BROWNOUT": "false",
}
"""The environment of a gateway that a test makes."""


def make(
    app: App, *, environ: Mapping[str, str] | None = None, has_own_authenticator: bool = False
) -> Gateway:
    """Return the gateway of a test, as `App` names it.

    It needs no environment: it gets `ENVIRON` and `environ`, not that of the process. A gateway
    that exists already has its settings.
    """
    __tracebackhide__ = True  # for pytest: the mistake is in the test, not here
    if isinstance(app, Gateway) and (environ or has_own_authenticator):
        option = "environ=" if environ else "own_authenticator="
        raise TypeError(
            f"{option} configures a gateway that the test makes: pass the function that makes it, "
            "such as client(make_app, ...), or where it is: client('shop:make_app', ...)"
        )
    for name in environ or {}:
        if not name.startswith("BFF_"):
            raise TypeError(f"environ={{{name!r}: ...}}: variables of a gateway begin with BFF_")
    making = MakingForTest({**ENVIRON, **(environ or {})}, has_own_authenticator)
    with made_for_test(making):
        found = _named(app) if isinstance(app, str) else app
        made = found if isinstance(found, Gateway) or not callable(found) else found()
    if isinstance(made, Gateway):
        return made
    raise TypeError(
        f"{app!r} is no gateway, but of type {type(made).__name__}: pass a Gateway, or a function "
        "without arguments that returns one (for another ASGI app: bff_core.testing.running)"
    )


def _named(app: str) -> object:
    __tracebackhide__ = True
    try:
        return find(app)
    except NoSuchApp as error:
        raise TypeError(str(error)) from None


class ScriptedServices:
    """The services of a gateway under test by name, each with its script.

    `traffic` are the scripts of a recording; services that the gateway does not call are ignored.
    """

    def __init__(
        self, app: Gateway, traffic: Mapping[str, Script], scripts: Mapping[str, Script]
    ) -> None:
        names = sorted(kind.name for kind in app.services)
        self.calls = Calls(names, asyncio.get_running_loop().time)
        recorded = {name: traffic[name] for name in names if name in traffic}
        by_name = {**recorded, **_by_service(scripts, names)}
        self.by_name: Mapping[str, ScriptedService] = {
            name: ScriptedService(name, by_name.get(name), self.calls) for name in names
        }

    def transport(self, _policy: Policy, runtime: Runtime) -> "_ServiceTransport":
        """Return the transport of one service; the gateway calls it."""
        return _ServiceTransport(self.by_name[runtime.upstream])

    def raise_errors(self) -> None:
        """Raise the first error of a script since the last call."""
        errors = [error for one in self.by_name.values() for error in one.errors]
        for one in self.by_name.values():
            one.errors.clear()
        if errors:
            raise errors[0]


class _ServiceTransport:
    """All endpoints of a service answer by the same script."""

    def __init__(self, service: ScriptedService) -> None:
        self._service = service

    def __repr__(self) -> str:
        return repr(self._service)

    def connect(self, endpoint: Endpoint) -> Connector:
        """Return the connector of an endpoint."""
        return ScriptedConnector(endpoint, self._service, [])


def install(
    app: Gateway, services: ScriptedServices, viewers: GivenViewers, viewer: Viewer | str | None
) -> None:
    """Let a gateway call scripted services, on the clock of the running loop.

    A gateway without an authenticator stays so, unless the test has a viewer.
    """
    if app.is_running:
        raise TypeError(
            f"the gateway {app.title!r} runs already: close its client first, or pass the function "
            "that makes it, so that each client has its own"
        )
    own = app.config.authenticator
    is_open = own is None and viewer is None
    app.configure(
        replace(
            app.config,
            transport=services.transport,
            clock=asyncio.get_running_loop().time,
            authenticator=None if is_open else with_viewers(viewers, own),
        )
    )


def graphql_path(app: Gateway) -> str:
    """Return the path of the GraphQL face; raise `TypeError` without one."""
    for face in app.config.faces:
        if hasattr(face, "schema") and isinstance(path := getattr(face, "path", None), str):
            return path
    raise TypeError(f"the gateway {app.title!r} has no GraphQL face: faces=[GraphQL(schema)]")


def _by_service(scripts: Mapping[str, Script], names: list[str]) -> dict[str, Script]:
    """Return the scripts by the exact names of services; `order_api` is also `order-api`."""
    keys = {service_key(name): name for name in names}
    for given in scripts:
        if service_key(given) not in keys:
            known = ", ".join(names) or "no service"
            raise TypeError(f"the gateway has no service {given!r}: it calls {known}")
    return {keys[service_key(given)]: script for given, script in scripts.items()}


def service_key(name: str) -> str:
    """Return what spellings of a service's name have in common: `order_api`, `order-api`."""
    return name.lower().replace("-", "_")
