"""Makes the provider's tokens (RFC 9068, OpenID Connect Core), and reads its own."""

import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet
from joserfc.jws import extract_compact

from services_mock.data import users
from services_mock.identity.book import Book, Grant, Opaque

ALGORITHM = "ES256"
HINT_LIFETIME = 300


def half(text: str) -> str:
    """Return the `at_hash` of an access token."""
    return encoded(sha256(text.encode()).digest()[:16])


def encoded(octets: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


def signed(book: Book, typ: str, claims: dict[str, Any]) -> str:
    """Return a token of the provider's."""
    header = {"alg": ALGORITHM, "kid": book.key.kid, "typ": typ}
    return jwt.encode(header, claims, book.key, algorithms=[ALGORITHM])


def access_token(
    book: Book, grant: Grant, *, audience: str, scope: frozenset[str], act: str = ""
) -> str:
    """Return an access token, opaque for clients that are given such ones."""
    now = int(book.wall())
    claims: dict[str, Any] = {
        "iss": book.issuer,
        "sub": grant.subject,
        "aud": audience,
        "client_id": grant.client,
        "scope": " ".join(sorted(scope)),
        "iat": now,
        "exp": now + int(book.lifetime),
        "jti": secrets.token_urlsafe(16),
        "roles": ["customer"],
    }
    if grant.sid:
        claims["sid"] = grant.sid
    if grant.signed_in_at:
        claims |= {"auth_time": grant.signed_in_at, "acr": grant.acr}
    book.issue(str(claims["jti"]), grant)
    if grant.jkt:
        claims["cnf"] = {"jkt": grant.jkt}
    if act:
        claims["act"] = {"sub": act}
    if book.clients[grant.client].is_opaque:
        return book.opaque.put(Opaque(claims, grant))
    return signed(book, "at+jwt", claims)


def id_token(book: Book, grant: Grant, access: str) -> str:
    """Return the id token."""
    now = int(book.wall())
    claims: dict[str, Any] = {
        "iss": book.issuer,
        "sub": grant.subject,
        "aud": grant.client,
        "iat": now,
        "exp": now + int(book.lifetime),
        "auth_time": grant.signed_in_at,
        "acr": grant.acr,
        "sid": grant.sid,
        "at_hash": half(access),
        "roles": ["customer"],
        **profile(grant.subject),
    }
    if grant.nonce:
        claims["nonce"] = grant.nonce
    return signed(book, "JWT", claims)


def logout_token(book: Book, client: str, subject: str, sid: str) -> str:
    """Return the logout token (OpenID Connect Back-Channel Logout)."""
    now = int(book.wall())
    event = "http://schemas.openid.net/event/backchannel-logout"
    claims = {
        "iss": book.issuer,
        "aud": client,
        "sub": subject,
        "sid": sid,
        "iat": now,
        "exp": now + HINT_LIFETIME,
        "jti": secrets.token_urlsafe(16),
        "events": {event: {}},
    }
    return signed(book, "logout+jwt", claims)


def profile(subject: str) -> dict[str, str]:
    """Return the user info of a customer; nothing for other subjects."""
    if not users.exists(subject):
        return {"name": f"User {subject}"}
    user = users.user(subject)
    return {
        "name": user.name.full,
        "given_name": user.name.given,
        "family_name": user.name.family,
        "email": user.email,
        "locale": user.locale,
    }


def read(book: Book, token: str) -> dict[str, Any] | None:
    """Return the claims of one of our own tokens, expired or not; None for anything else."""
    known = book.opaque.get(token)
    if known is not None:
        return dict(known.claims)
    try:
        return dict(jwt.decode(token, KeySet([*book.keys]), algorithms=[ALGORITHM]).claims)
    except (JoseError, ValueError):
        return None


def thumbprint_of(proof: str, method: str, url: str, now: float) -> str | None:
    """Return the thumbprint of the key of a DPoP proof (RFC 9449); None if it is invalid."""
    try:
        header = extract_compact(proof.encode()).headers()
        if header.get("typ") != "dpop+jwt" or header.get("alg") != ALGORITHM:
            return None
        key = ECKey.import_key({name: header["jwk"][name] for name in ("kty", "crv", "x", "y")})
        claims = jwt.decode(proof, key, algorithms=[ALGORITHM]).claims
    except (JoseError, ValueError, KeyError, TypeError):
        return None
    is_fit = claims.get("htm") == method and claims.get("htu") == url and claims.get("jti")
    is_new = abs(float(claims.get("iat", 0)) - now) < HINT_LIFETIME
    return key.thumbprint() if is_fit and is_new else None
