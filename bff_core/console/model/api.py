"""The JSON of requests that the API page sends."""

import msgspec


class Send(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A request that the API page sends through the console to a gateway.

    With `with_session` the console adds the session cookie that its browser has for the gateway: in
    development only.
    """

    method: str
    path: str
    headers: list[tuple[str, str]] = []
    body: str = ""
    with_session: bool = False


class Sent(msgspec.Struct, kw_only=True):
    """The gateway's response; `text` is the body if it is text, cut at `max_bytes`."""

    status: int
    seconds: float
    headers: list[tuple[str, str]]
    text: str
    size: int
    is_cut: bool = False
    request_id: str = ""
