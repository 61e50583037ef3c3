"""The logout endpoint, and back-channel logout of the clients."""

import asyncio
import logging
from typing import Final
from urllib.parse import urlencode

import httpx
from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from services_mock.identity.authorize import COOKIE
from services_mock.identity.book import Book, Stay
from services_mock.identity.page import html_page
from services_mock.identity.routes import Form, Store, router
from services_mock.identity.signing import logout_token, read

PATIENCE: Final = 3.0
"""Seconds that a client may take to answer a logout token."""

log = logging.getLogger("services_mock")


@router.get("/end-session")
async def get_end_session(request: Request, book: Store, form: Form) -> Response:
    """Sign out, as a link."""
    return await end_session(request, book, form)


@router.post("/end-session")
async def end_session(request: Request, book: Store, form: Form) -> Response:
    """Sign out (OpenID Connect RP-Initiated Logout), and send the browser back."""
    query = {**request.query_params, **form}
    hint = read(book, query["id_token_hint"]) if "id_token_hint" in query else None
    client = book.clients.get(query.get("client_id") or str((hint or {}).get("aud", "")))
    stay = book.stays.get(request.cookies.get(COOKIE, ""))
    if stay is not None:
        await sign_out(book, stay)
    uri = query.get("post_logout_redirect_uri", "")
    if client is not None and uri in client.farewells:
        state = f"?{urlencode({'state': query['state']})}" if "state" in query else ""
        answer: Response = RedirectResponse(uri + state, 303)
    else:
        answer = html_page("Signed out", "<p>You have signed out.</p>")
    answer.delete_cookie(COOKIE, path="/")
    return answer


async def sign_out(book: Book, stay: Stay) -> None:
    """End a session and notify each of its clients."""
    book.end(stay)
    clients = [book.clients[name] for name in sorted(stay.clients)]
    notified = [client for client in clients if client.backchannel]
    async with asyncio.TaskGroup() as group:
        for client in notified:
            token = logout_token(book, client.id, stay.subject, stay.sid)
            group.create_task(_tell(client.backchannel, token))


async def _tell(url: str, token: str) -> None:
    try:
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as http:
            answer = await http.post(url, data={"logout_token": token})
    except httpx.HTTPError as error:
        log.warning("identity: %s did not hear of a sign-out (%s)", url, type(error).__name__)
        return
    if answer.status_code >= 400:
        log.warning("identity: %s answered %d to a sign-out", url, answer.status_code)
