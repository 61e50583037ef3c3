"""What the edge asks to learn who calls, and what it may use for that."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from typing_extensions import TypeIs

from bff_core.auth.refusal_reasons import name_refusal
from bff_core.auth.viewer import Viewer
from bff_core.clock import Clock
from bff_core.errors import ClientError, ConfigurationError
from bff_core.events import Events
from bff_core.redis.clients import RedisClients
from bff_core.scope import Scope
from bff_core.settings.model import Settings
from bff_core.upstream.client import Upstream
from bff_core.upstream.runtime import Spawn


class Authenticator(Protocol):
    """Tells the caller of a request from its headers."""

    @property
    def challenge(self) -> str:
        """The `WWW-Authenticate` value that goes with a 401 (RFC 9110, section 11.6.1)."""
        ...

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the viewer, or None for an anonymous caller.

        Raises NotAuthenticated when credentials were sent that are not valid: a caller that
        believes to be signed in must not silently get what everybody gets.
        """
        ...


MakeAuthenticator = Callable[[Settings], Authenticator]
"""Makes the authenticator of a gateway, where it takes settings to make one."""


def is_authenticator(given: Authenticator | MakeAuthenticator) -> TypeIs[Authenticator]:
    """Whether it is one, and not what makes one."""
    return hasattr(given, "authenticate")


def check_authenticator(made: object) -> None:
    """Raise `ConfigurationError` for what can't serve as an authenticator, with what it lacks."""
    for one in made.authenticators if isinstance(made, FirstOf) else [made]:
        if isinstance(one, type):
            raise ConfigurationError(
                f"authenticator={one.__name__}: that is a class, pass what it makes, as in "
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
                f"{kind}.challenge is missing: an authenticator says what a 401 asks for in "
                'WWW-Authenticate, as in `challenge = "Bearer"`'
            )


@dataclass(frozen=True, slots=True)
class Resources:
    """What an authenticator may use while the gateway runs, all of it the gateway's own."""

    gateway: str
    settings: Settings
    services: Mapping[type[Upstream], Upstream]
    links: RedisClients
    spawn: Spawn
    clock: Clock
    events: Events


@runtime_checkable
class NeedsResources(Protocol):
    """An authenticator that calls services, or holds something open while the gateway runs."""

    @property
    def services(self) -> Sequence[type[Upstream]]:
        """The service clients that it calls; the gateway runs them with its own."""
        ...

    def check(self, settings: Settings, /) -> None:
        """Raise `ConfigurationError` for settings that it can't do its work with."""
        ...

    def opened(self, resources: Resources, /) -> AbstractAsyncContextManager[None]:
        """Hold open what it needs, until the gateway closes."""
        ...


@runtime_checkable
class MayBeUnready(Protocol):
    """An authenticator that may find that its provider is set up wrongly."""

    def unready(self) -> str | None:
        """Return the reason, without internals: anybody can read it in `/readyz`."""
        ...


@runtime_checkable
class SignsIn(Protocol):
    """An authenticator with endpoints of its own, below a `prefix` of the gateway."""

    prefix: str


@runtime_checkable
class HasDevices(Protocol):
    """An authenticator that may know on which devices its viewers are signed in."""

    @property
    def devices(self) -> object:
        """The device sessions; None where they are not kept."""
        ...


@runtime_checkable
class HasKeys(Protocol):
    """An authenticator that takes keys which an operator may issue; there while it is opened."""

    def keyring(self) -> object:
        """Return what issues them."""
        ...


@runtime_checkable
class HoldsState(Protocol):
    """An authenticator with state that all processes of a gateway have to share."""

    def unshared(self, settings: Settings, /) -> Mapping[str, str]:
        """Return what goes wrong in several processes, by the variable that is missing."""
        ...


@runtime_checkable
class TrustsIssuers(Protocol):
    """An authenticator that takes tokens of issuers."""

    @property
    def issuers(self) -> Sequence[str]:
        """The URLs of the issuers."""
        ...


class FirstOf:
    """Asks several authenticators in order; the first that knows the caller says who it is.

    None of them may take credentials that are another's: whoever refuses ends the search.
    Equal subjects of two authenticators are two viewers, unless both name the same `issuer`.
    """

    def __init__(self, *authenticators: Authenticator) -> None:
        if not authenticators:
            raise ConfigurationError("FirstOf(...) needs at least one authenticator")
        # Those within another are numbered with it; a subclass may have checks of its own.
        self._authenticators = tuple(
            one
            for each in authenticators
            for one in (each.authenticators if type(each) is FirstOf else [each])
        )
        self._named = tuple(zip(self._authenticators, _issuers(self._authenticators), strict=True))

    @property
    def challenge(self) -> str:
        """All their challenges, each once."""
        return ", ".join(dict.fromkeys(one.challenge for one in self._authenticators))

    @property
    def authenticators(self) -> Sequence[Authenticator]:
        """Those that are asked, in order."""
        return self._authenticators

    @property
    def services(self) -> Sequence[type[Upstream]]:
        """The services of those that need some."""
        return [kind for one in self._needy() for kind in one.services]

    def check(self, settings: Settings) -> None:
        """Have each check what it was given."""
        for one in self._needy():
            one.check(settings)

    @asynccontextmanager
    async def opened(self, resources: Resources) -> AsyncIterator[None]:
        """Hold open what each of them needs."""
        async with AsyncExitStack() as closing:
            for one in self._needy():
                await closing.enter_async_context(one.opened(resources))
            yield

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return the first viewer that one of them finds."""
        for one, issuer in self._named:
            try:
                viewer = await one.authenticate(scope)
            except ClientError as error:
                name_refusal(error, name_of(one))
                raise
            if viewer is not None:
                return viewer.issued_by(issuer)
        return None

    def _needy(self) -> list[NeedsResources]:
        return [one for one in self._authenticators if isinstance(one, NeedsResources)]


def each_of(authenticator: Authenticator | None) -> Iterator[Authenticator]:
    """Yield an authenticator, or those that it asks in order."""
    if isinstance(authenticator, FirstOf):
        for one in authenticator.authenticators:
            yield from each_of(one)
    elif authenticator is not None:
        yield authenticator


def issuer_of(authenticator: Authenticator) -> str:
    """Return the issuer of viewers for whom their authenticator names none: its class."""
    kind = type(authenticator)
    return f"authenticator:{kind.__module__}.{kind.__qualname__}"


def _issuers(authenticators: Sequence[Authenticator]) -> Iterator[str]:
    """Yield an issuer for each; those of one class are numbered in their order."""
    seen: Counter[str] = Counter()
    for one in authenticators:
        name = issuer_of(one)
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name}#{seen[name]}"


def name_of(authenticator: Authenticator) -> str:
    """Return how an authenticator is called where it is told of."""
    return type(authenticator).__name__.removesuffix("Authenticator")


def names_of(authenticator: Authenticator | None) -> tuple[str, ...]:
    """Return the names of an authenticator, or of those that it asks in order."""
    return tuple(map(name_of, each_of(authenticator)))
