"""How a gateway authenticates a request: the authenticator interface and `FirstOf`."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from dataclasses import dataclass
from inspect import signature
from typing import Generic, Protocol, TypeVar, runtime_checkable

from typing_extensions import TypeIs

from bff_core.auth.devices import ActiveDevices
from bff_core.auth.refusal_reasons import name_refusal
from bff_core.auth.viewer import Viewer
from bff_core.clock import Clock
from bff_core.errors import ClientError, ConfigurationError
from bff_core.events import Events
from bff_core.keywords import checks_keywords
from bff_core.public_names import defining_module
from bff_core.redis.clients_by_url import RedisClients
from bff_core.scope import Scope
from bff_core.settings.model import Settings
from bff_core.upstream.client import Upstream
from bff_core.upstream.runtime import Spawn

R = TypeVar("R")


class Authenticator(Protocol):
    """Authenticates the caller of a request by its headers."""

    @property
    def challenge(self) -> str:
        """The `WWW-Authenticate` value that goes with a 401 (RFC 9110, section 11.6.1)."""
        ...

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the viewer, or None for an anonymous caller.

        Raises NotAuthenticated when credentials were sent that are not valid: a caller with an
        expired token must not silently get the answer of an anonymous caller.
        """
        ...


MakeAuthenticator = Callable[[Settings], Authenticator]
"""Makes the authenticator of a gateway from its settings."""


def is_authenticator(given: Authenticator | MakeAuthenticator) -> TypeIs[Authenticator]:
    """Return whether a value is an authenticator, not a function that makes one."""
    return hasattr(given, "authenticate")


def instance_of(given: Authenticator | type[Authenticator]) -> Authenticator:
    """Return an authenticator; make one of a class without arguments.

    Raises `ConfigurationError` for a class that needs arguments.
    """
    if not isinstance(given, type):
        return given
    try:
        signature(given).bind()
    except TypeError as error:
        raise ConfigurationError(
            f"authenticator={given.__name__}: that is a class which needs arguments ({error}): "
            f"pass an instance, as in authenticator={given.__name__}(...)"
        ) from None
    return given()


def check_authenticator(made: object) -> None:
    """Raise `ConfigurationError` for a value that lacks a member of an authenticator."""
    for one in made.authenticators if isinstance(made, FirstOf) else [made]:
        if isinstance(one, type):
            raise ConfigurationError(
                f"authenticator={one.__name__}: that is a class, pass an instance, as in "
                f"authenticator={one.__name__}(...)"
            )
        kind = type(one).__name__
        if not callable(getattr(one, "authenticate", None)):
            raise ConfigurationError(
                f"authenticator={kind}: an authenticator has a method "
                "`async def authenticate(self, scope)`, which returns a Viewer or None; a function "
                "in its place takes the settings and returns an authenticator"
            )
        if not isinstance(getattr(one, "challenge", None), str):
            raise ConfigurationError(
                f"{kind}.challenge is missing: an authenticator declares the WWW-Authenticate "
                'value of a 401, as in `challenge = "Bearer"`'
            )


@dataclass(frozen=True, slots=True)
class Resources:
    """The resources of the gateway that an authenticator may use while the gateway runs."""

    gateway: str
    settings: Settings
    services: Mapping[type[Upstream], Upstream]
    links: RedisClients
    spawn: Spawn
    clock: Clock
    events: Events


class GatewayAuthenticator:
    """Base class of authenticators that use settings, services or resources of the gateway."""

    @property
    def services(self) -> Sequence[type[Upstream]]:
        """The upstreams that it calls; the gateway runs them with its own."""
        return ()

    @property
    def issuers(self) -> Sequence[str]:
        """The URLs of the issuers whose tokens it accepts."""
        return ()

    def check(self, settings: Settings) -> None:
        """Raise `ConfigurationError` for settings that it can't work with."""

    def unshared(self, settings: Settings) -> Mapping[str, str]:
        """Return what fails with several processes, by the name of the missing setting."""
        del settings
        return {}

    def open(self, resources: Resources) -> AbstractAsyncContextManager[object]:
        """Use resources until the context ends; the gateway opens it once per run."""
        del resources
        return nullcontext()


class StatefulAuthenticator(GatewayAuthenticator, ABC, Generic[R]):
    """An authenticator whose connections, caches and tasks are an object of their own.

    The authenticator is the configuration. `running` exists while the gateway runs.
    """

    _running: R | None = None

    @abstractmethod
    def start(self, resources: Resources) -> AbstractAsyncContextManager[R]:
        """Yield what exists while the gateway runs."""

    @asynccontextmanager
    async def open(self, resources: Resources) -> AsyncIterator[R]:
        """Yield `running`, until the context ends."""
        async with self.start(resources) as running:
            self._running = running
            try:
                yield running
            finally:
                self._running = None

    @property
    def running(self) -> R:
        """What exists while the gateway runs; else raises `ConfigurationError`."""
        if self._running is None:
            raise ConfigurationError(
                f"{type(self).__name__} works while the gateway runs: run its lifespan"
            )
        return self._running


