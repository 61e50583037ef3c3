"""The JSON of requests that the API page sends, and of routes without code."""

from typing import Literal

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


class ProxyTarget(msgspec.Struct, kw_only=True):
    """An upstream that gets requests of a proxied route; `by` is what a canary is chosen by."""

    upstream: str
    kind: Literal["main", "canary", "mirror"] = "main"
    percent: float = 100.0
    by: str = ""


class ProxyRouteInfo(msgspec.Struct, kw_only=True):
    """A route without code: what it matches, where its requests go, and where it is declared.

    No `methods` are all of them. `conditions` are in words, and all hold. `files` is a folder in
    place of `targets`. `place` is a file with a line, empty for a route in Python. `options` says
    in words what differs from the defaults of routes.
    """

    id: str
    path: str
    access: str
    methods: list[str] = []
    conditions: list[str] = []
    targets: list[ProxyTarget] = []
    files: str = ""
    place: str = ""
    options: list[str] = []
