"""Proof that whoever sends an access token has the key it is bound to (DPoP, RFC 9449)."""

import os
import re
import time
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from bff_core.auth.issuer import ALGORITHMS
from bff_core.auth.jwt import instant_of, is_signed, parse, public_key_of
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.clock import Clock
from bff_core.errors import ConfigurationError, NotAuthenticated
from bff_core.redis.interface import RedisInterface
from bff_core.scope import Scope

NONCE_LIFE: Final = 300.0
"""Seconds for which one nonce is told; it is taken for as long again."""

LONGEST_ID: Final = 256

_FOREIGN: Final = re.compile(r"[\x00-\x20\x7f\\]")

REFUSAL: Final = "The access token is not valid."


@dataclass(frozen=True, slots=True, kw_only=True)
class DPoP:
    """How proofs are taken.

    With `required`, tokens that are bound to no key are refused. `leeway` is how old a proof may
    be, and how far clocks may differ (seconds). With `nonces`, proofs have to hold one that the
    gateway told, so that none can be made in advance. `algorithms` are those that are taken.
    `remembered` are the proofs of one process that are not taken twice.
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
        """How to prove it."""
        return f'DPoP algs="{" ".join(self.algorithms)}"'


class Proofs:
    """Checks the proof of each request, and takes none twice.

    `origin` is where clients find the gateway. Proofs are remembered by this process, or in what
    `link` leads to, by all.
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
        self._clock = clock
        self._wall = wall
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    async def check(self, scope: Scope, token: bytes, thumbprint: str) -> None:
        """Raise `NotAuthenticated` unless the request proves the key of its token."""
        if self._options.nonces:
            scope.added.append((b"dpop-nonce", self._nonce(0).encode()))
        try:
            is_new = await self._is_proved(scope, token, thumbprint)
        except CredentialsRefused as refused:
            reason = f"proof_{refused}"
            challenge = self._options.challenge
            raise NotAuthenticated(REFUSAL, challenge=challenge, reason=reason) from None
        if not is_new:
            challenge = self._options.challenge
            raise NotAuthenticated(REFUSAL, challenge=challenge, reason="proof_replayed")

    async def _is_proved(self, scope: Scope, token: bytes, thumbprint: str) -> bool:
        """Whether the proof is good, and was not sent before; raises `CredentialsRefused`."""
        sent = [value for name, value in scope.headers if name == b"dpop"]
        if len(sent) != 1:
            raise CredentialsRefused("count")
        claims, known = self._signed(sent[0])
        if not compare_digest(known, thumbprint):
            raise CredentialsRefused("thumbprint")
        self._judge(claims, scope, token)
        return await self._note(known, claims)

    def _signed(self, proof: bytes) -> tuple[Mapping[str, object], str]:
        """Return the claims of a proof and the thumbprint of the key that signed it."""
        told = parse(proof)
        if told.typ != "dpop+jwt" or told.algorithm not in self._options.algorithms:
            raise CredentialsRefused("type")
        key = public_key_of(told.header.get("jwk"))
        if told.algorithm not in key.algorithms or not is_signed(told, key):
            raise CredentialsRefused("signature")
        return told.claims, key.thumbprint

    def _judge(self, claims: Mapping[str, object], scope: Scope, token: bytes) -> None:
        issued = instant_of(claims, "iat", required=True)
        if abs(self._wall() - issued) > self._options.leeway:
            raise CredentialsRefused("iat")
        method = "GET" if scope.method == "WEBSOCKET" else scope.method  # RFC 6455, section 4.1
        if claims.get("htm") != method or not self._is_here(claims.get("htu"), scope):
            raise CredentialsRefused("request")
        proved = urlsafe_b64encode(sha256(token).digest()).rstrip(b"=").decode()
        if claims.get("ath") != proved:
            raise CredentialsRefused("ath")
        if self._options.nonces and claims.get("nonce") not in {self._nonce(0), self._nonce(1)}:
            challenge = f'{self._options.challenge}, error="use_dpop_nonce"'
            raise NotAuthenticated(REFUSAL, challenge=challenge, reason="proof_nonce")

    def _is_here(self, told: object, scope: Scope) -> bool:
        """Whether a URL is that of the request, query and fragment aside (section 4.3).

        No URL of a request has a user name, and what `urlsplit` drops or browsers read as a
        slash is no part of a URL.
        """
        if not isinstance(told, str) or _FOREIGN.search(told):
            return False
        try:
            parts = urlsplit(told)
            is_ours = "@" not in parts.netloc and _place(parts) == _place(self._origin)
        except ValueError:
            return False
        base, path = self._origin.path, scope.path
        if base and not path.startswith(f"{base}/"):  # a proxy has stripped it
            path = base + path
        return is_ours and unquote(parts.path or "/") == path

    def _nonce(self, age: int) -> str:
        bucket = int(self._wall() // NONCE_LIFE) - age
        return urlsafe_b64encode(digest(self._secret, b"nonce %d" % bucket, "sha256")[:18]).decode()

    async def _note(self, thumbprint: str, claims: Mapping[str, object]) -> bool:
        """Remember a proof for as long as it could be taken; whether it is new."""
        proof_id = claims.get("jti")
        if not isinstance(proof_id, str) or not 1 <= len(proof_id) <= LONGEST_ID:
            raise CredentialsRefused("jti")
        name, life = sha256(f"{thumbprint} {proof_id}".encode()).digest(), 2 * self._options.leeway
        if self._link is not None:
            key = f"bff:dpop:{name.hex()}"
            return await self._link.run("SET", key, "seen", "NX", "PX", int(life * 1000)) == b"OK"
        now, seen = self._clock(), self._seen
        while seen and (next(iter(seen.values())) <= now or len(seen) >= self._options.remembered):
            seen.popitem(last=False)
        if name in seen:
            return False
        seen[name] = now + life
        return True


def _place(parts: SplitResult) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port, the usual port spelt out."""
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, usual if parts.port is None else parts.port
