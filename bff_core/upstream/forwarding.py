"""Requests of clients that an upstream forwards unchanged: `Upstream.forward`."""

from typing import Final

import msgspec

from bff_core.call import Headers
from bff_core.streamed_body import StreamedBody
from bff_core.upstream.transport.hop_by_hop import tokens
from bff_core.upstream.transport.request_writer import RESERVED

_CONNECTION: Final = b"connection"


class ForwardedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request that goes to a service as the client sent it.

    `target` is the encoded path and query, such as `/files/a%2Fb?tag=x&tag=y`; nothing of it is
    decoded, joined or sorted. `audience` names who may share the reply: None is everybody, any
    other value one viewer, such as `scope.audience`. `headers` are sent but for those that belong
    to one connection and those that the transport writes itself (`Host`, `Content-Length`,
    `traceparent`). Remove what the service must not see: the gateway's session cookie, the
    client's credentials. `operation` names the request in events and errors. The reply
    `is_streamed` unless it is to be cached or shared.
    """

    method: str
    target: str
    audience: str | None
    headers: Headers = ()
    body: bytes | StreamedBody = b""
    operation: str = "forward"
    is_streamed: bool = True

    @property
    def end_to_end_headers(self) -> Headers:
        """The header fields that are sent, with names in lower case (RFC 9110, section 7.6.1)."""
        fields = [(name.lower(), value) for name, value in self.headers]
        dropped = RESERVED.union(*(tokens(value) for name, value in fields if name == _CONNECTION))
        return tuple(field for field in fields if field[0] not in dropped)
