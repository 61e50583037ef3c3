"""What a provider offers, read from its discovery document; nothing in it leads elsewhere.

The document is read when the gateway starts, so that a wrong one is known before a user comes.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from bff_core.auth.oidc.config import OpenIDProvider, origin_in
from bff_core.call import Reply
from bff_core.clock import Clock
from bff_core.errors import UpstreamError, answered
from bff_core.upstream.client import Upstream
from bff_core.upstream.provider import ProviderUnavailable, name_at, provider, unmarked
from bff_core.upstream.runtime import Spawn

FRESH: Final = 3600.0
"""Seconds after which the document is read again, behind whoever needs it."""

SELDOM: Final = 5.0
"""Seconds between two tries, while the provider can't be asked."""

START: Final = 3.0
"""Seconds that a start waits for the document; a provider that is down does not prevent it."""

_decode: Final = msgspec.json.Decoder(dict[str, object]).decode


class Untrusted(ProviderUnavailable):
    """The discovery document says what is not followed; the message is for whoever runs us."""


class ProviderEndpoint(NamedTuple):
    """An endpoint that the gateway calls: the upstream's name, a path there and its query."""

    upstream: str
    target: str


@dataclass(frozen=True, slots=True)
class Metadata:
    """The endpoints of a provider: URLs for browsers, the others for us; None is not offered.

    `tells_issuer` is whether it names itself in what browsers bring back (RFC 9207).
    """

    authorization: str
    token: ProviderEndpoint
    keys: ProviderEndpoint
    pushed: ProviderEndpoint | None = None
    revocation: ProviderEndpoint | None = None
    end_session: str = ""
    tells_issuer: bool = False


class Directory:
    """Knows the metadata of one provider, and goes on with it while the provider is down.

    `fault` is what is wrong with the document while no good one is known; empty for an outage.
    """

    def __init__(self, sign_in: OpenIDProvider, clock: Clock) -> None:
        self.kind = provider(sign_in.upstream)
        self.sign_in = sign_in
        self.fault = ""
        self._clock = clock
        self._service: Upstream | None = None
        self._spawn: Spawn | None = None
        self._known: Metadata | None = None
        self._read_at = self._tried_at = -FRESH
        self._reading: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    def add_origins(self, origins: Sequence[str]) -> None:
        """Let endpoints be at further origins than the issuer's."""
        self.sign_in = replace(
            self.sign_in, origins=tuple(dict.fromkeys((*self.sign_in.origins, *origins)))
        )

    async def start(self) -> None:
        """Read the document before anybody needs it."""
        await asyncio.wait([self._read()], timeout=START)
        self._tried_at = -FRESH  # the next caller need not wait for another try

    def open(self, services: Mapping[type[Upstream], Upstream], spawn: Spawn) -> None:
        """Use the services of a gateway that runs."""
        self._service, self._spawn = services[self.kind], spawn

    @property
    def service(self) -> Upstream:
        """The provider, as a service that is called."""
        assert self._service is not None, "the provider is called while the gateway runs"  # noqa: S101 # for the type checker
        return self._service

    async def metadata(self) -> Metadata:
        """Return what the provider offers; raises `ProviderUnavailable` while nobody knows."""
        now = self._clock()
        is_due = self._known is None or now - self._read_at > FRESH
        if is_due and (self._reading is not None or now - self._tried_at > SELDOM):
            reading = self._read()
            if self._known is None:
                await asyncio.shield(reading)  # who leaves does not end it for the others
        if self._known is None:
            raise ProviderUnavailable(self.fault or "no metadata") from self._failure
        return self._known

    def _read(self) -> asyncio.Task[None]:
        if self._reading is None:
            assert self._spawn is not None, "the provider is called while the gateway runs"  # noqa: S101 # for the type checker
            self._tried_at = self._clock()
            self._reading = self._spawn(self._refresh())
            self._reading.add_done_callback(self._landed)
        return self._reading

    def _landed(self, _: asyncio.Task[None]) -> None:
        self._reading = None

    async def _refresh(self) -> None:
        """Read the document; whatever is wrong with a new one leaves the old one in place."""
        try:
            reply = await self.service.request(
                "GET", self.sign_in.discovery, headers={"accept": "application/json"}
            )
        except UpstreamError as error:
            self._failure = error
            return
        if reply.status >= 500 or reply.status in {408, 429}:
            self._failure = ProviderUnavailable(f"metadata {answered(reply)}")
            return
        try:
            self._known = metadata_of(reply, self.sign_in)
        except Untrusted as untrusted:
            self._blame(untrusted)
            return
        self._read_at, self.fault = self._clock(), ""

    def _blame(self, untrusted: Untrusted) -> None:
        """Note what is wrong where no good document is known; it is read again until it is good.

        Raises it when it is new, to be logged.
        """
        if self._known is not None or self._spawn is None:
            raise untrusted
        before, self.fault = self.fault, str(untrusted)
        self._spawn(self._read_again())
        if self.fault != before:
            raise untrusted

    async def _read_again(self) -> None:
        await asyncio.sleep(SELDOM)
        await asyncio.wait([self._read()])