@runtime_checkable
class MayBeUnready(Protocol):
    """An authenticator that may report that the gateway is not ready."""

    def unready(self) -> str | None:
        """Return the reason, or None if ready; it is public in `/readyz`, so without internals."""
        ...


@runtime_checkable
class SignsIn(Protocol):
    """An authenticator with sign-in endpoints below the path `prefix`."""

    prefix: str


@runtime_checkable
class HasDevices(Protocol):
    """An authenticator that may track the devices on which its viewers are signed in."""

    @property
    def has_devices(self) -> bool:
        """Whether it tracks devices."""
        ...

    def active_devices(self) -> ActiveDevices:
        """Return the devices; raise `ConfigurationError` unless the gateway runs."""
        ...


@runtime_checkable
class HasKeys(Protocol):
    """An authenticator that accepts API keys, which admin endpoints issue."""

    def keyring(self) -> object:
        """Return the issuer of the keys; raise `ConfigurationError` unless the gateway runs."""
        ...


@runtime_checkable
class HasSessions(Protocol):
    """An authenticator that stores sessions of browsers."""

    def session_store(self) -> object:
        """Return the store; raise `ConfigurationError` unless the gateway runs."""
        ...


@checks_keywords
class FirstOf(GatewayAuthenticator):
    """Calls several authenticators in order; the first that returns a viewer decides.

    An authenticator that refuses credentials ends the search, so each must return None for
    credentials of another. Equal subjects of two authenticators are two viewers, unless both name
    the same `issuer`.
    """

    def __init__(self, *authenticators: Authenticator | type[Authenticator]) -> None:
        if not authenticators:
            raise ConfigurationError("FirstOf(...) needs at least one authenticator")
        # A nested FirstOf is flattened; a subclass may have checks of its own.
        self._authenticators = tuple(
            one
            for each in map(instance_of, authenticators)
            for one in (each.authenticators if type(each) is FirstOf else [each])
        )
        self._named = tuple(zip(self._authenticators, _issuers(self._authenticators), strict=True))

    @property
    def challenge(self) -> str:
        """The challenges of all authenticators, each once."""
        return ", ".join(dict.fromkeys(one.challenge for one in self._authenticators))

    @property
    def authenticators(self) -> Sequence[Authenticator]:
        """The authenticators in the order in which they are called."""
        return self._authenticators

    @property
    def services(self) -> Sequence[type[Upstream]]:
        """The services of all authenticators that call some."""
        return [kind for one in self._members() for kind in one.services]

    def check(self, settings: Settings) -> None:
        """Check the settings with each authenticator; the error has the faults of all."""
        faults = []
        for one in self._members():
            try:
                one.check(settings)
            except ConfigurationError as error:
                faults.append(str(error))
        if faults:
            raise ConfigurationError("\n".join(faults))

    @asynccontextmanager
    async def open(self, resources: Resources) -> AsyncIterator[None]:
        """Open each authenticator that needs resources."""
        async with AsyncExitStack() as closing:
            for one in self._members():
                await closing.enter_async_context(one.open(resources))
            yield

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the viewer of the first authenticator that finds one; None if none does."""
        for one, issuer in self._named:
            try:
                viewer = await one.authenticate(scope)
            except ClientError as error:
                name_refusal(error, name_of(one))
                raise
            if viewer is not None:
                return viewer.issued_by(issuer)
        return None

    def _members(self) -> list[GatewayAuthenticator]:
        return [one for one in self._authenticators if isinstance(one, GatewayAuthenticator)]


def each_of(authenticator: Authenticator | None) -> Iterator[Authenticator]:
    """Yield an authenticator, or the members of a `FirstOf` in their order."""
    if isinstance(authenticator, FirstOf):
        for one in authenticator.authenticators:
            yield from each_of(one)
    elif authenticator is not None:
        yield authenticator


def issuer_of(authenticator: Authenticator) -> str:
    """Return the issuer of viewers whose authenticator names none: a name made of its class."""
    kind = type(authenticator)
    return f"authenticator:{defining_module(kind)}.{kind.__qualname__}"


def _issuers(authenticators: Sequence[Authenticator]) -> Iterator[str]:
    """Yield an issuer for each authenticator; those of one class are numbered in their order."""
    count: Counter[str] = Counter()
    for one in authenticators:
        name = issuer_of(one)
        count[name] += 1
        yield name if count[name] == 1 else f"{name}#{count[name]}"


def name_of(authenticator: Authenticator) -> str:
    """Return the name of an authenticator in logs, metrics and start-up messages."""
    return type(authenticator).__name__.removesuffix("Authenticator")


def names_of(authenticator: Authenticator | None) -> tuple[str, ...]:
    """Return the names of an authenticator, or of the members of a `FirstOf`."""
    return tuple(map(name_of, each_of(authenticator)))
