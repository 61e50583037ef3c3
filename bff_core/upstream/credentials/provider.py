"""The token endpoint of a provider (RFC 6749, section 3.2): how it is asked, what is believed."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Protocol
from urllib.parse import quote_plus, urlencode

import msgspec

from bff_core.call import Reply
from bff_core.errors import UpstreamError
from bff_core.policy.connection import KIB, Connection
from bff_core.policy.policy import Policy
from bff_core.scope import running_part
from bff_core.upstream.client import Upstream

UNTOLD: Final = 300.0
"""For how many seconds a token is used whose provider does not say it (RFC 6749, section 5.1)."""

LONGEST: Final = 86_400.0
"""After so many seconds another is asked for, whatever the provider says."""

KNOWN: Final = frozenset({
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
    "unsupported_grant_type", "invalid_scope", "invalid_target", "invalid_token",
})  # fmt: skip
"""The errors of RFC 6749, section 5.2, RFC 8693, section 2.2.2, and RFC 6750; told in events."""

ABOUT_THE_SUBJECT: Final = frozenset({"invalid_request", "invalid_grant", "invalid_token"})
"""Those that a provider answers to a viewer's token that it does not take (RFC 8693, 2.2.2)."""

_is_token: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,16384}=*").fullmatch


@lru_cache(maxsize=256)
def token_service(name: str) -> type[Upstream]:
    """Return the service client of a provider; one for all who ask it for tokens."""

    class TokenService(Upstream):
        policy = Policy(
            timeout=5.0, coalesce=False, keyed=False, connection=Connection(max_body=64 * KIB)
        )

    TokenService.name = name
    return TokenService


class NoToken(Exception):
    """Why a provider gave none: `reason` is a word that may be told."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Token:
    """What a provider gave, and for how many seconds."""

    value: str = field(repr=False)
    lifetime: float


class Services(Protocol):
    """The service clients of a gateway that runs."""

    def __call__(self) -> Mapping[type[Upstream], Upstream]:
        """Return them by class."""
        ...


class _Given(msgspec.Struct):
    access_token: str
    token_type: str
    expires_in: float | None = None
    issued_token_type: str = ""


class _Refusal(msgspec.Struct):
    error: str = ""


class TokenEndpoint:
    """Asks one provider for tokens, in the name of one client."""

    def __init__(
        self, upstream: str, path: str, client: tuple[str, str], services: Services
    ) -> None:
        self.kind = token_service(upstream)
        self.operation = f"POST {path}"
        self._path = path
        self._services = services
        self._headers = {
            "accept": "application/json",
            "authorization": _basic(*client),
            "content-type": "application/x-www-form-urlencoded",
        }

    async def ask(self, form: Sequence[tuple[str, str]], *, issued: Sequence[str] = ()) -> Token:
        """Return a token; raise `NoToken`.

        A form's empty values are left out. `issued` are the types of which it may be, where the
        grant has the provider tell it (RFC 8693, section 2.2.1).
        """
        running_part.set(None)  # whoever asked first, the token is for all: not by their deadline
        body = urlencode([(name, value) for name, value in form if value]).encode()
        service = self._services().get(self.kind)
        if service is None:
            raise NoToken("closed")
        try:
            reply = await service.request("POST", self._path, body=body, headers=self._headers)
        except UpstreamError as error:
            raise NoToken(error.code) from None
        return _token_of(reply, issued)


def _basic(client_id: str, secret: str) -> str:
    """Return how a client proves who it is (RFC 6749, section 2.3.1): both are encoded first."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _token_of(reply: Reply, issued: Sequence[str]) -> Token:
    if reply.status != 200:
        raise NoToken(_reason(reply))
    try:
        given = msgspec.json.decode(reply.body, type=_Given)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise NoToken("malformed") from None
    if given.token_type.lower() != "bearer" or _is_token(given.access_token) is None:
        raise NoToken("token_type" if given.token_type.lower() != "bearer" else "malformed")
    if issued and given.issued_token_type not in issued:
        raise NoToken("issued_token_type")
    lifetime = UNTOLD if given.expires_in is None else given.expires_in
    if not lifetime > 0:
        raise NoToken("expired")
    return Token(given.access_token, min(lifetime, LONGEST))


def _reason(reply: Reply) -> str:
    """Return the provider's word for it, if it is one that is known; else the status."""
    try:
        told = msgspec.json.decode(reply.body, type=_Refusal).error
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        told = ""
    return told if told in KNOWN else f"status_{reply.status}"
