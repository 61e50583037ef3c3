"""The header fields that a service gets: those of the client that may pass, then ours."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from starlette.types import Scope as ASGIScope

from bff_core.call import Headers as Fields
from bff_core.client_address import parse_address
from bff_core.edge.trusted_proxies import ORIGIN, PEER
from bff_core.errors import ClientError
from bff_core.forwarding.request import CONDITIONS, CREDENTIALS
from bff_core.proxy.transform import Headers, Transform
from bff_core.proxy.transforms.values import RequestValues, ValueTemplate
from bff_core.scope import Scope
from bff_core.upstream.transport.hop_by_hop import tokens
from bff_core.upstream.transport.request_writer import RESERVED

OURS: Final = RESERVED | CREDENTIALS | ORIGIN | {b"via", b"x-request-id", b"proxy-status"}
"""Fields that no client's value survives: the gateway sets them, or none is sent."""

OUR_FAMILIES: Final = (b"proxy-", b"x-forwarded-", b"x-original-", b"x-rewrite-", b"x-envoy-")
"""Families of fields by which services believe a proxy in front of them."""

METHODS: Final = frozenset({b"x-http-method", b"x-http-method-override", b"x-method-override"})
"""Fields by which some services replace the method: a route that names its methods drops them."""

_MAX_CACHED_NAMES: Final = 2048

_has_controls: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search

_NO_CODING: Final = (b"accept-encoding", b"identity")


class DroppedFields(dict[bytes, bool]):
    """Whether a field of a client stays at the gateway; the result for each name is cached.

    An underscore counts as a hyphen, since some programs read it as one.
    """

    def __init__(self, names: frozenset[bytes]) -> None:
        super().__init__()
        self._names = names

    def __missing__(self, name: bytes) -> bool:
        read_as = name.replace(b"_", b"-")
        is_dropped = read_as in self._names or read_as.startswith(OUR_FAMILIES)
        if len(self) < _MAX_CACHED_NAMES:
            self[name] = is_dropped
        return is_dropped


class FieldChanges:
    """Changes of header fields, compiled: allow, remove, set, append, in this order."""

    __slots__ = ("_added", "_allowed", "_dropped", "_given")

    def __init__(self, changes: Headers, parameters: Sequence[str], where: str) -> None:
        self._allowed = None if changes.allow is None else _lower(changes.allow)
        self._given = _templates(changes.set, parameters, f"{where}.set")
        self._added = _templates(changes.append, parameters, f"{where}.append")
        self._dropped = _lower(changes.remove) | {name for name, _ in self._given}

    def apply(
        self, fields: list[tuple[bytes, bytes]], values: RequestValues
    ) -> list[tuple[bytes, bytes]]:
        """Return changed fields; one whose value a request lacks is not sent."""
        allowed, dropped = self._allowed, self._dropped
        if allowed is not None:
            fields = [one for one in fields if one[0] in allowed and one[0] not in dropped]
        elif dropped:
            fields = [one for one in fields if one[0] not in dropped]
        for name, template in (*self._given, *self._added):
            text = template.fill(values)
            if text is not None:
                fields.append((name, _sendable(text)))
        return fields


def _sendable(text: str) -> bytes:
    """Return the value of a field; raise `ClientError` for one that would end it."""
    value = text.strip(" \t").encode("utf-8", "replace")
    if _has_controls(value):
        raise ClientError("A value of the request has control characters, which no header has.")
    return value


def _lower(names: Sequence[str]) -> frozenset[bytes]:
    return frozenset(name.lower().encode("ascii") for name in names)


def _templates(
    texts: object, parameters: Sequence[str], where: str
) -> list[tuple[bytes, ValueTemplate]]:
    return [
        (name.lower().encode("ascii"), ValueTemplate(text, parameters, f"{where}[{name!r}]"))
        for name, text in dict(texts).items()  # type: ignore[call-overload]  # a mapping of texts
    ]


