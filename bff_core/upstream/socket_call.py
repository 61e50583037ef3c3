"""Opens a web socket to a service for a client: through the layers of any call."""

from typing import Final

from msgspec import structs

from bff_core.call import Headers, Reply, SocketOffer
from bff_core.errors import InvalidInput
from bff_core.upstream.client import Upstream
from bff_core.upstream.forwarding import ForwardedRequest
from bff_core.upstream.transport.request_writer import UnsafeRequest

_HANDSHAKE: Final = b"sec-websocket-"


async def open_socket(upstream: Upstream, request: ForwardedRequest, offer: SocketOffer) -> Reply:
    """Offer a web socket to the service; return its reply.

    The body of a 101 is an `UpstreamSocket`; a reply of any other status refuses it. The deadline
    of the call bounds the wait for the reply; the permit, the connection and the endpoint are held
    until the body has ended. The fields of the client's own handshake are not sent. Raises
    `UpstreamError` where there is no reply, and `InvalidInput` for a target or a header that could
    split the request.
    """
    sent = structs.replace(request, method="GET", body=b"", is_streamed=True)
    call = upstream.forwarded(structs.replace(sent, headers=_without_handshake(sent.headers)))
    call = structs.replace(call, web_socket=offer)
    try:
        reply = await upstream.reply(call)
    except UnsafeRequest as error:
        raise InvalidInput("The request can't be forwarded: a header or its path.") from error
    reply = upstream.for_client(reply, call, request)
    return structs.replace(reply, headers=_without_handshake(reply.headers))


def _without_handshake(headers: Headers) -> Headers:
    return tuple(field for field in headers if not field[0].lower().startswith(_HANDSHAKE))
