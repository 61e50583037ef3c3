"""What does a provider offer? Its discovery document, fetched, checked and refreshed.

The document is fetched when the gateway starts, so that a wrong one is reported before a user
signs in. It names no endpoint of an origin that the operator did not name.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import msgspec

from bff_core.call import Reply
from bff_core.clock import Clock
from bff_core.errors import ProviderUnavailable, answered
from bff_core.events import Crashed, Events
from bff_core.oauth.endpoint import (
    ProviderEndpoint,
    decode_object,
    document_service,
    origin_in,
    service_name,
    without_bom,
)
from bff_core.refreshed_value import Fetched, Refreshed
from bff_core.upstream.client import Upstream
from bff_core.upstream.runtime import Spawn

REFRESH_SECONDS: Final = 3600.0
"""Age of the document from which on it is fetched again in the background."""

MAX_AGE_SECONDS: Final = 86_400.0
"""Age of the document from which on it is not used: callers wait for another."""

RETRY_SECONDS: Final = 5.0
"""Pause after a fetch that failed."""

START_SECONDS: Final = 3.0
"""How long a start waits for the document; it goes on without if the provider is down."""


class Untrusted(ProviderUnavailable):
    """The discovery document is wrong; the message is for operators."""


@dataclass(frozen=True, slots=True)
class DiscoveryOptions:
    """A provider: its `iss`, the upstream at that origin, further origins of its endpoints."""

    issuer: str
    upstream: str
    origins: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """The origin of the issuer."""
        return origin_in(self.issuer) or ""

    @property
    def path(self) -> str:
        """The path of the document (OpenID Connect Discovery, section 4)."""
        return urlsplit(self.issuer).path.rstrip("/") + "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """The endpoints of a provider: URLs for browsers, the others for us; None is not offered.

    `sends_issuer` is whether browsers bring its name back from a sign-in (RFC 9207).
    """

    authorization: str
    token: ProviderEndpoint
    keys: ProviderEndpoint
    pushed: ProviderEndpoint | None = None
    revocation: ProviderEndpoint | None = None
    end_session: str = ""
    sends_issuer: bool = False


class MetadataCache:
    """The metadata of one provider, used for a day while the provider is down.

    `fault` is what is wrong with the document while there is no good one; empty for an outage.
    """

    def __init__(
        self,
        options: DiscoveryOptions,
        services: Mapping[type[Upstream], Upstream],
        spawn: Spawn,
        *,
        clock: Clock,
        events: Events,
    ) -> None:
        self.fault = ""
        self._options = options
        self._service = services[document_service(options.upstream)]
        self._spawn = spawn
        self._clock = clock
        self._events = events
        self._metadata = Refreshed(self._fetch, clock=clock, spawn=spawn, pause=RETRY_SECONDS)

    async def start(self) -> None:
        """Fetch the document before the first user signs in."""
        fetch = self._metadata.start()
        # The first caller may try again at once.
        fetch.add_done_callback(lambda _: self._metadata.end_pause())
        await asyncio.wait([fetch], timeout=START_SECONDS)

    async def get(self) -> ProviderMetadata:
        """Return the metadata; raises `ProviderUnavailable` while there is none."""
        metadata = await self._metadata.get()
        if metadata is None and self.fault:
            raise ProviderUnavailable(self.fault)
        if metadata is None:
            raise ProviderUnavailable("no metadata") from self._metadata.failure
        return metadata

    async def _fetch(self) -> Fetched[ProviderMetadata]:
        reply = await self._service.request(
            "GET", self._options.path, headers={"accept": "application/json"}
        )
        if reply.status >= 500 or reply.status in {408, 429}:
            raise ProviderUnavailable(f"metadata {answered(reply)}")
        try:
            metadata = metadata_of(reply, self._options)
        except Untrusted as untrusted:
            self._report(untrusted)
            raise
        self.fault = ""
        now = self._clock()
        expires_at = now + MAX_AGE_SECONDS
        return Fetched(metadata, now + REFRESH_SECONDS, expires_at, expires_at)

    def _report(self, untrusted: Untrusted) -> None:
        """Log a wrong document; without a good one, set `fault` and fetch until there is one."""
        is_new = True
        if self._metadata.current is None:
            self._spawn(self._fetch_later())
            is_new, self.fault = self.fault != str(untrusted), str(untrusted)
        if is_new and self._events.sinks:
            self._events.emit(Crashed("background", "", untrusted))

    async def _fetch_later(self) -> None:
        await asyncio.sleep(RETRY_SECONDS)
        await asyncio.wait([self._metadata.start()])


def metadata_of(reply: Reply, options: DiscoveryOptions) -> ProviderMetadata:
    """Read a discovery document (OpenID Connect Discovery, section 3; RFC 8414).

    Raises `Untrusted` where it is another issuer's, or names endpoints of an origin that the
    operator did not name: they would be sent our secret. A member that is null is left out.
    """
    if reply.status != 200:
        raise Untrusted(f"{options.path} is answered {reply.status}")
    try:
        document = decode_object(without_bom(reply.body))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Untrusted("the discovery document is no JSON object") from error
    if document.get("issuer") != options.issuer:
        raise Untrusted(f"the discovery document is of {document.get('issuer')!r}")
    methods = document.get("code_challenge_methods_supported")
    methods = ["S256"] if methods is None else methods
    if not isinstance(methods, list) or "S256" not in methods:
        raise Untrusted("the provider does not take PKCE by S256")
    authorization = document.get("authorization_endpoint")
    if not isinstance(authorization, str) or not _is_web(authorization):
        raise Untrusted("the discovery document names no authorization endpoint")
    if options.issuer.startswith("https://") and not authorization.startswith("https://"):
        raise Untrusted(f"the authorization endpoint is {authorization!r}, without TLS")
    end_session = document.get("end_session_endpoint")
    return ProviderMetadata(
        authorization,
        _required(document, "token_endpoint", options),
        _required(document, "jwks_uri", options),
        _offered(document, "pushed_authorization_request_endpoint", options),
        _offered(document, "revocation_endpoint", options),
        end_session if isinstance(end_session, str) and _is_web(end_session) else "",
        document.get("authorization_response_iss_parameter_supported") is True,
    )


def _offered(
    document: Mapping[str, object], name: str, options: DiscoveryOptions
) -> ProviderEndpoint | None:
    return _required(document, name, options) if document.get(name) else None


def _required(
    document: Mapping[str, object], name: str, options: DiscoveryOptions
) -> ProviderEndpoint:
    url = document.get(name)
    origin = origin_in(url) if isinstance(url, str) else None
    if not isinstance(url, str) or origin is None or not _is_plain(url):
        raise Untrusted(f"{name} is {url!r}, and has to be a URL")
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if origin == options.origin:
        return ProviderEndpoint(options.upstream, target)
    if origin not in options.origins:
        raise Untrusted(
            f"{name} is {url!r}, and neither below {options.origin} nor at an origin that "
            "OpenIDProvider(origins=...) or BFF_ISSUER_ORIGINS names"
        )
    return ProviderEndpoint(service_name(options.upstream, origin), target)


_is_plain: Final = re.compile(r"[!$-;=?-\[\]_a-z~]+").fullmatch  # a path with braces is a template


def _is_web(url: str) -> bool:
    return origin_in(url) is not None and "#" not in url
