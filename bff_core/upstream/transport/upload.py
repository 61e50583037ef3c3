"""A streamed request body on its way to a service: framed, and read no faster than it is sent."""

from contextlib import aclosing
from typing import Protocol

from bff_core.streamed_body import StreamedBody


class UploadSink(Protocol):
    """The connection that a body is written to."""

    @property
    def is_open(self) -> bool:
        """Whether neither side has closed it."""
        ...

    def write(self, data: bytes, /) -> None:
        """Write a part of the request that is under way."""
        ...

    async def drained(self) -> None:
        """Wait until the service has read enough of what was written."""
        ...


async def upload(body: StreamedBody, sink: UploadSink) -> None:
    """Write a body that follows its head; in chunks where its length is unknown (RFC 9112, 7.1).

    Raises what the body's own iterator raises. A connection that is lost ends it in silence: its
    exchange knows why.
    """
    is_chunked = body.length is None
    async with aclosing(body.open()) as pieces:
        async for piece in pieces:
            if not sink.is_open:
                return
            sink.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
            await sink.drained()
    if is_chunked and sink.is_open:
        sink.write(b"0\r\n\r\n")
