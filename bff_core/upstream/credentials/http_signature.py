"""HTTP message signatures (RFC 9421), by a key that gateway and service share."""

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from bff_core.call import Call, Headers
from bff_core.clock import Clock
from bff_core.errors import ConfigurationError
from bff_core.policy.edge.webhook_signature import key_of
from bff_core.policy.upstream.credentials import Signature
from bff_core.policy.upstream.signature import Component, digest_field, parameters, sign
from bff_core.upstream.credentials.redacted_headers import RedactedValue

MIN_KEY_BYTES: Final = 16
"""A shorter key can be guessed from one signature."""

_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class HTTPSignature:
    """Signs calls to one upstream. Each attempt is signed anew, since a signature has a time."""

    names: Final = frozenset({b"content-digest", b"signature", b"signature-input"})

    def __init__(
        self,
        options: Signature,
        secret: Callable[[str], str],
        addresses: Sequence[str],
        *,
        wall: Clock,
    ) -> None:
        self._options = options
        self._label = options.label.encode()
        self._key = _key(options.secret, secret)
        self._authority, self._base = _origin(options, addresses)
        self._wall = wall

    def __repr__(self) -> str:
        return f"signed by {self._options.key_id}"

    def headers(self, call: Call) -> Headers:
        """Return the headers with the signature of a call, and the digest of its body."""
        covered, fields = self._covered(call)
        signed = parameters(covered, created=int(self._wall()), key_id=self._options.key_id)
        signature = sign(self._key, covered, signed)
        return (
            *fields,
            (b"signature-input", self._label + b"=" + signed.encode()),
            (b"signature", RedactedValue(self._label + b"=" + signature)),
        )

    async def replaced(self, _: Call, _refused: Headers) -> None:
        """Return None: there is no other key."""

    def _covered(self, call: Call) -> tuple[list[Component], Headers]:
        """Return the signed components, and the header that the call needs for them.

        The body of a call that could have one is covered even if it is empty, so that none can be
        added on the way.
        """
        path, _, query = call.target.partition("?")
        covered = [("@method", call.method)]
        if self._options.authority:
            covered.append(("@authority", self._authority))
        covered += [("@path", self._base + path), ("@query", f"?{query}")]
        if not call.body and call.method not in _WITH_BODY:
            return covered, ()
        if not isinstance(call.body, bytes):
            raise ConfigurationError(
                f"{call.upstream}: {call.operation}: a streamed body can't be signed, since its "
                "digest is sent before it: pass bytes, or call through an upstream class without "
                "Signature"
            )
        digest = digest_field(call.body)
        return [*covered, ("content-digest", digest.decode())], ((b"content-digest", digest),)


def _key(name: str, secret: Callable[[str], str]) -> bytes:
    try:
        key = key_of(secret(name))
    except ValueError as error:
        raise ConfigurationError(f"BFF_SECRET_{name.upper()}: {error}") from None
    if len(key) < MIN_KEY_BYTES:
        raise ConfigurationError(
            f"BFF_SECRET_{name.upper()} signs calls: give it {MIN_KEY_BYTES} bytes or more"
        )
    return key


def _origin(options: Signature, addresses: Sequence[str]) -> tuple[str, str]:
    """Return the authority and the base path of all addresses."""
    parts = [urlsplit(address) for address in addresses]
    authorities = {part.netloc.lower() for part in parts}
    if options.authority and len(authorities) > 1:
        raise ConfigurationError(
            "Signature covers the host, and the upstream has several: give them one name in DNS, "
            "or set Signature(authority=False)"
        )
    bases = {part.path for part in parts}
    if len(bases) > 1:
        raise ConfigurationError("Signature needs addresses that have one path in common")
    return min(authorities, default=""), min(bases, default="")
