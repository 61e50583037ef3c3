"""Parses and verifies signed tokens (JWT) strictly: RFC 7515, RFC 7519, RFC 8725.

No header of a token chooses a key: `jku`, `x5u`, `jwk` and `x5c` are ignored.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Final

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from bff_core.auth import base64url
from bff_core.auth.issuer_config import ALGORITHMS, Issuer
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.auth.weak_keys import is_weak
from bff_core.compat.joserfc import base64_to_int, is_signature

MAX_TOKEN_BYTES: Final = 8192
"""Bytes of a token in a header."""

CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}

MAX_KEYS: Final = 64
"""Keys of one issuer that are read."""

_KINDS: Final[Mapping[str, type[RSAKey] | type[ECKey] | type[OKPKey]]] = {
    "RSA": RSAKey,
    "EC": ECKey,
    "OKP": OKPKey,
}
_is_compact: Final = re.compile(rb"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+").fullmatch
_decode_object: Final = msgspec.json.Decoder(dict[str, object]).decode

VerifyingKey = RSAKey | ECKey | OKPKey
Claims = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Unverified:
    """A parsed token; nothing in it may be trusted before the signature is verified."""

    token: bytes
    algorithm: str
    key_id: str
    typ: str
    claims: Claims
    header: Claims


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key of an issuer, for signatures only; equal by its name and its thumbprint."""

    key_id: str
    algorithms: frozenset[str]
    key: VerifyingKey = field(compare=False)
    thumbprint: str


def parse(token: bytes, max_bytes: int = MAX_TOKEN_BYTES) -> Unverified:
    """Parse a token in compact form; raises `CredentialsRefused` for anything else."""
    if len(token) > max_bytes or not _is_compact(token):
        raise CredentialsRefused("no_compact_form")
    head, body, signature = token.split(b".")
    header, claims = _object(_octets(head)), _object(_octets(body))
    _octets(signature)
    algorithm, key_id, typ = header.get("alg"), header.get("kid", ""), header.get("typ", "")
    if not isinstance(algorithm, str) or not isinstance(key_id, str) or not isinstance(typ, str):
        raise CredentialsRefused("header")
    if "crit" in header or "b64" in header:  # no critical extension is supported
        raise CredentialsRefused("critical_header")
    return Unverified(token, algorithm, key_id, typ, claims, header)


def _octets(part: bytes) -> bytes:
    """Decode base64url strictly: only the canonical text of some octets is accepted."""
    try:
        octets = base64url.decode(part)
    except ValueError as error:
        raise CredentialsRefused("base64") from error
    if base64url.encode(octets).encode() != part:
        raise CredentialsRefused("base64")
    return octets


def _object(octets: bytes) -> dict[str, object]:
    try:
        return _decode_object(octets)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise CredentialsRefused("json") from error


def keys_of(document: bytes) -> tuple[PublicKey, ...]:
    """Return the keys of a JWK set (RFC 7517) that may verify signatures.

    Keys of other uses, curves and algorithms are ignored, as are weak RSA keys, and keys that are
    published with their private part: anyone can sign with those.
    Raises `ValueError` for a document that is no JWK set.
    """
    try:
        keys = _decode_object(document).get("keys")
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError("no JSON object") from error
    if not isinstance(keys, list):
        raise ValueError("no list of keys")  # noqa: TRY004 - a document, no argument
    found = [_key_of(one) for one in keys[:MAX_KEYS]]
    return tuple(key for key in found if key is not None)


def _key_of(published: object) -> PublicKey | None:
    members = published.items() if isinstance(published, dict) else ()
    # Some providers write null for a member that a key does not have.
    jwk = {name: value for name, value in members if value is not None}
    if jwk.get("use", "sig") != "sig" or jwk.keys() & _PRIVATE:
        return None
    operations = jwk.get("key_ops", ["verify"])
    key_id, kind = jwk.get("kid", ""), _KINDS.get(str(jwk.get("kty")))
    if kind is None or not isinstance(operations, list) or "verify" not in operations:
        return None
    fit = frozenset(name for name in ALGORITHMS if _fits(name, jwk))
    if not fit:
        return None
    try:
        if kind is RSAKey and is_weak(_number(jwk["n"]), _number(jwk["e"])):
            return None
        key = kind.import_key({name: value for name, value in jwk.items() if name in _PUBLIC})
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    name = key_id if isinstance(key_id, str) else ""
    return PublicKey(name, fit, key, key.thumbprint())


