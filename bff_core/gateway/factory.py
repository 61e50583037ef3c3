"""What a gateway is assembled from, as far as it can be known before anything is opened."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol, TypeVar

from starlette.datastructures import State
from starlette.routing import BaseRoute, Route

from bff_core.auth.authenticator import (
    Authenticator,
    MakeAuthenticator,
    MayBeUnready,
    NeedsResources,
    Resources,
    check_authenticator,
    each_of,
    is_authenticator,
)
from bff_core.auth.demo import DemoAuthenticator, DemoViewer
from bff_core.auth.viewer import Viewer
from bff_core.cache.response_cache import NO_CACHE, ResponseCache
from bff_core.composition.composition import Composition
from bff_core.composition.wiring import shape_of
from bff_core.edge.health import Check
from bff_core.edge.options import EdgeOptions
from bff_core.errors import ConfigurationError, wired_in
from bff_core.events import Events
from bff_core.gateway.gc import tune_collector
from bff_core.oauth.endpoint import ProviderService
from bff_core.oauth.tokens import token_services, token_sources
from bff_core.observe.foreign_logs import lines_of_others
from bff_core.observe.log import log_sink
from bff_core.policy.edge.rate_limits import Limit
from bff_core.policy_reload import PolicyFile
from bff_core.routing.access import RouteAccess
from bff_core.saga.coordinator import SagaCoordinator
from bff_core.saga.saga import Saga
from bff_core.settings.model import Settings
from bff_core.startup.checks import Checks
from bff_core.startup.processes import processes_of
from bff_core.startup.unused import users_of
from bff_core.upstream.client import Upstream
from bff_core.upstream.credentials.factory import CredentialFactory, secrets
from bff_core.upstream.planned_stack import PlannedStack
from bff_core.upstream.reading.reply_type_checks import check_reply_types
from bff_core.upstream.registry import Policies, UpstreamRegistry
from bff_core.upstream.runtime import Runtime
from bff_core.upstream.stack import MakeTransport


def check(
    composition: type[Composition],
    services: Sequence[type[Upstream]],
    routes: Sequence[BaseRoute] = (),
    *,
    has_cache: bool,
    sagas: Sequence[type[Saga]] = (),
) -> None:
    """Raise `ConfigurationError` for a screen that needs what the gateway does not have.

    It names the routes that the screen is built for.
    """
    users = users_of(composition, routes)
    with wired_in(", ".join(users)) if users else nullcontext():
        if issubclass(composition, Saga) and composition not in sagas:
            name = composition.__name__
            raise ConfigurationError(
                f"{name} is a saga: add it to the gateway's sagas, "
                f"gateway(..., sagas=[{name}, ...])"
            )
        _check(composition, services, has_cache=has_cache)


def _check(
    composition: type[Composition], services: Sequence[type[Upstream]], *, has_cache: bool
) -> None:
    for field, kind in shape_of(composition).services:
        if kind is ResponseCache and not has_cache:
            raise ConfigurationError(f"{composition.__name__}.{field}: {NO_CACHE}")
        if kind not in {SagaCoordinator, ResponseCache, *services}:
            raise ConfigurationError(
                f"{composition.__name__}.{field} needs {kind.__name__}: add it to the gateway's "
                f"services, gateway(..., services=[{kind.__name__}, ...])"
            )


def keeps_replies(services: Sequence[type[Upstream]], settings: Settings) -> bool:
    """Whether anything can ever be kept; a file of policies may say so while the gateway runs."""
    is_told = bool(settings.cache_url or settings.policies)
    return is_told or any(kind.policy.cache is not None for kind in services)


def authenticator(
    given: Authenticator | MakeAuthenticator | None,
    settings: Settings,
    demo: DemoViewer | None = None,
) -> Authenticator | None:
    """Return who is asked who calls; None where every caller is anonymous.

    What the author gave, unless the settings choose the demo. Raises `ConfigurationError` where it
    can't do its work with these settings.
    """
    if settings.auth == "demo":
        return DemoAuthenticator(env=settings.env, viewer=demo or Viewer)
    made = given if given is None or is_authenticator(given) else given(settings)
    if given is not None:
        check_authenticator(made)
    if isinstance(made, NeedsResources):
        made.check(settings)
    return made


def with_those_of(
    asks: Authenticator | None, services: Sequence[type[Upstream]], settings: Settings
) -> tuple[Sequence[type[Upstream]], Settings]:
    """Return the services of a gateway, with those that its authenticator and others call.

    The settings come with the addresses of an identity provider's further origins.
    """
    theirs = asks.services if isinstance(asks, NeedsResources) else ()
    found = list(dict.fromkeys([*services, *token_services(services), *theirs]))
    origins = {
        kind.name: (kind.origin,)
        for kind in found
        if issubclass(kind, ProviderService) and kind.origin
    }
    if origins:
        settings = settings.model_copy(update={"upstreams": {**origins, **settings.upstreams}})
    return found, settings


def checks(asks: Authenticator | None) -> list[tuple[str, Check]]:
    """Return the checks of readiness that an authenticator brings along."""
    return [("sign-in", one.unready) for one in each_of(asks) if isinstance(one, MayBeUnready)]


def check_services(services: Sequence[type[Upstream]], settings: Settings) -> None:
    """Raise `ConfigurationError` for what is missing or wrong before anything is called.

    That is a service without address, a reply type that JSON can't become, a credential without
    secret.
    """
    for kind in services:
        settings.upstream(kind.name)
        check_reply_types(kind, kind.decoders)
    for name in secrets(services):
        settings.secret(name)


def roster(settings: Settings, shared: Runtime, make_transport: MakeTransport) -> UpstreamRegistry:
    """Return where a gateway's services are to be; what their calls show is in the settings."""
    credentials = CredentialFactory(settings.secret, token_sources(lambda: registry.services))
    registry = UpstreamRegistry(
        settings.upstream,
        lambda name: replace(shared, upstream=name, credential=credentials.open),
        make_transport,
    )
    return registry


