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
from bff_core.policy.upstream.connection import KIB, Connection
from bff_core.policy.upstream.policy import Policy
from bff_core.scope import running_part
from bff_core.upstream.client import Upstream
from bff_core.upstream.provider import unmarked
from bff_core.upstream.token_reply import (
    DEFAULT_LIFETIME,
    SHORTEST_LIFETIME,
    error_in,
    reason_of,
    seconds_in,
)

LONGEST: Final = 86_400.0
"""After so many seconds another is asked for, whatever the provider says."""

ABOUT_THE_SUBJECT: Final = frozenset({
    "invalid_request", "invalid_grant", "invalid_token", "expired_token",
})  # fmt: skip
"""Those that a provider answers to a viewer's token that it does not take (RFC 8693, 2.2.2)."""

_decode: Final = msgspec.json.Decoder(dict[str, object]).decode
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
    expires_in: object = None
    issued_token_type: str = ""


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
    answer = _object_in(reply)
    error = error_in(answer)
    if reply.status != 200 or error:
        raise NoToken(reason_of(reply.status, error))
    try:
        given = msgspec.convert(answer, type=_Given)
    except msgspec.ValidationError:
        raise NoToken("malformed") from None
    if given.token_type.lower() != "bearer" or _is_token(given.access_token) is None:
        raise NoToken("token_type" if given.token_type.lower() != "bearer" else "malformed")
    if issued and given.issued_token_type not in issued:
        raise NoToken("issued_token_type")
    lifetime = seconds_in(given.expires_in)
    if lifetime is None:
        lifetime = DEFAULT_LIFETIME
    if lifetime <= 0:
        raise NoToken("expired")
    return Token(given.access_token, min(max(lifetime, SHORTEST_LIFETIME), LONGEST))


def _object_in(reply: Reply) -> Mapping[str, object]:
    """Return the JSON object of an answer; nothing where there is none."""
    try:
        return _decode(unmarked(reply.body))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return {}