def _number(text: object) -> int:
    """Return the value of a Base64urlUInt (RFC 7518, section 2), as the key is imported."""
    if not isinstance(text, str):
        raise TypeError("no text")
    return base64_to_int(text)


def public_key_of(jwk: object) -> PublicKey:
    """Return the key in a proof's header; raises `CredentialsRefused` for an unsuitable one."""
    key = _key_of(jwk)
    if key is None:
        raise CredentialsRefused("jwk")
    return key


_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

_PUBLIC: Final = frozenset({"kty", "n", "e", "crv", "x", "y"})
"""Members that a verifying key is imported from; private ones are refused."""


def _fits(algorithm: str, jwk: Mapping[str, object]) -> bool:
    """Return whether a key may verify signatures of an algorithm (RFC 8725, section 3.1)."""
    if ALGORITHMS[algorithm] != jwk.get("kty") or jwk.get("alg", algorithm) != algorithm:
        return False
    if algorithm in CURVES:
        return jwk.get("crv") == CURVES[algorithm]
    if ALGORITHMS[algorithm] == "OKP":
        return jwk.get("crv") == "Ed25519"
    return True


def key_for(token: Unverified, keys: Sequence[PublicKey]) -> PublicKey | None:
    """Return the key that a token names; if it names none, the only key for its algorithm.

    If several keys have the same name, the first one is returned.
    """
    fit = [one for one in keys if token.algorithm in one.algorithms]
    if not token.key_id:
        return fit[0] if len(fit) == 1 else None
    return next((one for one in fit if one.key_id == token.key_id), None)


def verify(
    token: Unverified, key: PublicKey, issuer: Issuer, wall: float, *, names_subject: bool = True
) -> Claims:
    """Return the claims of a token that is signed, valid at a Unix time and for this audience.

    Raises `CredentialsRefused`, also for a token without `sub`, unless `names_subject` is False.
    """
    if token.algorithm not in issuer.algorithms or token.algorithm not in key.algorithms:
        raise CredentialsRefused("algorithm")
    if not is_signed(token, key):
        raise CredentialsRefused("signature")
    check_claims(token, issuer, wall)
    subject = token.claims.get("sub")
    if names_subject and not (isinstance(subject, str) and subject):
        raise CredentialsRefused("subject")
    return token.claims


def is_signed(token: Unverified, key: PublicKey) -> bool:
    """Return whether a token was signed by a key."""
    message, _, signature = token.token.rpartition(b".")
    try:
        return is_signature(_octets(signature), message, algorithm=token.algorithm, key=key.key)
    except (JoseError, ValueError):
        return False


def check_claims(token: Unverified, issuer: Issuer, wall: float) -> Claims:
    """Return the claims of a token that is valid and for this audience, whatever its signature.

    Raises `CredentialsRefused`.
    """
    claims = token.claims
    if not issuer.is_accepted(token.typ):
        raise CredentialsRefused("typ")
    if claims.get("iss") != issuer.issuer:
        raise CredentialsRefused("issuer")
    if not audiences_of(claims.get("aud")) & set(issuer.audience):
        raise CredentialsRefused("audience")
    if instant_of(claims, "exp", required=True) + issuer.leeway <= wall:
        raise CredentialsRefused("expired")
    if (
        instant_of(claims, "nbf") - issuer.leeway > wall
        or instant_of(claims, "iat") - issuer.leeway > wall
    ):
        raise CredentialsRefused("not_yet")
    if any(claims.get(name) is None for name in issuer.required):
        raise CredentialsRefused("claim_missing")
    return claims


def audiences_of(aud: object) -> set[str]:
    """Return the audiences in an `aud`, one or several."""
    names = aud if isinstance(aud, list) else [aud]
    return {name for name in names if isinstance(name, str)}


def instant_of(claims: Claims, name: str, *, required: bool = False) -> float:
    """Return a NumericDate claim; 0 if it is missing and not required."""
    value = claims.get(name)
    if value is None and not required:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CredentialsRefused(name)
    try:
        instant = float(value)
    except OverflowError as error:  # an integer of hundreds of digits
        raise CredentialsRefused(name) from error
    if not isfinite(instant):
        raise CredentialsRefused(name)
    return instant


def auth_time_of(claims: Claims, latest: float) -> float:
    """Return when the user authenticated, as a Unix time; 0 if unknown."""
    try:
        at = instant_of(claims, "auth_time")
    except CredentialsRefused:
        return 0.0
    return at if 0 < at <= latest else 0.0


def acr_of(claims: Claims) -> str:
    """Return the authentication class of the user; empty if unknown."""
    acr = claims.get("acr")
    return acr if isinstance(acr, str) else ""
