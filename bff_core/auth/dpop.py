"""DPoP: proof that the sender of an access token holds the key it is bound to (RFC 9449)."""

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from cachetools import TTLCache

from bff_core.auth import base64url
from bff_core.auth.issuer_config import ALGORITHMS
from bff_core.auth.jwt import instant_of, is_signed, parse, public_key_of
from bff_core.auth.refusal_reasons import REFUSAL, CredentialsRefused
from bff_core.clock import Clock
from bff_core.errors import ConfigurationError, NotAuthenticated
from bff_core.keywords import checks_keywords
from bff_core.redis.interface import RedisInterface
from bff_core.scope import Scope

NONCE_SECONDS: Final = 300.0
"""Seconds for which the gateway sends one nonce; it accepts the nonce for as long again."""

MAX_ID_LENGTH: Final = 256

_INVALID_IN_URL: Final = re.compile(r"[\x00-\x20\x7f\\]")


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class DPoP:
    """The options of DPoP: which proofs a gateway accepts.

    With `required`, tokens that are bound to no key are refused. `leeway` is how old a proof may
    be, and how far clocks may differ (seconds). With `nonces`, a proof has to hold a nonce of the
    gateway, so that no proof can be made in advance. `algorithms` lists the accepted signature
    algorithms. `remembered` is how many proofs one process stores to detect replays.
    """

    required: bool = False
    leeway: float = 60.0
    nonces: bool = False
    algorithms: tuple[str, ...] = ("ES256", "EdDSA", "Ed25519")
    remembered: int = 200_000

    def __post_init__(self) -> None:
        if not self.algorithms or any(one not in ALGORITHMS for one in self.algorithms):
            raise ConfigurationError(f"DPoP: algorithms are of {', '.join(ALGORITHMS)}")
        if not 1 <= self.leeway <= 300 or self.remembered < 1000:
            raise ConfigurationError("DPoP: leeway is 1 to 300 seconds, remembered 1000 or more")

    @property
    def challenge(self) -> str:
        """The `WWW-Authenticate` value that names the accepted algorithms."""
        return f'DPoP algs="{" ".join(self.algorithms)}"'


class ProofVerifier:
    """Verifies the DPoP proof of each request, and refuses a proof that was used before.

    `origin` is the public URL of the gateway. Used proofs are stored in the memory of the process,
    or in Redis with a `link`, where all processes find them.
    """

    def __init__(
        self,
        options: DPoP,
        *,
        origin: str,
        secret: str = "",
        link: RedisInterface | None = None,
        clock: Clock,
        wall: Clock = time.time,
    ) -> None:
        self._options = options
        self._origin = urlsplit(origin)
        self._secret = secret.encode() or os.urandom(32)
        self._link = link
        self._wall = wall
        self._used: TTLCache[bytes, None] = TTLCache(
            options.remembered, ttl=2 * options.leeway, timer=clock
        )

    async def check(self, scope: Scope, token: bytes, thumbprint: str) -> None:
        """Verify the proof of a request for its token; raise `NotAuthenticated` if it fails."""
        if self._options.nonces:
            scope.added.append((b"dpop-nonce", self._nonce(0).encode()))
        try:
            is_new = await self._verify(scope, token, thumbprint)
        except CredentialsRefused as refused:
            reason = f"proof_{refused}"
            challenge = self._options.challenge
            raise NotAuthenticated(REFUSAL, challenge=challenge, reason=reason) from None
        if not is_new:
            challenge = self._options.challenge
            raise NotAuthenticated(REFUSAL, challenge=challenge, reason="proof_replayed")

    async def _verify(self, scope: Scope, token: bytes, thumbprint: str) -> bool:
        """Return whether the proof is new; raise `CredentialsRefused` if it is not valid."""
        sent = [value for name, value in scope.headers if name == b"dpop"]
        if len(sent) != 1:
            raise CredentialsRefused("count")
        claims, known = self._verify_signature(sent[0])
        if not compare_digest(known, thumbprint):
            raise CredentialsRefused("thumbprint")
        self._check_claims(claims, scope, token)
        return await self._record(known, claims)

    def _verify_signature(self, proof: bytes) -> tuple[Mapping[str, object], str]:
        """Return the claims of a proof and the thumbprint of the key that signed it."""
        jwt = parse(proof)
        if jwt.typ != "dpop+jwt" or jwt.algorithm not in self._options.algorithms:
            raise CredentialsRefused("type")
        key = public_key_of(jwt.header.get("jwk"))
        if jwt.algorithm not in key.algorithms or not is_signed(jwt, key):
            raise CredentialsRefused("signature")
        return jwt.claims, key.thumbprint

    def _check_claims(self, claims: Mapping[str, object], scope: Scope, token: bytes) -> None:
        issued = instant_of(claims, "iat", required=True)
        if abs(self._wall() - issued) > self._options.leeway:
            raise CredentialsRefused("iat")
        method = "GET" if scope.method == "WEBSOCKET" else scope.method  # RFC 6455, section 4.1
        if claims.get("htm") != method or not self._is_url_of(claims.get("htu"), scope):
            raise CredentialsRefused("request")
        if claims.get("ath") != base64url.encode(sha256(token).digest()):
            raise CredentialsRefused("ath")
        if self._options.nonces and claims.get("nonce") not in {self._nonce(0), self._nonce(1)}:
            challenge = f'{self._options.challenge}, error="use_dpop_nonce"'
            raise NotAuthenticated(REFUSAL, challenge=challenge, reason="proof_nonce")

    def _is_url_of(self, url: object, scope: Scope) -> bool:
        """Return whether a claim is the URL of the request, without query and fragment (4.3).

        A URL with a user name is refused, and so is one with characters that `urlsplit` drops or
        that browsers read as a slash.
        """
        if not isinstance(url, str) or _INVALID_IN_URL.search(url):
            return False
        try:
            parts = urlsplit(url)
            is_ours = "@" not in parts.netloc and _origin_of(parts) == _origin_of(self._origin)
        except ValueError:
            return False
        base, path = self._origin.path, scope.path
        if base and not path.startswith(f"{base}/"):  # a proxy has stripped it
            path = base + path
        return is_ours and unquote(parts.path or "/") == path

    def _nonce(self, age: int) -> str:
        bucket = int(self._wall() // NONCE_SECONDS) - age
        return base64url.encode(digest(self._secret, b"nonce %d" % bucket, "sha256")[:18])

    async def _record(self, thumbprint: str, claims: Mapping[str, object]) -> bool:
        """Store a proof for as long as it is valid; return whether it is new."""
        proof_id = claims.get("jti")
        if not isinstance(proof_id, str) or not 1 <= len(proof_id) <= MAX_ID_LENGTH:
            raise CredentialsRefused("jti")
        name, life = sha256(f"{thumbprint} {proof_id}".encode()).digest(), 2 * self._options.leeway
        if self._link is not None:
            key = f"bff:dpop:{name.hex()}"
            return await self._link.run("SET", key, "seen", "NX", "PX", int(life * 1000)) == b"OK"
        if name in self._used:
            return False
        self._used[name] = None
        return True


def _origin_of(parts: SplitResult) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port, with the default port where none is given."""
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, usual if parts.port is None else parts.port
