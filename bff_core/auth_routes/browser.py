"""The endpoints of browser sessions: login, callback, user, logout, list and end sessions."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bff_core.auth.access import ANYONE
from bff_core.auth.oidc.back_channel_logout import BadLogoutToken
from bff_core.auth.oidc.return_url import local_path, with_error
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.auth.session.authenticator import SessionAuthenticator
from bff_core.auth.session.interface import StoredSession
from bff_core.auth.session.pending_sign_ins import SIGN_IN_SECONDS
from bff_core.auth.session.session import (
    key_of,
    provider_session_of,
    provider_subject_of,
    provider_unnamed_of,
)
from bff_core.auth.session.sign_in_flow import CallbackRequest, SignInFailed
from bff_core.auth.session.token_refresh import NotSignedIn
from bff_core.auth.viewer import Viewer
from bff_core.auth_routes.devices import NO_STORE
from bff_core.auth_routes.navigation import redirect, with_redirect
from bff_core.auth_routes.session_start import session_of
from bff_core.edge.body_limit import whole
from bff_core.errors import (
    BFFError,
    InvalidInput,
    NotAllowed,
    NotFound,
)
from bff_core.http_exchange.request_context import SCOPE
from bff_core.routing.access import guarded
from bff_core.scope import Scope

MAX_BODY_BYTES: Final = 16 * 1024
"""Bytes of the form with a logout token."""

SIGN_IN_PARAMETERS: Final = ("login_hint", "prompt", "acr_values", "max_age")
"""Parameters of `/login` that are sent on to the provider."""

Endpoint = Callable[[Request], Awaitable[Response]]


class SessionEndpoints:
    """The endpoints of a gateway with sessions, for browsers and the provider."""

    def __init__(self, authenticator: SessionAuthenticator) -> None:
        self._auth = authenticator

    def routes(self) -> list[Route]:
        """Return the routes, below the authenticator's prefix."""
        prefix = self._auth.prefix
        endpoints: Sequence[tuple[str, str, Endpoint]] = (
            ("GET", "/login", self.login),
            ("GET", "/callback", self.callback),
            ("GET", "/user", self.user),
            ("POST", "/logout", self.logout),
            ("POST", "/backchannel-logout", self.backchannel_logout),
            ("GET", "/sessions", self.sessions),
            ("DELETE", "/sessions", self.end_others),
            ("DELETE", "/sessions/{handle}", self.end),
        )
        return [_route(verb, prefix + path, handler) for verb, path, handler in endpoints]

    async def login(self, request: Request) -> Response:
        """Redirect the browser to the provider; it returns to `returnUrl`, a path of this site."""
        return_url = request.query_params.get("returnUrl", self._auth.home)
        target = local_path(return_url) or self._auth.home
        return await with_redirect(
            request, target, self._start(request, return_url), self._auth.running.clock
        )

    async def callback(self, request: Request) -> Response:
        """Finish a sign-in when the provider redirects the browser back, and begin a session."""
        scope, auth = _scope(request), self._auth
        callback = auth.running.flow.read_callback(scope.headers, scope.query)
        target = auth.home if callback.payload is None else callback.payload.return_url
        if request.method == "HEAD":  # HEAD changes nothing
            return redirect(target)
        scope.added.extend(callback.cookies)
        return await with_redirect(
            request, target, self._finish(request, callback, target), auth.running.clock
        )

    async def _start(self, request: Request, return_url: str) -> Response:
        if request.headers.get("sec-fetch-dest", "document") != "document":
            raise NotAllowed(
                "Sign-in needs a navigation of the browser: link to this address, do not fetch it."
            )
        parameters = request.query_params
        options = {name: parameters[name] for name in SIGN_IN_PARAMETERS if parameters.get(name)}
        scope, auth, running = _scope(request), self._auth, self._auth.running
        previous = await running.replacement.previous(auth.cookie.read(scope.headers))
        redirection = await running.flow.start(scope.headers, return_url, options, previous)
        scope.added.extend(redirection.cookies)
        return redirect(redirection.location)

    async def _finish(self, request: Request, callback: CallbackRequest, target: str) -> Response:
        scope, auth, running = _scope(request), self._auth, self._auth.running
        store = running.sessions.store
        name, secret = key_of(callback.state), auth.cookie.read(scope.headers)
        # A code is redeemed once, even if the browser repeats the request: the provider revokes the
        # tokens of a code that is redeemed twice.
        if callback.pending is None or not await store.add_note(f"sign-in {name}", SIGN_IN_SECONDS):
            if await self._is_over(name, secret):
                return redirect(target)
            callback = replace(callback, pending=None)
        result = await running.flow.finish(callback)
        if result.grant is None or result.claims is None or callback.pending is None:
            return redirect(with_error(target, result.error))
        browser = request.headers.get("user-agent", "")
        try:
            session = session_of(
                result.grant, result.claims, auth.sign_in, browser=browser, wall=auth.wall()
            )
        except CredentialsRefused as refused:
            raise SignInFailed(
                "The provider's ID token lacks a claim that names you.", auth.login
            ) from refused
        await auth.begin(scope, session)
        await store.add_note(f"signed in {name}", auth.lifetimes.absolute)
        pending = callback.pending
        await running.replacement.replace(
            session, secret=secret, previous=pending.previous, began=pending.began
        )
        return redirect(target)

    async def _is_over(self, name: str, secret: str | None) -> bool:
        """Return whether the sign-in has succeeded already, or the browser has a session."""
        sessions = self._auth.sessions
        if await sessions.store.has_note(f"signed in {name}"):
            return True
        return secret is not None and await sessions.find(secret) is not None

    async def user(self, request: Request) -> Response:
        """Return the signed-in user and the session, for a page.

        With `?anonymous=ok` it is null for an anonymous viewer: browsers log each 401 as an error.
        """
        try:
            stored = await self._session_of(request)
        except NotSignedIn:
            if request.query_params.get("anonymous") == "ok":
                return JSONResponse(None, headers=NO_STORE)
            raise
        session = stored.session
        user = {
            "subject": session.subject,
            "tenant": session.tenant,
            "scopes": sorted(session.scopes),
            "roles": sorted(session.roles),
            "claims": session.claims,
            "acr": session.acr,
            "auth_time": round(session.auth_time),
            "session": _session_json(stored, stored),
        }
        return JSONResponse(user, headers=NO_STORE)

    async def logout(self, request: Request) -> Response:
        """End the session; return the URL at which the provider's own session is ended."""
        stored = await self._session_of(request)
        await self._auth.sessions.end([stored], "signed_out")
        self._auth.forget(_scope(request))
        self._auth.running.replacement.revoke(stored.session)
        return JSONResponse({"location": await self._end_session_url()}, headers=NO_STORE)

    async def backchannel_logout(self, request: Request) -> Response:
        """End the sessions that a logout token of the provider names (back-channel logout)."""
        token = await _logout_token(request)
        try:
            logout = await self._auth.running.client.logged_out(token)
        except CredentialsRefused as refused:
            raise BadLogoutToken(
                "The logout token is not one of the provider for this client."
            ) from refused
        sessions, note = self._auth.sessions, f"logout {key_of(logout.id)}"
        if logout.sid and logout.subject:  # each session without a `sid` may be the one that ended
            unnamed = provider_unnamed_of(logout.subject)
            await sessions.end_listed(unnamed, f"{note} unnamed", logout.seconds)
        by = provider_session_of(logout.sid) if logout.sid else provider_subject_of(logout.subject)
        if not await sessions.end_listed(by, note, logout.seconds):
            raise BadLogoutToken("The logout token was used before.")
        return Response(status_code=200, headers=NO_STORE)

    async def sessions(self, request: Request) -> Response:
        """List the sessions of the viewer, newest first."""
        current = await self._session_of(request)
        sessions = await self._sessions_of(current)
        return JSONResponse(
            {"sessions": [_session_json(stored, current) for stored in sessions]}, headers=NO_STORE
        )

    async def end_others(self, request: Request) -> Response:
        """End all sessions of the viewer except the current one."""
        current = await self._session_of(request)
        others = [
            stored for stored in await self._sessions_of(current) if stored.key != current.key
        ]
        return await self._ended(others)

    async def end(self, request: Request) -> Response:
        """End one session of the viewer; a session of another viewer is a 404."""
        current = await self._session_of(request)
        handle = request.path_params["handle"]
        found = [one for one in await self._sessions_of(current) if one.session.handle == handle]
        if not found:
            raise NotFound("There is no such session.")
        if found[0].key == current.key:
            self._auth.forget(_scope(request))
        return await self._ended(found)

    async def _ended(self, ended: Sequence[StoredSession]) -> Response:
        count = await self._auth.sessions.end(ended, "ended_elsewhere")
        self._auth.running.replacement.revoke(*(stored.session for stored in ended))
        return JSONResponse({"ended": count}, headers=NO_STORE)

    async def _session_of(self, request: Request) -> StoredSession:
        """Return the session of a request; raises `NotSignedIn` without one."""
        scope = _scope(request)
        stored = await self._auth.find(scope)
        if stored is None or Viewer.from_scope(scope).is_anonymous:
            raise NotSignedIn(self._auth.login)
        return stored

    async def _sessions_of(self, current: StoredSession) -> Sequence[StoredSession]:
        session = current.session
        return await self._auth.sessions.of(session.subject, session.tenant)

    async def _end_session_url(self) -> str:
        """Return the provider's end-session URL; the home page if there is none, or it fails."""
        auth, running = self._auth, self._auth.running
        home = f"{running.public_url.removesuffix(auth.base)}{auth.home}"
        try:
            end_session = (await running.client.metadata()).end_session
        except BFFError:
            return home
        if not end_session:
            return home
        # An `id_token_hint` would be a token in the browser's address bar.
        parameters = {"client_id": auth.sign_in.client_id, "post_logout_redirect_uri": home}
        return f"{end_session}{'&' if '?' in end_session else '?'}{urlencode(parameters)}"


def _route(verb: str, path: str, handler: Endpoint) -> Route:
    """Return a route without an access rule of the gateway: its endpoint checks the session."""

    async def endpoint(request: Request) -> Response:
        return await handler(request)

    return Route(path, guarded(endpoint, ANYONE), methods=[verb], include_in_schema=False)


def _session_json(stored: StoredSession, current: StoredSession) -> dict[str, object]:
    session = stored.session
    return {
        "id": session.handle,
        "browser": session.browser,
        "signed_in_at": round(session.signed_in_at),
        "expires_in": round(stored.left),
        "is_current": stored.key == current.key,
    }


def _scope(request: Request) -> Scope:
    scope: Scope = request.scope[SCOPE]
    return scope


async def _logout_token(request: Request) -> str:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise InvalidInput("Send a form with a logout_token.")
    body = await whole(request.receive, request.scope, MAX_BODY_BYTES)
    tokens = [value for name, value in parse_qsl(body.decode("latin-1")) if name == "logout_token"]
    if len(tokens) != 1:
        raise InvalidInput("Send a form with one logout_token.")
    return tokens[0]
