"""How a streamed request body is sent: framed, and read no faster than the service takes it."""

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
        """Write a part of the body."""
        ...

    async def drained(self) -> None:
        """Wait until the service has read enough of what was written."""
        ...


async def upload(body: StreamedBody, sink: UploadSink) -> None:
    """Write the body of a request; in chunks if its length is unknown (RFC 9112, section 7.1).

    Raises what the body's own iterator raises. Returns early if the connection is lost: the
    exchange has the error.
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
