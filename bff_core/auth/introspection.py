"""Takes access tokens that say nothing by themselves: their issuer is asked (RFC 7662)."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import ClassVar, Final

from bff_core.auth.authenticator import Resources
from bff_core.auth.jwt import acr_of, audiences_of, auth_time_of, scopes_of
from bff_core.auth.plain_token import PlainToken, bearer_in
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.auth.viewer import Viewer
from bff_core.clock import Clock
from bff_core.errors import BFFError, ConfigurationError, NotAuthenticated
from bff_core.scope import Scope
from bff_core.settings.model import Settings
from bff_core.upstream.client import Upstream
from bff_core.upstream.provider import ProviderUnavailable, basic, post, provider, told_in
from bff_core.upstream.token_reply import seconds_in

BELIEVED: Final = 60.0
"""Seconds for which a token that was active is not asked about again, or until it ends."""

REFUSED_FOR: Final = 10.0
"""Seconds for which one that was not is not."""

REMEMBERED: Final = 10_000
MOST_WRONG: Final = 1_000

LONGEST: Final = 4096

REFUSAL: Final = "The access token is not valid."


@dataclass(frozen=True, slots=True, kw_only=True)
class Introspection:
    """Where tokens are asked about, and which are meant for us.

    `upstream` is the service that answers at `path`; it knows us as `client_id`, by
    `client_secret`. `audience` names this gateway as tokens do: one of these has to be in `aud`.
    With an `issuer` it has to be in `iss`. `tenant` is the claim of a viewer's tenant. Tokens in
    three parts are left to others (`BearerAuthenticator`), unless it `takes_jwt`.
    """

    client_id: str
    client_secret: str = field(repr=False)
    audience: tuple[str, ...]
    issuer: str = ""
    upstream: str = "identity"
    path: str = "/introspect"
    scope: str = "scope"
    tenant: str = ""
    leeway: float = 60.0
    takes_jwt: bool = False

    def __post_init__(self) -> None:
        if not self.client_id or not self.client_secret:
            raise ConfigurationError(
                "Introspection: give the client_id and client_secret that the issuer knows us by"
            )
        if isinstance(self.audience, str) or not self.audience or not all(self.audience):
            raise ConfigurationError(
                "Introspection: audience=(...) has to name this gateway as tokens do, or those "
                "that are meant for others would be accepted here"
            )


@dataclass(frozen=True, slots=True)
class _Known:
    viewer: Viewer | None
    until: float
    reason: str = ""


class IntrospectionAuthenticator:
    """Takes `Authorization: Bearer <token>` and has its issuer say what it is.

    One question at a time for a token, whoever waits; the answer is believed for a minute, so that
    a token which was withdrawn is taken for so long at most. While the issuer can't be asked the
    answer is 503. In `FirstOf` it stands before `BearerAuthenticator`.
    """

    challenge = "Bearer"
    security_scheme: ClassVar[Mapping[str, object]] = {"type": "http", "scheme": "bearer"}

    def __init__(self, options: Introspection, *, wall: Clock = time.time) -> None:
        self._options = options
        self._proof = basic(options.client_id, options.client_secret)
        self._wall = wall
        self._known: dict[bytes, _Known] = {}
        self._wrong: dict[bytes, _Known] = {}
        self._asking: dict[bytes, asyncio.Future[_Known]] = {}
        self._resources: Resources | None = None

    @property
    def services(self) -> Sequence[type[Upstream]]:
        """The issuer."""
        return [provider(self._options.upstream)]

    @property
    def issuers(self) -> Sequence[str]:
        """The URL of the issuer, if it is named."""
        return [self._options.issuer] if self._options.issuer else []

    def check(self, settings: Settings) -> None:
        """Find nothing wrong: the options check themselves."""

    @asynccontextmanager
    async def opened(self, resources: Resources) -> AsyncIterator[None]:
        """Use the issuer while the gateway runs."""
        self._resources = resources
        yield
        self._resources = None
        self._known.clear()
        self._wrong.clear()

    async def authenticate(self, scope: Scope, /) -> Viewer | None:
        """Return whom the token names; None without one. Raises `NotAuthenticated`."""
        token = bearer_in(scope.headers)
        if token is None or (token.count(b".") == 2 and not self._options.takes_jwt):
            return None
        resources, name = self._running(), sha256(token).digest()
        known = self._known.get(name) or self._wrong.get(name)
        if known is None or resources.clock() >= known.until:
            known = await asyncio.shield(self._ask(name, token, resources))
        if known.viewer is None:
            raise NotAuthenticated(REFUSAL, reason=known.reason)
        scope.token, scope.wall = PlainToken(token), self._wall
        return known.viewer

    def _ask(self, name: bytes, token: bytes, resources: Resources) -> "asyncio.Future[_Known]":
        flight = self._asking.get(name)
        if flight is None:
            flight = self._asking[name] = asyncio.get_running_loop().create_future()
            resources.spawn(self._fly(name, token, resources, flight))
        return flight

    async def _fly(
        self, name: bytes, token: bytes, resources: Resources, flight: "asyncio.Future[_Known]"
    ) -> None:
        failure: BFFError = ProviderUnavailable("the gateway is closing")
        try:
            known = await self._told(token, resources)
            # Those that are refused are remembered apart: anybody can send as many as they like.
            is_good = known.viewer is not None
            kept, most = (self._known, REMEMBERED) if is_good else (self._wrong, MOST_WRONG)
            kept.pop(name, None)
            kept[name] = known
            if len(kept) > most:
                del kept[next(iter(kept))]
            flight.set_result(known)
        except BFFError as error:
            failure = error
        finally:
            del self._asking[name]
            if not flight.done():
                flight.set_exception(failure)
                flight.exception()  # looked at, whoever waits

    async def _told(self, token: bytes, resources: Resources) -> _Known:
        now = resources.clock()
        if len(token) > LONGEST:
            return _Known(None, now + REFUSED_FOR, "too_long")
        asked = {"token": token.decode("latin-1"), "token_type_hint": "access_token"}
        service = resources.services[provider(self._options.upstream)]
        reply = await post(service, self._options.path, asked, self._proof)
        if reply.status != 200:
            raise ProviderUnavailable(f"introspection answered {reply.status}")
        told = told_in(reply)
        if not isinstance(told.get("active"), bool):
            raise ProviderUnavailable("introspection answered something else")
        try:
            viewer, left = self._judged(told)
        except CredentialsRefused as refused:
            return _Known(None, now + REFUSED_FOR, str(refused))
        return _Known(viewer, now + min(left, BELIEVED))

    def _judged(self, told: Mapping[str, object]) -> tuple[Viewer, float]:
        """Return whom an answer names, and for how many seconds; raises `CredentialsRefused`."""
        options, wall = self._options, self._wall()
        if told["active"] is not True:
            raise CredentialsRefused("inactive")
        if not audiences_of(told.get("aud")) & set(options.audience):
            raise CredentialsRefused("audience")
        if options.issuer and told.get("iss") != options.issuer:
            raise CredentialsRefused("issuer")
        if "cnf" in told:  # bound to a key that nobody has shown here
            raise CredentialsRefused("bound")
        ends, begins = _instant_in(told, "exp"), _instant_in(told, "nbf")
        left = BELIEVED if ends is None else ends + options.leeway - wall
        if left <= 0 or (begins is not None and begins - options.leeway > wall):
            raise CredentialsRefused("expired")
        subject, tenant = told.get("sub"), told.get(options.tenant, "") if options.tenant else ""
        if not isinstance(subject, str) or not subject or not isinstance(tenant, str):
            raise CredentialsRefused("subject")
        client, issuer = told.get("client_id", ""), told.get("iss", "")
        return Viewer(
            subject,
            tenant,
            scopes_of(told.get(options.scope)),
            client if isinstance(client, str) else "",
            acr=acr_of(told),
            auth_time=auth_time_of(told, wall + options.leeway),
            issuer=options.issuer or f"introspection:{options.upstream}{options.path} {issuer}",
        ), left

    def _running(self) -> Resources:
        if self._resources is None:
            raise ConfigurationError("tokens are asked about while the gateway runs")
        return self._resources


def _instant_in(told: Mapping[str, object], name: str) -> float | None:
    """Return a Unix time that an issuer wrote as a number or as its digits; None without it.

    Raises `CredentialsRefused` for one that can't be read.
    """
    value = told.get(name)
    instant = seconds_in(value)
    if instant is None and value is not None:
        raise CredentialsRefused(name)
    return instant
