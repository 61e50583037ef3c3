"""How long an upload may be silent, and how long the service may take to answer it."""

import asyncio
from types import TracebackType
from typing import Final, Self

from starlette.exceptions import HTTPException

from bff_core.errors import RequestTimedOut
from bff_core.streamed_body import StreamedBody

GRACE_SECONDS: Final = 1.0
"""How long after the transport's own deadline the wait for the head is cancelled."""


class UploadPace:
    """A context that ends with an error if an upload stalls, or its answer is late.

    `idle` is the longest silence of both sides during the upload, in seconds; `head` is the time
    that the service has from the end of the upload.
    """

    __slots__ = ("_body", "_head", "_idle", "_is_open", "_loop", "_timeout")

    def __init__(self, idle: float, head: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle = idle
        self._head = head
        self._body: StreamedBody | None = None
        self._timeout = asyncio.timeout(idle)
        self._is_open = True

    def watch(self, body: StreamedBody) -> None:
        """Set the body, which shows which side is silent."""
        self._body = body

    def piece(self) -> None:
        """Begin to wait for the next piece."""
        self._reschedule(self._idle)

    def end(self) -> None:
        """Begin to wait for the head of the reply."""
        self._reschedule(self._head + GRACE_SECONDS)

    def _reschedule(self, seconds: float) -> None:
        # A reply may begin before the upload has ended.
        if self._is_open and not self._timeout.expired():
            self._timeout.reschedule(self._loop.time() + seconds)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_open = False
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError as late:
            if self._body is not None and self._body.is_awaited:
                message = f"The body was silent for {self._idle:g} s."
                raise HTTPException(408, message, {"connection": "close"}) from late
            raise RequestTimedOut(
                "the service did not read the upload, or did not answer it"
            ) from late
