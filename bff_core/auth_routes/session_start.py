"""Makes the session of a finished sign-in from the grant and the ID token."""

import secrets
from typing import Final

from bff_core.auth.jwt import Claims, acr_of, auth_time_of
from bff_core.auth.oidc.client import scopes_in
from bff_core.auth.oidc.config import OpenIDProvider
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.auth.session.session import Claims as PublicClaims
from bff_core.auth.session.session import Session
from bff_core.auth.session.token_refresh import tokens_of
from bff_core.oauth.tokens import Grant

MAX_NAME_LENGTH: Final = 200


def session_of(
    grant: Grant, claims: Claims, sign_in: OpenIDProvider, *, browser: str, wall: float
) -> Session:
    """Return a new session of the user that the claims of an ID token name.

    Raises `CredentialsRefused` if a claim that identifies the viewer is missing.
    """
    subject, tenant = claims.get(sign_in.subject), claims.get(sign_in.tenant, "")
    if not isinstance(subject, str) or not subject:
        raise CredentialsRefused("subject")
    if sign_in.tenant and (not isinstance(tenant, str) or not tenant):
        raise CredentialsRefused("tenant")
    sid, sub = claims.get("sid"), claims.get("sub")
    return Session(
        handle=secrets.token_urlsafe(12),
        subject=subject,
        issuer=sign_in.viewer_issuer,
        provider_subject=str(sub),
        tenant=str(tenant),
        scopes=grant.scope if grant.scope is not None else frozenset(sign_in.scope),
        roles=scopes_in(claims, sign_in.roles),
        client=sign_in.client_id,
        provider_sid=sid if isinstance(sid, str) else "",
        claims=_public_claims(claims, sign_in),
        browser=browser[:MAX_NAME_LENGTH],
        signed_in_at=wall,
        tokens=tokens_of(grant, wall) if sign_in.stores_tokens else None,
        acr=acr_of(claims),
        auth_time=auth_time_of(claims, wall + sign_in.leeway),
    )


def _public_claims(claims: Claims, sign_in: OpenIDProvider) -> PublicClaims:
    """Return the claims that pages may show, without lists and objects."""
    found = {name: claims.get(name) for name in sign_in.public_claims}
    return {
        name: value for name, value in found.items() if isinstance(value, str | int | float | bool)
    }
