"""Static credentials: an API key in a header, Basic authentication."""

from base64 import b64encode
from collections.abc import Callable

from bff_core.call import Call, Headers
from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.credentials import ApiKey, Basic
from bff_core.upstream.credentials.redacted_headers import RedactedValue
from bff_core.upstream.transport.request_writer import RESERVED


class StaticHeader:
    """Adds the same header to every call."""

    __slots__ = ("_headers", "_repr", "names")

    def __init__(self, name: bytes, value: bytes, text: str) -> None:
        self._headers: Headers = ((name, RedactedValue(value)),)
        self._repr = text
        self.names = frozenset({name})

    def __repr__(self) -> str:
        return self._repr

    def headers(self, _: Call) -> Headers:
        """Return the header."""
        return self._headers

    async def replaced(self, _: Call, _refused: Headers) -> None:
        """Return None: there is no other header."""


def api_key(options: ApiKey, secret: Callable[[str], str]) -> StaticHeader:
    """Return the credential of a key; raises `ConfigurationError` for a reserved header."""
    name = options.header.lower().encode()
    if name in RESERVED:
        raise ConfigurationError(
            f"ApiKey.header must not be {options.header!r}, which the transport sets"
        )
    return StaticHeader(name, secret(options.secret).encode(), f"a key as {options.header.lower()}")


def basic(options: Basic, secret: Callable[[str], str]) -> StaticHeader:
    """Return the credential of a name and a password (RFC 7617, section 2)."""
    pair = f"{options.username}:{secret(options.secret)}".encode()
    return StaticHeader(
        b"authorization", b"Basic " + b64encode(pair), f"Basic as {options.username}"
    )
