"""Sends a streamed request body, no faster than the service reads it."""

from contextlib import aclosing

from bff_core.streamed_body import StreamedBody
from bff_core.upstream.transport.connection import WireConnection


async def upload(body: StreamedBody, connection: WireConnection) -> None:
    """Write the body of a request; in chunks if its length is unknown (RFC 9112, section 7.1).

    Raises what the body's own iterator raises. Returns early if the connection is lost: the
    exchange has that error.
    """
    is_chunked = body.length is None
    async with aclosing(body.open()) as pieces:
        async for piece in pieces:
            if not connection.is_open:
                return
            connection.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
            await connection.drained()
    if is_chunked and connection.is_open:
        connection.write(b"0\r\n\r\n")
