"""Tokens for pages that stand for native apps: such an app would sign in through the browser.

Only a mock can have this endpoint: it issues a token to any caller that names a customer.
"""

import secrets
from typing import Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from services_mock.data import users
from services_mock.identity.book import Book, Grant
from services_mock.identity.clients import ACRS, SCOPES, Client, granted
from services_mock.identity.routes import Form, Refused, Store, router
from services_mock.identity.signing import access_token

NO_STORE: Final = {"cache-control": "no-store", "vary": "Origin"}
MAX_AGE: Final = "600"
"""Seconds for which a browser stores the answer to a preflight."""


@router.post("/demo/token")
async def give_demo_token(request: Request, book: Store, form: Form) -> Response:
    """Issue an access token as an app has it after a sign-in of a customer.

    The form has `client_id` (a public client), `customer` and perhaps `scope`. Only pages of the
    web gateway may read the answer.
    """
    try:
        headers = _permission(request, book)
        client = _public_client(book, form.get("client_id", ""))
        answer = _token_of(book, client, form.get("customer", ""), form.get("scope", ""))
    except Refused as refused:
        response = refused.answer()
        response.headers.update(NO_STORE | _permission_of(request, book))
        return response
    return JSONResponse(answer, headers=NO_STORE | headers)


@router.options("/demo/token", include_in_schema=False)
async def allow_demo_token(request: Request, book: Store) -> Response:
    """Answer the preflight of a page (Fetch standard, section 3.3)."""
    permission = _permission_of(request, book)
    if not permission:
        return Response(status_code=403, headers=NO_STORE)
    headers = {
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "Content-Type",
        "access-control-max-age": MAX_AGE,
    }
    return Response(status_code=204, headers=NO_STORE | permission | headers)


def _permission(request: Request, book: Book) -> dict[str, str]:
    """Return the headers for the page that calls; raises `Refused` for one of another origin."""
    permission = _permission_of(request, book)
    if not permission and "origin" in request.headers:
        raise Refused("invalid_request", "Only pages of the web gateway get demo tokens.", 403)
    return permission


def _permission_of(request: Request, book: Book) -> dict[str, str]:
    origin = request.headers.get("origin", "")
    return {"access-control-allow-origin": origin} if origin in book.page_origins else {}


def _public_client(book: Book, name: str) -> Client:
    client = book.clients.get(name)
    if client is None:
        raise Refused("invalid_client", f"There is no client {name!r}.")
    if client.secret:
        raise Refused("unauthorized_client", f"The client {name!r} has a secret: sign in there.")
    return client


def _token_of(book: Book, client: Client, customer: str, scope: str) -> dict[str, object]:
    if not users.exists(customer):
        raise Refused(
            "invalid_request", f"There is no customer {customer!r}: 1 to {users.COUNT} exist."
        )
    wanted = frozenset(scope.split()) or SCOPES - {"offline_access"}
    if not wanted <= SCOPES:
        unknown = " ".join(sorted(wanted - SCOPES))
        raise Refused("invalid_scope", f"These scopes are unknown: {unknown}.")
    scopes = granted(client, customer, wanted)
    now = int(book.wall())
    grant = Grant(
        client.id,
        customer,
        scopes,
        secrets.token_urlsafe(12),
        signed_in_at=now,
        acr=ACRS[0],
    )
    return {
        "access_token": access_token(book, grant, audience=client.audience, scope=scopes),
        "token_type": "Bearer",
        "expires_in": int(book.lifetime),
        "scope": " ".join(sorted(scopes)),
    }
