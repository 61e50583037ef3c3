"""Trusted proxies: only they may report who the client is."""

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.edge.forwarded import Hop, believed, parse_forwarded, parse_x_forwarded, trust

ORIGIN = frozenset(
    {
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
        b"x-forwarded-protocol",
        b"x-forwarded-scheme",
        b"x-forwarded-server",
        b"x-forwarded-ssl",
        b"x-original-forwarded-for",
        b"x-original-host",
        b"x-original-url",
        b"x-rewrite-url",
        b"x-scheme",
        b"x-url-scheme",
        b"front-end-https",
        b"cf-connecting-ip",
        b"client-ip",
        b"fastly-client-ip",
        b"true-client-ip",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-envoy-external-address",
        b"x-real-ip",
    }
)
"""Where the request is said to come from: read here and nowhere else."""

IDENTITY = frozenset(
    {
        b"client-cert",
        b"client-cert-chain",
        b"remote-user",
        b"ssl-client-cert",
        b"x-client-cert",
        b"x-client-dn",
        b"x-client-verify",
        b"x-consumer-id",
        b"x-consumer-username",
        b"x-email",
        b"x-forwarded-client-cert",
        b"x-groups",
        b"x-tenant-id",
        b"x-user",
        b"x-user-id",
    }
)
IDENTITY_FAMILIES = (
    b"x-amzn-oidc-",
    b"x-auth-request-",
    b"x-authenticated-",
    b"x-forwarded-access-",
    b"x-forwarded-email",
    b"x-forwarded-groups",
    b"x-forwarded-preferred-",
    b"x-forwarded-user",
    b"x-goog-authenticated-user-",
    b"x-goog-iap-",
    b"x-jwt-",
    b"x-ms-client-principal",
    b"x-remote-",
    b"x-ssl-client-",
    b"x-webauth-",
)
"""Who the caller is said to be (proxies that sign people in, certificates that they verified)."""

TRACE = frozenset(
    {
        b"b3",
        b"baggage",
        b"traceparent",
        b"tracestate",
        b"uber-trace-id",
        b"x-amzn-trace-id",
        b"x-b3-flags",
        b"x-b3-parentspanid",
        b"x-b3-sampled",
        b"x-b3-spanid",
        b"x-b3-traceid",
        b"x-cloud-trace-context",
    }
)
"""Which trace the request is said to belong to; its id alone (`X-Request-ID`) is harmless."""

GUARDED = ORIGIN | IDENTITY | TRACE

MOST_NAMES = 2048
"""How many header names a gateway remembers the verdict of."""

SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
SECURE = {"http": "https", "websocket": "wss"}
PLAIN = {"http": "http", "websocket": "ws"}


class TrustedProxies:
    """Next to health: what a request says of its client counts from trusted proxies only.

    From anybody else such header fields are taken away before anything reads them, also in
    spellings with an underscore, which some programs read as a hyphen. From a trusted hop, the
    client's address, scheme and host are those that the outermost trusted hop saw; identity and
    trace stay readable. `Request-Timeout` needs no trust: it can only shorten.

    `reads` is the family that the hops write, since a hop passes on what it does not know of:
    "x-forwarded" or "forwarded" (RFC 7239).
    """

    __slots__ = ("_app", "_from_anyone", "_from_hops", "_is_trusted", "_reads_rfc")

    def __init__(
        self, app: ASGIApp, *, trusted: Iterable[str], reads: str, client_traces: bool
    ) -> None:
        self._app = app
        self._is_trusted = trust(trusted)
        self._reads_rfc = reads == "forwarded"
        self._from_anyone = _Sieve(GUARDED - TRACE if client_traces else GUARDED, IDENTITY_FAMILIES)
        self._from_hops = _Sieve(ORIGIN, ())

    def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> Awaitable[None]:
        """Believe, or take away, and pass on."""
        client = scope.get("client")
        peer = client[0] if client else ""
        if self._is_trusted(peer):
            self._believe(scope, peer)
        else:
            drops = self._from_anyone
            for name, _ in scope["headers"]:
                if drops[name]:
                    scope["headers"] = drops.sift(scope["headers"])
                    break
        return self._app(scope, receive, send)

    def _believe(self, scope: ASGIScope, peer: str) -> None:
        drops = self._from_hops
        others: list[tuple[bytes, bytes]] = []
        reported: dict[bytes, list[bytes]] = {}
        for field in scope["headers"]:
            if drops[field[0]]:
                reported.setdefault(field[0], []).append(field[1])
            else:
                others.append(field)
        if reported:
            hop = believed(self._read(reported), peer, self._is_trusted)
            _set_client(scope, hop, peer)
            scope["headers"] = others if not hop.host else _with_host(others, hop.host)

    def _read(self, reported: Mapping[bytes, Sequence[bytes]]) -> Sequence[Hop]:
        if self._reads_rfc:
            return parse_forwarded(reported.get(b"forwarded", ()))
        return parse_x_forwarded(
            reported.get(b"x-forwarded-for", ()),
            reported.get(b"x-forwarded-proto", ()),
            reported.get(b"x-forwarded-host", ()),
        )


class _Sieve(dict[bytes, bool]):
    """Whether a header name is to be taken away; each name is judged once."""

    def __init__(self, names: frozenset[bytes], families: tuple[bytes, ...]) -> None:
        super().__init__()
        self._names = names
        self._families = families

    def __missing__(self, name: bytes) -> bool:
        spoken = name.replace(b"_", b"-")
        is_guarded = spoken in GUARDED or spoken.startswith(IDENTITY_FAMILIES)
        is_disguised = spoken != name and is_guarded
        verdict = is_disguised or spoken in self._names or spoken.startswith(self._families)
        if len(self) < MOST_NAMES:
            self[name] = verdict
        return verdict

    def sift(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return [field for field in headers if not self[field[0]]]


def _set_client(scope: ASGIScope, hop: Hop, peer: str) -> None:
    if hop.client != peer:
        scope["client"] = (hop.client, 0)
    if hop.scheme:
        spoken: Any = SCHEMES.get(hop.scheme.lower())
        if spoken is not None:
            table = SECURE if spoken == "https" else PLAIN
            scope["scheme"] = table[scope["type"]]


def _with_host(headers: Iterable[tuple[bytes, bytes]], host: str) -> list[tuple[bytes, bytes]]:
    others = [field for field in headers if field[0] != b"host"]
    others.append((b"host", host.encode("latin-1")))
    return others