def metadata_of(reply: Reply, sign_in: OpenIDProvider) -> Metadata:
    """Read a discovery document (OpenID Connect Discovery, section 3; RFC 8414).

    Raises `Untrusted` where it is another issuer's, or names endpoints of an origin that the
    operator did not name: they would be sent our secret. A member that is null is left out.
    """
    if reply.status != 200:
        raise Untrusted(f"{sign_in.discovery} is answered {reply.status}")
    try:
        told = _decode(unmarked(reply.body))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Untrusted("the discovery document is no JSON object") from error
    if told.get("issuer") != sign_in.issuer:
        raise Untrusted(f"the discovery document is of {told.get('issuer')!r}")
    methods = told.get("code_challenge_methods_supported")
    methods = ["S256"] if methods is None else methods
    if not isinstance(methods, list) or "S256" not in methods:
        raise Untrusted("the provider does not take PKCE by S256")
    authorization = told.get("authorization_endpoint")
    if not isinstance(authorization, str) or not _is_web(authorization):
        raise Untrusted("the discovery document names no authorization endpoint")
    if sign_in.issuer.startswith("https://") and not authorization.startswith("https://"):
        raise Untrusted(f"the authorization endpoint is {authorization!r}, without TLS")
    end_session = told.get("end_session_endpoint")
    return Metadata(
        authorization,
        _required(told, "token_endpoint", sign_in),
        _required(told, "jwks_uri", sign_in),
        _offered(told, "pushed_authorization_request_endpoint", sign_in),
        _offered(told, "revocation_endpoint", sign_in),
        end_session if isinstance(end_session, str) and _is_web(end_session) else "",
        told.get("authorization_response_iss_parameter_supported") is True,
    )


def _offered(
    told: Mapping[str, object], name: str, sign_in: OpenIDProvider
) -> ProviderEndpoint | None:
    return _required(told, name, sign_in) if told.get(name) else None


def _required(told: Mapping[str, object], name: str, sign_in: OpenIDProvider) -> ProviderEndpoint:
    url = told.get(name)
    origin = origin_in(url) if isinstance(url, str) else None
    if not isinstance(url, str) or origin is None or not _is_plain(url):
        raise Untrusted(f"{name} is {url!r}, and has to be a URL")
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if origin == sign_in.origin:
        return ProviderEndpoint(sign_in.upstream, target)
    if origin not in sign_in.origins:
        raise Untrusted(
            f"{name} is {url!r}, and neither below {sign_in.origin} nor at an origin that "
            "OpenIDProvider(origins=...) or BFF_ISSUER_ORIGINS names"
        )
    return ProviderEndpoint(name_at(sign_in.upstream, origin), target)


_is_plain: Final = re.compile(r"[!$-;=?-\[\]_a-z~]+").fullmatch  # a path with braces is a template


def _is_web(url: str) -> bool:
    return origin_in(url) is not None and "#" not in url