def planned(
    policies: Policies, settings: Settings, make_transport: MakeTransport, *, has_cache: bool
) -> dict[type[Upstream], Upstream]:
    """Return the services of a gateway that does not run: their stacks can be shown."""
    credentials = CredentialFactory(settings.secret, token_sources(dict))
    return {
        kind: kind(
            PlannedStack(
                kind.name,
                policy,
                settings.upstream(kind.name),
                make_transport,
                credentials.open,
                has_cache=has_cache,
            )
        )
        for kind, policy in policies.items()
    }


def opened(asks: Authenticator | None, resources: Resources) -> AbstractAsyncContextManager[None]:
    """Hold open what an authenticator needs, while the gateway runs."""
    if isinstance(asks, NeedsResources):
        return asks.opened(resources)
    return nullcontext()


def checks_of(
    settings: Settings,
    options: EdgeOptions,
    asks: Authenticator | None,
    services: Sequence[type[Upstream]],
    limits: Sequence[Limit],
    *,
    sagas: Sequence[type[Saga]],
    own: Sequence[Route],
) -> Checks:
    """Return the checks of a gateway; raises `ConfigurationError` where it is unfit."""
    has_cache = keeps_replies(services, settings)
    checks = Checks(settings, options, asks, services, limits, sagas, own, has_cache=has_cache)
    checks.before_assembly()
    return checks


class Runs(Protocol):
    """A gateway, as far as its lifespan knows it."""

    settings: Settings
    events: Events
    state: State

    @property
    def routes(self) -> list[BaseRoute]:
        """What it serves."""
        ...

    @property
    def access(self) -> Sequence[RouteAccess]:
        """Who may use what."""
        ...

    def running(
        self, policies: PolicyFile, transport: MakeTransport, /
    ) -> AbstractAsyncContextManager[None]:
        """Hold the services open."""
        ...


G = TypeVar("G", bound=Runs)


def lifespan(
    checks: Checks,
    policies: PolicyFile,
    transport: MakeTransport,
    inner: Callable[[G], AbstractAsyncContextManager[None]] | None,
) -> Callable[[G], AbstractAsyncContextManager[None]]:
    """Return the lifespan of a gateway, with its user's own inside, and its checks before."""

    @asynccontextmanager
    async def lifespan(app: G) -> AsyncIterator[None]:
        processes = processes_of(getattr(app.state, "lifespan", {}), app.settings)
        async with AsyncExitStack() as stack:
            stack.enter_context(lines_of_others(app.events.sinks))
            checks.before_serving(app.routes, processes, app.events, app.access)
            await stack.enter_async_context(app.running(policies, transport))
            if inner is not None:
                await stack.enter_async_context(inner(app))
            stack.callback(tune_collector(app.settings))
            yield

    return lifespan


def logging(settings: Settings) -> Events:
    """Return events that are logged as the settings say."""
    sink = log_sink(settings.log_format, settings.own_log_level)
    return Events() if sink is None else Events(sink)


def own_version() -> str:
    """Return the version of the framework, empty where it is not installed."""
    try:
        return version("bff-core")
    except PackageNotFoundError:
        return ""
