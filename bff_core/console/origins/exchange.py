"""What a console and the gateways' processes send each other about origins."""

from typing import Final

import msgspec

ORIGINS: Final = "screens.origins"
"""The command that returns `FoundOrigins` for an `OriginsRequest`; only in development."""


class OriginsRequest(msgspec.Struct, kw_only=True):
    """A request whose stored response is to be divided among parts.

    `span_id` is that of its record, `target` has the query. `body` is that of the request,
    `response` that of the response.
    """

    method: str
    target: str
    span_id: str = ""
    body: str = ""
    response: str


class FoundOrigins(msgspec.Struct, kw_only=True):
    """JSON pointers of a response to parts, and the bytes of each part, as far as known."""

    origins: dict[str, str] = {}
    sent: dict[str, int] = {}
