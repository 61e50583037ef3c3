"""Whether a request that carries a session's cookie was made by our own pages, or forged."""

from collections.abc import Iterable
from typing import Final, Literal

from bff_core.call import SAFE, Headers, find_header
from bff_core.errors import NotAllowed

HEADER: Final = b"x-csrf"
"""What our pages send with each request; other sites' can't without asking first (CORS)."""

ASKED_FOR: Final = frozenset({b"empty", b"websocket"})
"""What scripts ask for (`Sec-Fetch-Dest`); all else is loaded to be shown, or run."""

Verdict = Literal["ours", "passer-by"]
"""Believe the cookie, or serve the request as anybody's."""


class Forged(NotAllowed):
    """The cookie came with a request that none of our pages can be shown to have made."""

    code = "csrf"
    title = "Cross-site request refused"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Origins:
    """The origins whose pages may use the cookie, and the rules by which they are told apart.

    1. Said to come from elsewhere (`Origin`, `Sec-Fetch-Site`): refused, or served as anybody's
       where it only shows a page, a script or an image.
    2. A handshake of a web socket, to which no page can add a header: ours with one allowed
       `Origin`, which every browser sends; refused otherwise.
    3. With the header `X-CSRF`: ours; if it changes something, only with an `Origin` or a
       `Sec-Fetch-Site` as well.
    4. Event streams, which can't carry a header: ours if an allowed `Origin` or
       `Sec-Fetch-Site: same-origin` says so.
    5. Without the header: served as anybody's where it only shows a page, a script or an image;
       refused otherwise.

    Source: OAuth 2.0 for Browser-Based Applications, section 6.1.3.3; Fetch Metadata.
    """

    __slots__ = ("_allowed", "_alone")

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(origin.encode() for origin in allowed)
        self._alone = [[origin] for origin in self._allowed]

    def judge(self, method: str, headers: Headers) -> Verdict:
        """Return what to make of a request with a cookie; raises `Forged`.

        The `method` of a handshake is "WEBSOCKET", as in `Scope.method`, or "GET".
        """
        if _is_handshake(method, headers):
            if [value for name, value in headers if name == b"origin"] in self._alone:
                return "ours"
            raise Forged(
                "Send Origin with the address of the page that opens the web socket, one of those "
                "that are allowed here; browsers do so by themselves.",
                "origin_of_socket",
            )
        origin = find_header(headers, b"origin")
        site = find_header(headers, b"sec-fetch-site")
        is_allowed = origin in self._allowed
        is_ours = is_allowed or site == b"same-origin"
        is_elsewhere = (origin is not None and not is_allowed) or (
            site not in {None, b"same-origin"} and not is_allowed
        )
        if is_elsewhere:
            return _shown(
                method,
                headers,
                "The request comes from another site: its Origin or Sec-Fetch-Site is not of an "
                "address that is allowed here.",
                "other_origin",
            )
        if find_header(headers, HEADER):
            if is_ours or method in SAFE:
                return "ours"
            raise Forged(
                "Send the header Origin with the address of the page (as browsers do by "
                "themselves), or Sec-Fetch-Site: same-origin: the request changes something.",
                "no_origin",
            )
        if is_ours and _cannot_carry(method, headers):
            return "ours"
        return _shown(
            method,
            headers,
            "Send the header X-CSRF: 1 with requests of your pages"
            + ("." if is_ours or method in SAFE else ", and Origin with the address of the page."),
            "no_csrf_header",
        )


def _is_handshake(method: str, headers: Headers) -> bool:
    """Whether a request opens a web socket (RFC 6455, section 4.1)."""
    if method != "GET":
        return method == "WEBSOCKET"
    return (find_header(headers, b"upgrade") or b"").strip().lower() == b"websocket"


def _cannot_carry(method: str, headers: Headers) -> bool:
    """Whether browsers give pages no way to add a header."""
    if method != "GET":
        return False
    return (find_header(headers, b"accept") or b"").startswith(b"text/event-stream")


def _shown(method: str, headers: Headers, why: str, reason: str) -> Verdict:
    """Serve what a browser loads to show it, without the cookie; refuse all else."""
    what = find_header(headers, b"sec-fetch-dest")
    if what is None:
        is_shown = (find_header(headers, b"accept") or b"").startswith(b"text/html")
    else:
        is_shown = what not in ASKED_FOR
    if is_shown and method in SAFE:
        return "passer-by"
    raise Forged(why, reason)
