"""Proof by a shared secret: a key in a header, a signature of the request."""

import time
from base64 import b64encode
from hashlib import sha256
from hmac import digest

from bff_core.call import Call, Headers
from bff_core.clock import Clock
from bff_core.policy.credentials import ApiKey, Signature
from bff_core.upstream.vault import Vault

EMPTY = b"sha-256=:" + b64encode(sha256(b"").digest()) + b":"


class KeySource:
    """The same header for each call."""

    def __init__(self, options: ApiKey, vault: Vault) -> None:
        value = f"{options.prefix}{vault.secret(options.secret)}"
        self._headers: Headers = ((options.header.lower().encode(), value.encode("latin-1")),)

    async def headers(self, _: Call, /) -> Headers:
        """Return the key."""
        return self._headers

    async def renewed(self, _call: Call, _refused: Headers, /) -> None:
        """Return nothing: there is no other key."""


class SignatureSource:
    """Signs each call anew (RFC 9421), its body by a digest (RFC 9530)."""

    def __init__(self, options: Signature, vault: Vault, wall: Clock = time.time) -> None:
        self._key = vault.secret(options.secret).encode()
        self._key_id = options.key_id
        self._wall = wall

    async def headers(self, call: Call, /) -> Headers:
        """Return the digest, what is signed, and the signature."""
        body = b"sha-256=:" + b64encode(sha256(call.body).digest()) + b":" if call.body else EMPTY
        path, _, query = call.target.partition("?")
        created = int(self._wall())
        signed = (
            '("@method" "@path" "@query" "content-digest")'
            f';created={created};keyid="{self._key_id}";alg="hmac-sha256"'
        )
        base = (
            f'"@method": {call.method}\n"@path": {path}\n"@query": ?{query}\n'
            f'"content-digest": {body.decode()}\n"@signature-params": {signed}'
        )
        signature = b64encode(digest(self._key, base.encode(), "sha256"))
        return (
            (b"content-digest", body),
            (b"signature-input", f"bff={signed}".encode()),
            (b"signature", b"bff=:" + signature + b":"),
        )

    async def renewed(self, _call: Call, _refused: Headers, /) -> None:
        """Return nothing: a signature that is refused would be refused again."""
