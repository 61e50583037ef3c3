"""Decides who may use the console: developers on their machine, and operators with the token."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from starlette.requests import Request

from bff_core.admin.operator_token import OperatorToken, bearer_of
from bff_core.clock import Clock
from bff_core.console.answers import ConsoleProblem
from bff_core.console.sign_in.operator_session import EndedSessions, OperatorSessions
from bff_core.events import Events

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

CSRF_HEADER: Final = "x-bff-console"
"""The header that unsafe requests need: pages of other origins can't send it."""

COOKIE: Final = "bff-console"
"""The cookie of an operator's session; over https its name begins with `__Secure-`."""

_SINGLE: Final = (
    "host",
    "authorization",
    "content-type",
    "origin",
    "sec-fetch-mode",
    "sec-fetch-site",
    CSRF_HEADER,
)

_LOOPBACK: Final = re.compile(
    r"(localhost|[a-z0-9-]+\.localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE
)


_ACTOR: Final = "bff.console.actor"
"""Where a request holds who sent it."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who uses the console, and may change all that it can change.

    `session` is the nonce of their session, empty for developers and bearer tokens.
    """

    name: str
    session: str = ""


class SignInRequired(ConsoleProblem):
    """A request without a session; pages show the form for the operator token."""

    def __init__(self) -> None:
        super().__init__(
            401,
            "Sign in",
            "Open /console and enter the operator token, or send it as Authorization: Bearer.",
            headers={"www-authenticate": "Bearer"},
        )


class Access:
    """Admits requests to one console.

    In development, requests from this machine for a loopback host need no session. All others need
    the operator token `token`, or a session that was opened with it; without a token they are
    refused. `is_allowed_host` checks `Host`; `is_secure` says that browsers use https although a
    proxy uses http. `ended` are the sessions that were signed out.
    """

    def __init__(
        self,
        *,
        is_development: bool,
        token: OperatorToken | None = None,
        gateway: str = "",
        is_secure: bool = False,
        is_allowed_host: Callable[[bytes], bool] = lambda _: True,
        ended: EndedSessions | None = None,
        wall: Clock = time.time,
    ) -> None:
        self._is_development = is_development
        self._token = token or OperatorToken("", Events())
        self._is_secure = is_secure
        self._is_allowed_host = is_allowed_host
        self.sessions = OperatorSessions(
            self._token, gateway, wall=wall, ended=EndedSessions(wall) if ended is None else ended
        )

    def admit(self, request: Request, *, is_expected_origin: bool = False) -> Actor:
        """Return who sent a request; raises `ConsoleProblem` for one that is refused.

        A page of another origin is refused, unless it `is_expected_origin`.
        """
        refuse_doubled_headers(request)
        actor = self._actor(request)
        if not is_expected_origin:
            refuse_other_sites(request)
        check_change(request)
        return actor

    def _actor(self, request: Request) -> Actor:
        if self._is_development and is_loopback(request.headers.get("host", "")):
            if is_local(request):
                return Actor("developer")
            if not self._token.is_set:
                raise ConsoleProblem(
                    403,
                    "The console is open on this machine only",
                    "To open it from another machine or container set BFF_OPERATOR_TOKEN.",
                )
        self.check_host(request)
        given = request.headers.get("authorization", "")
        if given:
            self.check_token(request, bearer_of(given.encode("latin-1")))
            return Actor("operator")
        session = self.sessions.nonce(request.cookies.get(self.cookie(request), ""))
        if session is None:
            raise SignInRequired
        return Actor("operator", session=session)

    def check_host(self, request: Request) -> None:
        """Raise a `ConsoleProblem` where no token opens the console, or for another host."""
        host = request.headers.get("host", "")
        if not self._token.is_set:
            raise ConsoleProblem(
                403,
                "The console is open on this machine only",
                "Open it at http://localhost, or set BFF_CONSOLE=on and BFF_OPERATOR_TOKEN.",
            )
        if not self._is_allowed_host(host.encode("latin-1")):
            raise ConsoleProblem(
                400, "This host is not served here", "Use a host of BFF_ALLOWED_HOSTS."
            )

    def check_token(self, request: Request, given: bytes) -> None:
        """Raise a `ConsoleProblem` for a wrong token: 401, and 429 after too many of them."""
        if not given:
            raise SignInRequired
        refusal = self._token.refusal(given, address_of(request), "console")
        if refusal is None:
            return
        if not refusal.wait:
            raise SignInRequired
        raise ConsoleProblem(
            429,
            "Too many wrong tokens",
            "Send the right one: it is accepted at once.",
            headers=refusal.headers,
        )

    def is_https(self, request: Request) -> bool:
        """Whether the browser uses https."""
        return self._is_secure or request.url.scheme == "https"

    def cookie(self, request: Request) -> str:
        """Return the name of the session's cookie; over http it has no prefix."""
        return f"__Secure-{COOKIE}" if self.is_https(request) else COOKIE


def actor_of(request: Request) -> Actor:
    """Return who sent a request that was admitted."""
    found = request.scope[_ACTOR]
    assert isinstance(found, Actor)  # noqa: S101 - `set_actor` sets it
    return found


def set_actor(request: Request, actor: Actor) -> None:
    """Store who sent a request, for `actor_of`."""
    request.scope[_ACTOR] = actor


def address_of(request: Request) -> str:
    """Return the address of the client, as trusted proxies report it; empty for a Unix socket."""
    return request.client.host if request.client is not None else ""


def is_local(request: Request) -> bool:
    """Whether a request came from this machine: others can send any `Host`."""
    address = address_of(request)
    try:
        return not address or ip_address(address).is_loopback
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether a `Host` names this machine: others may resolve to it (DNS rebinding)."""
    return _LOOPBACK.fullmatch(host) is not None


def refuse_doubled_headers(request: Request) -> None:
    """Raise a `ConsoleProblem` if a header that access depends on was sent twice.

    Proxies and servers differ in which of the two counts (RFC 9110, section 5.3).
    """
    for name in _SINGLE:
        if len(request.headers.getlist(name)) > 1:
            raise ConsoleProblem(400, f"The header {name} was sent twice", "Send it once.")


def refuse_other_sites(request: Request) -> None:
    """Raise a `ConsoleProblem` for what a page of another origin loads; links to it are fine."""
    site = request.headers.get("sec-fetch-site", "none")
    is_link = request.headers.get("sec-fetch-mode") == "navigate" and request.method == "GET"
    if site not in {"same-origin", "none"} and not is_link:
        raise ConsoleProblem(
            403, "This request comes from another site", "Open the console in a tab of its own."
        )


def check_change(request: Request) -> None:
    """Raise a `ConsoleProblem` for an unsafe request that a page of another origin may send."""
    if request.method in SAFE_METHODS:
        return
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.headers.get(CSRF_HEADER) != "1" or kind != "application/json":
        raise ConsoleProblem(
            403,
            "This request may come from another site",
            "Send Content-Type: application/json and X-BFF-Console: 1.",
        )
