"""What a provider offers, read from its discovery document; nothing in it leads elsewhere."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import msgspec

from bff_core.auth.oidc.sign_in import SignIn
from bff_core.clock import Clock
from bff_core.errors import UpstreamError
from bff_core.upstream.client import Upstream
from bff_core.upstream.provider import ProviderUnavailable, provider
from bff_core.upstream.runtime import Spawn

FRESH: Final = 3600.0
"""Seconds after which the document is read again, behind whoever needs it."""

SELDOM: Final = 5.0
"""Seconds between two tries, while the provider can't be asked."""

_decode: Final = msgspec.json.Decoder(dict[str, object]).decode


class Untrusted(ProviderUnavailable):
    """The discovery document says what is not followed; the message is for whoever runs us."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """The endpoints of a provider: one URL for browsers, paths for us; empty is not offered.

    `tells_issuer` is whether it names itself in what browsers bring back (RFC 9207).
    """

    authorization: str
    token: str
    keys: str
    pushed: str = ""
    revocation: str = ""
    end_session: str = ""
    tells_issuer: bool = False


class Directory:
    """Knows the metadata of one provider; read when it is first needed, kept while it is down."""

    def __init__(self, sign_in: SignIn, clock: Clock) -> None:
        self.kind = provider(sign_in.upstream)
        self._sign_in = sign_in
        self._clock = clock
        self._service: Upstream | None = None
        self._spawn: Spawn | None = None
        self._known: Metadata | None = None
        self._read_at = self._tried_at = -FRESH
        self._reading: asyncio.Task[None] | None = None

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
            raise ProviderUnavailable("no metadata")
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
                "GET", self._sign_in.discovery, headers={"accept": "application/json"}
            )
        except UpstreamError:
            return
        if reply.status == 200:
            self._known, self._read_at = metadata_of(reply.body, self._sign_in), self._clock()


def metadata_of(document: bytes, sign_in: SignIn) -> Metadata:
    """Read a discovery document (OpenID Connect Discovery, section 3; RFC 8414).

    Raises `Untrusted` where it is another issuer's, or names endpoints of another origin: they
    would be sent our secret.
    """
    try:
        told = _decode(document)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Untrusted("the discovery document is no JSON object") from error
    if told.get("issuer") != sign_in.issuer:
        raise Untrusted(f"the discovery document is of {told.get('issuer')!r}")
    methods = told.get("code_challenge_methods_supported", ["S256"])
    if not isinstance(methods, list) or "S256" not in methods:
        raise Untrusted("the provider does not take PKCE by S256")
    authorization = told.get("authorization_endpoint")
    if not isinstance(authorization, str) or not _is_web(authorization):
        raise Untrusted("the discovery document names no authorization endpoint")
    end_session = told.get("end_session_endpoint")
    return Metadata(
        authorization,
        _path(told, "token_endpoint", sign_in, required=True),
        _path(told, "jwks_uri", sign_in, required=True),
        _path(told, "pushed_authorization_request_endpoint", sign_in),
        _path(told, "revocation_endpoint", sign_in),
        end_session if isinstance(end_session, str) and _is_web(end_session) else "",
        told.get("authorization_response_iss_parameter_supported") is True,
    )


def _path(told: Mapping[str, object], name: str, sign_in: SignIn, *, required: bool = False) -> str:
    url = told.get(name)
    if url is None and not required:
        return ""
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or f"{parts.scheme}://{parts.netloc}" != sign_in.origin or parts.query:
        raise Untrusted(f"{name} is {url!r}, and has to be below {sign_in.origin}")
    return parts.path or "/"


def _is_web(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"https", "http"} and bool(parts.hostname) and not parts.fragment
