"""Provider metadata: fetches, validates and refreshes the discovery document.

The document is fetched when the gateway starts, so that a wrong one is reported before a user
signs in. A document with an endpoint at an origin that the operator did not allow is refused.
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
from bff_core.errors import ProviderUnavailable, UntrustedMetadata, answered
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
"""Age of the document at which it is fetched again in the background."""

MAX_AGE_SECONDS: Final = 86_400.0
"""Age of the document at which it is dropped: callers wait for another."""

RETRY_SECONDS: Final = 5.0
"""Seconds between a failed fetch and the next one."""

START_SECONDS: Final = 3.0
"""Seconds for which start-up waits for the document; then the gateway starts without it."""


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
    """The endpoints of a provider: URLs that browsers visit, and endpoints that the gateway calls.

    None or "" stands for an endpoint that the provider does not have. `sends_issuer` is whether the
    provider sends its issuer (`iss`) with the authorization response (RFC 9207).
    """

    authorization: str
    token: ProviderEndpoint
    keys: ProviderEndpoint
    pushed: ProviderEndpoint | None = None
    revocation: ProviderEndpoint | None = None
    end_session: str = ""
    sends_issuer: bool = False


class MetadataCache:
    """The metadata of one provider; while the provider is down, it is used for a day.

    `fault` is what is wrong with the document, if there is no valid one; empty for an outage.
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
        # If it fails, the first caller may retry at once.
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
        except UntrustedMetadata as untrusted:
            self._report(untrusted)
            raise
        self.fault = ""
        now = self._clock()
        expires_at = now + MAX_AGE_SECONDS
        return Fetched(metadata, now + REFRESH_SECONDS, expires_at, expires_at)

    def _report(self, untrusted: UntrustedMetadata) -> None:
        """Log a wrong document; without a valid one, set `fault` and fetch again soon."""
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

    Raises `UntrustedMetadata` for the document of another issuer, and for endpoints at an origin
    that the operator did not allow: they would receive our secret. Members that are null count as
    missing.
    """
    if reply.status != 200:
        raise UntrustedMetadata(f"GET {options.path} returned {reply.status}")
    try:
        document = decode_object(without_bom(reply.content))
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise UntrustedMetadata("the discovery document is not a JSON object") from error
    if document.get("issuer") != options.issuer:
        raise UntrustedMetadata(f"the discovery document has the issuer {document.get('issuer')!r}")
    methods = document.get("code_challenge_methods_supported")
    methods = ["S256"] if methods is None else methods
    if not isinstance(methods, list) or "S256" not in methods:
        raise UntrustedMetadata("the provider does not support PKCE with S256")
    authorization = document.get("authorization_endpoint")
    if not isinstance(authorization, str) or not _is_web(authorization):
        raise UntrustedMetadata("the discovery document has no authorization endpoint")
    if options.issuer.startswith("https://") and not authorization.startswith("https://"):
        raise UntrustedMetadata(f"the authorization endpoint is {authorization!r}, without TLS")
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
        raise UntrustedMetadata(f"{name} has to be a URL, not {url!r}")
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if origin == options.origin:
        return ProviderEndpoint(options.upstream, target)
    if origin not in options.origins:
        raise UntrustedMetadata(
            f"{name} is {url!r}, which is neither at {options.origin} nor at an origin of "
            "OpenIDProvider(origins=...) or BFF_ISSUER_ORIGINS"
        )
    return ProviderEndpoint(service_name(options.upstream, origin), target)


_is_plain: Final = re.compile(r"[!$-;=?-\[\]_a-z~]+").fullmatch  # a path with braces is a template


def _is_web(url: str) -> bool:
    return origin_in(url) is not None and "#" not in url