class RequestHeaders:
    """Makes the fields of requests on one route; `gateway` is our name in Via.

    Fields of one connection, those that `Connection` names, credentials and what the gateway sets
    itself stay behind (RFC 9110, section 7.6). Then the changes of the route apply; ours follow.
    """

    __slots__ = ("_changes", "_cookies", "_drops", "_report", "_via")

    def __init__(
        self,
        transform: Transform,
        parameters: Sequence[str],
        gateway: str,
        where: str,
        *,
        names_methods: bool = False,
    ) -> None:
        given = transform.request_headers
        self._drops = DroppedFields(OURS | METHODS if names_methods else OURS)
        self._changes = (
            None if given is None else FieldChanges(given, parameters, f"{where}.request_headers")
        )
        self._cookies = frozenset(name.encode("latin-1") for name in transform.cookies)
        self._via = b"1.1 " + re.sub(r"[^A-Za-z0-9.-]", "-", gateway).encode("ascii")
        self._report = _REPORTS[transform.forwarded]

    def make(self, scope: ASGIScope, values: RequestValues, *, is_streamed: bool) -> Fields:
        """Return the fields that are sent for a request."""
        received, request, drops = scope["headers"], values.request, self._drops
        fields = [field for field in received if not drops[field[0]]]
        if not is_streamed and request.field(b"range") is None:  # we answer its conditions
            fields = [field for field in fields if field[0] not in CONDITIONS]
        if not request.credential_fields <= OURS:
            fields = [field for field in fields if field[0] not in request.credential_fields]
        has_codings = request.field(b"accept-encoding") is not None
        if request.field(b"connection") is not None:
            named = _named_by_connection(received)
            fields = [field for field in fields if field[0] not in named]
            has_codings = has_codings and b"accept-encoding" not in named
        if self._changes is not None:
            fields = self._changes.apply(fields, values)
            has_codings = _has_codings(fields)
        if is_streamed and not has_codings:
            fields.append(_NO_CODING)
        if self._cookies:
            fields += _passed_cookies(received, self._cookies)
        if self._report is not None:
            fields += self._report(scope, request)
        fields += ((b"via", self._via_of(scope, request)), _id_of(request))
        return tuple(fields)

    def _via_of(self, scope: ASGIScope, request: Scope) -> bytes:
        """Return our name, behind those that a trusted proxy sent."""
        before = request.field(b"via") if PEER in scope else None
        return self._via if before is None else b"%b, %b" % (before, self._via)


def _has_codings(fields: list[tuple[bytes, bytes]]) -> bool:
    return any(name == b"accept-encoding" for name, _ in fields)


def _id_of(request: Scope) -> tuple[bytes, bytes]:
    return (b"x-request-id", request.request_id.encode("latin-1"))


def _named_by_connection(received: Fields) -> frozenset[bytes]:
    named = [tokens(value) for name, value in received if name == b"connection"]
    return frozenset[bytes]().union(*named)


def _passed_cookies(received: Fields, names: frozenset[bytes]) -> Fields:
    found = [_cookies(value, names) for name, value in received if name == b"cookie"]
    return tuple((b"cookie", value) for value in found if value)


def _cookies(value: bytes, names: frozenset[bytes]) -> bytes:
    """Return the cookies of a field that have one of the names."""
    pairs = [pair.strip() for pair in value.split(b";")]
    return b"; ".join([pair for pair in pairs if pair.partition(b"=")[0].rstrip() in names])


def _chain(scope: ASGIScope) -> list[str]:
    """Return the believed client, and the trusted proxy that sent the request, if there is one."""
    client, peer = scope.get("client"), scope.get(PEER, "")
    first = client[0] if client else ""
    return [one for one in dict.fromkeys((first, peer)) if one]


def _x_forwarded(scope: ASGIScope, request: Scope) -> Fields:
    scheme = b"https" if scope.get("scheme") in {"https", "wss"} else b"http"
    found = [(b"x-forwarded-proto", scheme)]
    if chain := _chain(scope):
        found.insert(0, (b"x-forwarded-for", ", ".join(chain).encode("latin-1", "replace")))
    if host := request.field(b"host"):
        found.append((b"x-forwarded-host", host))
    return tuple(found)


def _forwarded(scope: ASGIScope, request: Scope) -> Fields:
    """Return `Forwarded` (RFC 7239): the believed client, then the proxy in front of us."""
    scheme = "https" if scope.get("scheme") in {"https", "wss"} else "http"
    first, *others = _chain(scope) or ["unknown"]
    element = f"for={_node(first)}"
    if host := request.field(b"host"):
        element += f';host="{host.decode("latin-1")}"'
    elements = [f"{element};proto={scheme}", *(f"for={_node(one)}" for one in others)]
    return ((b"forwarded", ", ".join(elements).encode("latin-1", "replace")),)


def _node(address: str) -> str:
    """Return an address as RFC 7239 writes it, section 6; others are names, in quotes."""
    if ":" in address:
        return f'"[{address}]"'
    return address if parse_address(address) is not None else "unknown"


_REPORTS: Final[dict[str, Callable[[ASGIScope, Scope], Fields] | None]] = {
    "x-forwarded": _x_forwarded,
    "forwarded": _forwarded,
    "off": None,
}
