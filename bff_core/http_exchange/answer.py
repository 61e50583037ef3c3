"""A complete answer: status, header fields and body, as ASGI takes them."""

from typing import NamedTuple

from starlette.responses import Response
from starlette.types import Send


class Answer(NamedTuple):
    """The status, the header fields and the body of an answer in one piece."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def as_response(self) -> Response:
        """Return the answer as a response that FastAPI sends."""
        response = Response(self.body, self.status)
        response.raw_headers = self.headers
        return response

    async def send(self, send: Send) -> None:
        """Send the answer."""
        start = {"type": "http.response.start", "status": self.status, "headers": self.headers}
        await send(start)
        await send({"type": "http.response.body", "body": self.body})
