"""Requests of clients that an upstream forwards unchanged: `Upstream.forward`."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from bff_core.call import Call, Headers, Reply
from bff_core.errors import redacted
from bff_core.events import Events, LocationDropped
from bff_core.policy.upstream.reference_resolution import same_origin
from bff_core.streamed_body import StreamedBody
from bff_core.upstream.location_rewriting import Locations
from bff_core.upstream.transport.hop_by_hop import tokens
from bff_core.upstream.transport.request_writer import RESERVED

_CONNECTION: Final = b"connection"
_ACCEPT_ENCODING: Final = b"accept-encoding"

NO_CODING: Final = (_ACCEPT_ENCODING, b"identity")
"""For a client that accepts no coding: a streamed body is passed on with the coding it has."""

REFERENCES: Final = frozenset({b"location", b"content-location"})

OF_THE_SERVICE: Final = frozenset({
    *(b"server", b"x-powered-by", b"via", b"x-request-id"),
    *(b"alt-svc", b"strict-transport-security", b"clear-site-data"),
})  # fmt: skip
"""Fields of a reply that describe the service or its origin, not the gateway's.

Those of CORS are left out as well: the gateway decides which origins may read its answers.
"""


class ForwardedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that goes to a service as the client sent it.

    `target` is the encoded path and query, such as `/files/a%2Fb?tag=x&tag=y`; nothing of it is
    decoded, joined or sorted. `audience` names who may share the reply: None is everybody, any
    other value one viewer, such as `scope.audience`. `headers` are sent but for those that belong
    to one connection and those that the transport writes itself (`Host`, `Content-Length`,
    `traceparent`). Remove what the service must not see: the gateway's session cookie, the
    client's credentials. `client_headers` are those of the client before that, for affinity and
    hashing; they are never sent. `operation` names the request in events and errors. The reply
    `is_streamed` unless it is to be cached or shared. `own_prefix` is what the client's path has in
    place of `service_prefix`, for references in the reply. A `Set-Cookie` of the service goes to
    the client only `with_credentials`.

    `cache` overrides the policy's cache, as for a call. `host` is the Host that is sent, if it is
    not that of the endpoint. `idle_timeout` is the longest silence of a streamed reply in seconds,
    None that of the policy. With a `head_timeout` (seconds) the deadline of the head starts when
    the whole body was sent. Without `has_own_references` a Location passes as the service sent it.
    """

    method: str
    target: str
    audience: str | None
    headers: Headers = ()
    client_headers: Headers = ()
    body: bytes | StreamedBody = b""
    operation: str = "forward"
    is_streamed: bool = True
    with_credentials: bool = False
    own_prefix: str = ""
    service_prefix: str = ""
    cache: object = True
    host: str = ""
    idle_timeout: float | None = None
    head_timeout: float = 0.0
    has_own_references: bool = True

    @property
    def end_to_end_headers(self) -> Headers:
        """The header fields that are sent, with names in lower case (RFC 9110, section 7.6.1)."""
        fields = [(name.lower(), value.strip(b" \t")) for name, value in self.headers]
        dropped = RESERVED.union(*(tokens(value) for name, value in fields if name == _CONNECTION))
        sent = tuple(field for field in fields if field[0] not in dropped)
        has_codings = any(name == _ACCEPT_ENCODING for name, _ in sent)
        return sent if has_codings or not self.is_streamed else (*sent, NO_CODING)

    def own_reference(self, target: str) -> str | None:
        """Return the client's path for a target of the service; None if it is not forwarded."""
        rest = target.removeprefix(self.service_prefix)
        is_below = target.startswith(self.service_prefix) and rest[:1] in {"", "/", "?"}
        return self.own_prefix + rest if is_below else None


def client_reply(
    reply: Reply,
    call: Call,
    request: ForwardedRequest,
    locations: Locations | None,
    *,
    origins: Sequence[str],
    events: Events,
) -> Reply:
    """Return a service's reply with the header fields that the client gets.

    A reference to the service becomes the client's path: by the declared `locations`, else by the
    prefixes of the request. One that leads to nothing that is forwarded is left out.
    """
    dropped = OF_THE_SERVICE if request.with_credentials else OF_THE_SERVICE | {b"set-cookie"}
    headers: list[tuple[bytes, bytes]] = []
    for name, value in reply.headers:
        if name in dropped or name.startswith(b"access-control-"):
            continue
        path = value
        if name in REFERENCES and request.has_own_references:
            own = _own_reference(value.decode("latin-1"), call, request, locations, origins)
            if own is None:
                _report_drop(value, call, events)
                continue
            path = own.encode("latin-1")
        headers.append((name, path))
    return replace(reply, headers=tuple(headers))


def _own_reference(
    reference: str,
    call: Call,
    request: ForwardedRequest,
    locations: Locations | None,
    origins: Sequence[str],
) -> str | None:
    if locations is not None:
        path = locations.own_path(reference, call.target, origins)
        if path is not None:
            return path
    own = same_origin(reference, call.target, origins)
    return request.own_reference(own[0]) if own else reference  # of another site


def _report_drop(reference: bytes, call: Call, events: Events) -> None:
    if events.sinks:
        shown = redacted(reference.decode("latin-1"))
        events.emit(LocationDropped(call.upstream, call.operation, shown, span=call.span))
