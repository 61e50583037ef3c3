"""Trusted proxies: only they may report the address, scheme and host of the client."""

from collections.abc import Iterable, Mapping, Sequence

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
"""Headers that report the client; they are read here and nowhere else."""

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
"""Headers that report the user, set by proxies that authenticate or verify certificates."""

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
"""Headers that report the trace; `X-Request-ID` is harmless, and not one of them."""

GUARDED = ORIGIN | IDENTITY | TRACE

MAX_CACHED_NAMES = 2048
"""How many header names a `_HeaderFilter` caches."""

PEER = "bff.peer"
"""Where the ASGI scope holds the address of the trusted proxy that reported the client."""

SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
SECURE = {"http": "https", "websocket": "wss"}
PLAIN = {"http": "http", "websocket": "ws"}


class TrustedProxies:
    """After health: only trusted proxies may report who the client is.

    For all other peers it removes such headers before anything reads them, also those with an
    underscore, which some programs read as a hyphen. Behind a trusted proxy, the address, scheme
    and host of the client are those that the outermost trusted proxy saw; headers about the user
    and the trace stay. `Request-Timeout` needs no trust: it can only shorten the timeout.

    `reads` is the family of headers that the proxies set, "x-forwarded" or "forwarded" (RFC 7239).
    The other family is ignored, since a proxy passes on headers that it does not know.
    """

    __slots__ = ("_from_anyone", "_from_hops", "_is_trusted", "_reads_rfc")

    def __init__(self, *, trusted: Iterable[str], reads: str, client_traces: bool) -> None:
        self._is_trusted = trust(trusted)
        self._reads_rfc = reads == "forwarded"
        names = GUARDED - TRACE if client_traces else GUARDED
        self._from_anyone = _HeaderFilter(names, IDENTITY_FAMILIES)
        self._from_hops = _HeaderFilter(ORIGIN, ())

    def apply(self, scope: ASGIScope) -> None:
        """Set the client from the headers of a trusted proxy, or remove such headers."""
        client = scope.get("client")
        peer = client[0] if client else ""
        if self._is_trusted(peer):
            self._believe(scope, peer)
        else:
            drops = self._from_anyone
            for name, _ in scope["headers"]:
                if drops[name]:
                    scope["headers"] = drops.apply(scope["headers"])
                    break

    def _believe(self, scope: ASGIScope, peer: str) -> None:
        drops = self._from_hops
        others: list[tuple[bytes, bytes]] = []
        reported: dict[bytes, list[bytes]] = {}
        for field in scope["headers"]:
            if drops[field[0]]:
                reported.setdefault(field[0], []).append(field[1])
            else:
                others.append(field)
        scope[PEER] = peer
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


class _HeaderFilter(dict[bytes, bool]):
    """Whether headers of a name are removed; the result for each name is cached."""

    def __init__(self, names: frozenset[bytes], families: tuple[bytes, ...]) -> None:
        super().__init__()
        self._names = names
        self._families = families

    def __missing__(self, name: bytes) -> bool:
        hyphenated = name.replace(b"_", b"-")
        is_guarded = hyphenated in GUARDED or hyphenated.startswith(IDENTITY_FAMILIES)
        is_disguised = hyphenated != name and is_guarded
        is_removed = (
            is_disguised or hyphenated in self._names or hyphenated.startswith(self._families)
        )
        if len(self) < MAX_CACHED_NAMES:
            self[name] = is_removed
        return is_removed

    def apply(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return [field for field in headers if not self[field[0]]]


def _set_client(scope: ASGIScope, hop: Hop, peer: str) -> None:
    if hop.client != peer:
        scope["client"] = (hop.client, 0)
    if hop.scheme:
        scheme = SCHEMES.get(hop.scheme.lower())
        if scheme is not None:
            scope["scheme"] = (SECURE if scheme == "https" else PLAIN)[scope["type"]]


def _with_host(headers: Iterable[tuple[bytes, bytes]], host: str) -> list[tuple[bytes, bytes]]:
    others = [field for field in headers if field[0] != b"host"]
    others.append((b"host", host.encode("latin-1")))
    return others
