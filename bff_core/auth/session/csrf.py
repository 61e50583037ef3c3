"""CSRF protection: whether a page of an allowed origin made a request with a session cookie."""

from collections.abc import Iterable
from typing import Final, Literal

from bff_core.call import SAFE, Headers, find_header
from bff_core.errors import NotAllowed

HEADER: Final = b"x-csrf"
"""The header that allowed pages send; pages of other sites need a CORS preflight for it."""

SCRIPT_DESTINATIONS: Final = frozenset({b"empty", b"websocket"})
"""`Sec-Fetch-Dest` of requests by scripts; browsers send others to show or run what they load."""

Trust = Literal["trusted", "anonymous"]
"""Whether the cookie counts, or the request is served as that of an anonymous caller."""


class Forged(NotAllowed):
    """The request carries the cookie, but nothing shows that an allowed page made it."""

    code = "csrf"
    title = "Cross-site request refused"

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class CsrfProtection:
    """Checks requests that carry the session cookie; `allowed` lists origins that may use it.

    1. From another origin (`Origin`, `Sec-Fetch-Site`): served without the cookie if the browser
       loads a page, a script or an image; refused otherwise.
    2. A WebSocket handshake, to which no page can add a header: trusted with one allowed
       `Origin`, which every browser sends; refused otherwise.
    3. With the header `X-CSRF`: trusted; an unsafe method also needs an allowed `Origin`, or
       `Sec-Fetch-Site: same-origin`.
    4. An event stream, for which browsers can't add a header: trusted with an allowed `Origin` or
       `Sec-Fetch-Site: same-origin`.
    5. Without the header: served without the cookie if the browser loads a page, a script or an
       image; refused otherwise.

    Source: OAuth 2.0 for Browser-Based Applications, section 6.1.3.3; Fetch Metadata.
    """

    __slots__ = ("_allowed", "_single_headers")

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(origin.encode() for origin in allowed)
        self._single_headers = [[origin] for origin in self._allowed]

    def check(self, method: str, headers: Headers) -> Trust:
        """Return whether the cookie of a request counts; raise `Forged` to refuse the request.

        The `method` of a handshake is "WEBSOCKET", as in `Scope.method`, or "GET".
        """
        if _is_websocket_handshake(method, headers):
            if [value for name, value in headers if name == b"origin"] in self._single_headers:
                return "trusted"
            raise Forged(
                "Send Origin with the address of the page that opens the web socket, one of those "
                "that are allowed here; browsers do so by themselves.",
                "origin_of_socket",
            )
        origin = find_header(headers, b"origin")
        site = find_header(headers, b"sec-fetch-site")
        is_allowed = origin in self._allowed
        is_same_origin = is_allowed or site == b"same-origin"
        is_cross_origin = (origin is not None and not is_allowed) or (
            site not in {None, b"same-origin"} and not is_allowed
        )
        if is_cross_origin:
            return _check_navigation(
                method,
                headers,
                "The request comes from another site: its Origin or Sec-Fetch-Site does not name "
                "an origin that is allowed here.",
                "other_origin",
            )
        if find_header(headers, HEADER):
            if is_same_origin or method in SAFE:
                return "trusted"
            raise Forged(
                "Send the header Origin with the address of the page (as browsers do by "
                "themselves), or Sec-Fetch-Site: same-origin: the request changes something.",
                "no_origin",
            )
        if is_same_origin and _is_event_stream(method, headers):
            return "trusted"
        return _check_navigation(
            method,
            headers,
            "Send the header X-CSRF: 1 with requests of your pages"
            + (
                "."
                if is_same_origin or method in SAFE
                else ", and Origin with the address of the page."
            ),
            "no_csrf_header",
        )


def _is_websocket_handshake(method: str, headers: Headers) -> bool:
    """Return whether a request opens a WebSocket (RFC 6455, section 4.1)."""
    if method != "GET":
        return method == "WEBSOCKET"
    return (find_header(headers, b"upgrade") or b"").strip().lower() == b"websocket"


def _is_event_stream(method: str, headers: Headers) -> bool:
    """Return whether a request opens an event stream, to which a page can't add a header."""
    if method != "GET":
        return False
    return (find_header(headers, b"accept") or b"").startswith(b"text/event-stream")


def _check_navigation(method: str, headers: Headers, message: str, reason: str) -> Trust:
    """Serve a request that loads a page, script or image without the cookie; refuse any other."""
    destination = find_header(headers, b"sec-fetch-dest")
    if destination is None:
        is_navigation = (find_header(headers, b"accept") or b"").startswith(b"text/html")
    else:
        is_navigation = destination not in SCRIPT_DESTINATIONS
    if is_navigation and method in SAFE:
        return "anonymous"
    raise Forged(message, reason)
