"""The endpoints for tokens: issue, refresh, exchange, introspect, revoke."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from services_mock.identity.book import Book, Grant
from services_mock.identity.clients import Client
from services_mock.identity.routes import Form, Refused, Store, client_of, router
from services_mock.identity.signing import (
    access_token,
    encoded,
    id_token,
    profile,
    read,
    thumbprint_of,
)

EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS: Final = "urn:ietf:params:oauth:token-type:access_token"

Issue = Callable[[Book, Client, dict[str, str], str], dict[str, Any]]


@router.post("/token")
async def give(request: Request, book: Store, form: Form) -> Response:
    """Issue tokens for a code, a refresh token, a secret, or another token."""
    issue = ISSUES.get(form.get("grant_type", ""))
    if issue is None:
        return Refused("unsupported_grant_type").answer()
    try:
        client = client_of(request, form, book)
        return JSONResponse(
            issue(book, client, form, _key(request, book)), headers={"cache-control": "no-store"}
        )
    except Refused as refused:
        return refused.answer()


def _key(request: Request, book: Book) -> str:
    """Return the thumbprint of the key that tokens are bound to; empty without a proof."""
    proof = request.headers.get("dpop")
    if proof is None:
        return ""
    thumbprint = thumbprint_of(proof, "POST", f"{book.issuer}/token", book.wall())
    if thumbprint is None:
        raise Refused("invalid_dpop_proof")
    return thumbprint


def _redeem(book: Book, client: Client, form: dict[str, str], jkt: str) -> dict[str, Any]:
    code = book.codes.get(form.get("code", ""))
    if code is None or code.grant.client != client.id or book.wall() > code.until:
        raise Refused("invalid_grant")
    if code.is_used:  # a code used twice may be stolen, and with it its tokens
        book.revoke(code.grant)
        raise Refused("invalid_grant", "the code was used before")
    verifier = form.get("code_verifier", "")
    is_fit = encoded(sha256(verifier.encode()).digest()) == code.challenge
    if not is_fit or form.get("redirect_uri") != code.redirect_uri:
        raise Refused("invalid_grant")
    code.is_used = True
    code.grant.jkt = jkt
    return _answer(book, code.grant, code.grant.scope)


def _refresh(book: Book, client: Client, form: dict[str, str], jkt: str) -> dict[str, Any]:
    token = form.get("refresh_token", "")
    grant = book.refreshes.get(token)
    if grant is None or grant.client != client.id or grant.is_revoked:
        raise Refused("invalid_grant")
    if token != grant.refresh:  # a refresh token used twice: it was stolen
        book.revoke(grant)
        raise Refused("invalid_grant", "the refresh token was used before")
    if not client.secret and jkt != grant.jkt:
        raise Refused("invalid_dpop_proof", "the refresh token is bound to another key")
    wanted = frozenset(form["scope"].split()) if form.get("scope") else grant.scope
    if not wanted <= grant.scope:  # no more than was granted (RFC 6749, section 6)
        raise Refused("invalid_scope")
    return _answer(book, grant, wanted)


def _credentials(book: Book, client: Client, form: dict[str, str], jkt: str) -> dict[str, Any]:
    if not client.secret:
        raise Refused("unauthorized_client")
    scope = frozenset(form.get("scope", "").split())
    if not scope <= client.scopes:
        raise Refused("invalid_scope")
    grant = Grant(client.id, client.id, scope, "", jkt=jkt)
    audience = form.get("audience") or form.get("resource") or client.audience
    return _token_response(book, access_token(book, grant, audience=audience, scope=scope), jkt)


def _exchange(book: Book, client: Client, form: dict[str, str], jkt: str) -> dict[str, Any]:
    claims = read(book, form.get("subject_token", ""))
    if not client.secret:
        raise Refused("unauthorized_client")
    is_good = claims is not None and book.is_active(form["subject_token"], claims)
    if form.get("subject_token_type") != ACCESS or claims is None or not is_good:
        raise Refused("invalid_request", "subject_token")
    had = frozenset(str(claims["scope"]).split())
    scope = frozenset(form["scope"].split()) if form.get("scope") else had
    if not scope <= had:
        raise Refused("invalid_scope")
    scope &= client.scopes
    grant = Grant(client.id, str(claims["sub"]), scope, str(claims.get("sid", "")), jkt=jkt)
    parent = book.issued.get(str(claims.get("jti")))
    if parent is not None:  # the new token ends with the exchanged one
        grant.consent = parent.consent
    audience = form.get("audience") or form.get("resource") or client.audience
    token = access_token(book, grant, audience=audience, scope=scope, act=client.id)
    return {
        **_token_response(book, token, jkt),
        "issued_token_type": ACCESS,
        "scope": " ".join(sorted(scope)),
    }


ISSUES: Final[dict[str, Issue]] = {
    "authorization_code": _redeem,
    "refresh_token": _refresh,
    "client_credentials": _credentials,
    EXCHANGE: _exchange,
}


def _answer(book: Book, grant: Grant, scope: frozenset[str]) -> dict[str, Any]:
    client = book.clients[grant.client]
    access = access_token(book, grant, audience=client.audience, scope=scope)
    response = {**_token_response(book, access, grant.jkt), "scope": " ".join(sorted(scope))}
    if "openid" in grant.scope:
        response["id_token"] = id_token(book, grant, access)
    if "offline_access" in grant.scope:
        # The old token stays known, so that its reuse is detected.
        grant.refresh = response["refresh_token"] = book.refreshes.put(grant)
    return response


def _token_response(book: Book, access: str, jkt: str) -> dict[str, Any]:
    kind = "DPoP" if jkt else "Bearer"
    return {"access_token": access, "token_type": kind, "expires_in": int(book.lifetime)}


@router.get("/userinfo")
async def get_userinfo(request: Request, book: Store) -> Response:
    """Return the user info of an access token."""
    token = request.headers.get("authorization", "").partition(" ")[2]
    claims = read(book, token)
    if claims is None or not book.is_active(token, claims):
        return JSONResponse(
            {"error": "invalid_token"}, 401, {"www-authenticate": 'Bearer error="invalid_token"'}
        )
    return JSONResponse({"sub": claims["sub"], **profile(claims["sub"])})


@router.post("/introspect")
async def introspect(request: Request, book: Store, form: Form) -> Response:
    """Introspect a token (RFC 7662)."""
    try:
        client_of(request, form, book)
    except Refused as refused:
        return refused.answer()
    token = form.get("token", "")
    claims = read(book, token)
    is_active = claims is not None and book.is_active(token, claims)
    kind = "DPoP" if claims is not None and "cnf" in claims else "Bearer"
    claims_of_active = {"active": True, "token_type": kind, **(claims or {})} if is_active else {}
    return JSONResponse(claims_of_active or {"active": False})


@router.post("/revoke")
async def revoke(request: Request, book: Store, form: Form) -> Response:
    """Revoke a token, or the whole family of a refresh token (RFC 7009)."""
    try:
        client = client_of(request, form, book)
    except Refused as refused:
        return refused.answer()
    token = form.get("token", "")
    grant = book.refreshes.get(token)
    if grant is not None and grant.client == client.id:
        book.revoke(grant)
    elif read(book, token) is not None:
        book.revoked[token] = None
    return Response(status_code=200)
