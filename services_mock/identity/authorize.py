"""The authorization endpoint: a page to choose any user, without a password."""

import secrets
from html import escape
from typing import Final
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from services_mock.data import users
from services_mock.identity.book import Book, Code, Grant, Stay
from services_mock.identity.clients import ACRS, SCOPES, Client, granted
from services_mock.identity.page import choice_page, html_page
from services_mock.identity.routes import Form, Refused, Store, client_of, router

COOKIE: Final = "mock-identity"
CODE_LIFETIME: Final = 60.0
OFFERED: Final = ("1", "2", "3", str(users.STAFF))
DEMANDS: Final = frozenset({"prompt", "max_age", "acr_values"})
"""Parameters that say how somebody signs in; `login_hint` alone chooses a customer."""

REQUEST_URI: Final = "urn:ietf:params:oauth:request_uri:"


class Wrong(Exception):
    """A request that is not answered by a redirect, since the redirect URI is not trusted."""


@router.post("/par")
async def push(request: Request, book: Store, form: Form) -> Response:
    """Take the parameters of an authorization from the client itself (RFC 9126)."""
    try:
        client = client_of(request, form, book)
    except Refused as refused:
        return refused.answer()
    query = {**form, "client_id": client.id}
    query.pop("client_secret", None)
    if not client.redirects_to(query.get("redirect_uri", "")):
        return Refused("invalid_request", "redirect_uri").answer()
    uri = REQUEST_URI + book.pushed.put(query)
    return JSONResponse({"request_uri": uri, "expires_in": 60}, 201)


@router.get("/authorize")
async def show(request: Request, book: Store) -> Response:
    """Show the users to choose from, or continue with the signed-in one."""
    try:
        query, client = _query(dict(request.query_params), book)
    except Wrong as wrong:
        return _wrong(str(wrong))
    error = _fault(query)
    if error:
        return _back(book, query, {"error": error})
    stay = book.stays.get(request.cookies.get(COOKIE, ""))
    hinted = _hinted(request, query)
    if hinted and (stay is None or stay.subject != hinted):
        return _signed_in(request, book, query, client, hinted)
    if stay is not None and not _has_to_sign_in(book, query, stay):
        return _back(book, query, {"code": _code(book, query, client, stay)})
    if query.get("prompt") == "none":
        return _back(book, query, {"error": "login_required"})
    offered = dict.fromkeys([*filter(users.exists, [query.get("login_hint", "")]), *OFFERED])
    return choice_page(client.id, query, list(offered))


@router.post("/authorize")
async def choose(request: Request, book: Store, form: Form) -> Response:
    """Sign a user in, and redirect the browser to the client."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return html_page(
            "This can't be signed in to", "<p>The form was sent by another site.</p>", 400
        )
    subject = form.pop("user", "") or form.pop("other", "")
    form.pop("other", "")
    try:
        query, client = _query(form, book)
    except Wrong as wrong:
        return _wrong(str(wrong))
    error = _fault(query) or ("" if users.exists(subject) else "access_denied")
    if error:
        return _back(book, query, {"error": error})
    return _signed_in(request, book, query, client, subject)


def _signed_in(
    request: Request, book: Book, query: dict[str, str], client: Client, subject: str
) -> Response:
    """Sign a user in, in the browser's session if it is this user's, and redirect to the client."""
    known = request.cookies.get(COOKIE, "")
    stay = book.stays.get(known)
    if stay is None or stay.subject != subject:
        stay = Stay(secrets.token_urlsafe(12), subject, 0)
        known = book.stays.put(stay)
    stay.since, stay.acr = int(book.wall()), _acr_for(query)
    answer = _back(book, query, {"code": _code(book, query, client, stay)})
    answer.set_cookie(COOKIE, known, httponly=True, samesite="lax", path="/")
    return answer


def _hinted(request: Request, query: dict[str, str]) -> str:
    """Return the customer to sign in without the page; empty if the page has to be shown.

    `login_hint` names that customer. A request that demands more (`prompt`, `max_age`,
    `acr_values`) shows the page, and so does one that a page of another site has started.
    """
    is_foreign = request.headers.get("sec-fetch-site") == "cross-site"
    is_demanding = not query.keys().isdisjoint(DEMANDS)
    hint = query.get("login_hint", "")
    return hint if users.exists(hint) and not is_foreign and not is_demanding else ""


def _wrong(reason: str) -> Response:
    return html_page("Sign-in is not possible", f"<p>{escape(reason)}</p>", 400)


def _has_to_sign_in(book: Book, query: dict[str, str], stay: Stay) -> bool:
    """Whether the user has to sign in again: by `prompt`, `max_age` or `acr_values`."""
    if query.get("prompt") in {"login", "select_account"}:
        return True
    if "max_age" in query and book.wall() - stay.since > int(query["max_age"]):
        return True
    wanted = [one for one in query.get("acr_values", "").split() if one in ACRS]
    return bool(wanted) and stay.acr not in wanted


def _acr_for(query: dict[str, str]) -> str:
    """Return the first class of `acr_values` that is supported, the weakest without one."""
    wanted = [one for one in query.get("acr_values", "").split() if one in ACRS]
    return wanted[0] if wanted else ACRS[0]


def _query(sent: dict[str, str], book: Book) -> tuple[dict[str, str], Client]:
    """Return the parameters, pushed ones among them, and the client; raises `Wrong`."""
    uri = sent.get("request_uri", "")
    if uri:
        pushed = book.pushed.get(uri.removeprefix(REQUEST_URI))
        if pushed is None or pushed["client_id"] != sent.get("client_id"):
            raise Wrong("The request is not known, or was another client's.")
        sent = {**pushed, **{name: sent[name] for name in ("user", "other") if name in sent}}
    client = book.clients.get(sent.get("client_id", ""))
    if client is None:
        raise Wrong("The client is not known.")
    if not client.redirects_to(sent.get("redirect_uri", "")):
        raise Wrong("The client does not live at that redirect_uri.")
    return sent, client


def _fault(query: dict[str, str]) -> str:
    if query.get("response_type") != "code":
        return "unsupported_response_type"
    if query.get("code_challenge_method") != "S256" or len(query.get("code_challenge", "")) != 43:
        return "invalid_request"
    age = query.get("max_age", "0")
    if not (age.isascii() and age.isdigit()):
        return "invalid_request"
    scopes = frozenset(query.get("scope", "").split())
    return "" if scopes and scopes <= SCOPES else "invalid_scope"


def _code(book: Book, query: dict[str, str], client: Client, stay: Stay) -> str:
    stay.clients.add(client.id)
    grant = Grant(
        client.id,
        stay.subject,
        granted(client, stay.subject, frozenset(query["scope"].split())),
        stay.sid,
        query.get("nonce", ""),
        stay.since,
        acr=stay.acr,
        consent=stay.consent_to(client.id),
    )
    until = book.wall() + CODE_LIFETIME
    return book.codes.put(Code(grant, query["redirect_uri"], query["code_challenge"], until))


def _back(book: Book, query: dict[str, str], result: dict[str, str]) -> RedirectResponse:
    parameters = {**result, "state": query.get("state", ""), "iss": book.issuer}
    uri = query["redirect_uri"]
    return RedirectResponse(f"{uri}{'&' if '?' in uri else '?'}{urlencode(parameters)}", 303)
