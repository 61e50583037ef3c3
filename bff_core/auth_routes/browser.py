"""The endpoints of sessions: sign in, come back, who am I, sign out, which sessions are there."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bff_core.auth.access import ANYONE
from bff_core.auth.oidc.return_url import local, with_error
from bff_core.auth.refusal_reasons import CredentialsRefused
from bff_core.auth.session.authenticator import SessionAuthenticator
from bff_core.auth.session.pending_sign_ins import SIGN_IN_SECONDS
from bff_core.auth.session.session import (
    key_of,
    provider_session_of,
    provider_subject_of,
    provider_unnamed_of,
)
from bff_core.auth.session.sign_in_flow import Comeback, SignInFailed
from bff_core.auth.session.store import StoredSession
from bff_core.auth.session.token_refresh import NotSignedIn
from bff_core.auth.viewer import Viewer
from bff_core.auth_routes.navigation import NO_STORE, answered, redirect
from bff_core.auth_routes.session_start import session_of
from bff_core.edge.body_limit import whole
from bff_core.errors import (
    BFFError,
    ClientError,
    InvalidInput,
    NotAllowed,
    NotFound,
)
from bff_core.exchange.context import SCOPE
from bff_core.routing.access import guarded
from bff_core.scope import Scope

LONGEST: Final = 16 * 1024
"""Bytes of a logout token's form."""

WISHES: Final = ("login_hint", "prompt", "acr_values", "max_age")
"""What a page may ask of the provider, by parameters of `/login`."""

Endpoint = Callable[[Request], Awaitable[Response]]


class BadLogoutToken(ClientError):
    """The provider's word that somebody has signed out is not to be believed."""

    code = "invalid_request"
    title = "The logout token is not valid"


class SessionEndpoints:
    """What browsers and the provider ask of a gateway with sessions."""

    def __init__(self, authenticator: SessionAuthenticator) -> None:
        self._auth = authenticator

    def routes(self) -> list[Route]:
        """Return them, below the authenticator's prefix."""
        prefix = self._auth.prefix
        told: Sequence[tuple[str, str, Endpoint]] = (
            ("GET", "/login", self.login),
            ("GET", "/callback", self.callback),
            ("GET", "/user", self.user),
            ("POST", "/logout", self.logout),
            ("POST", "/backchannel-logout", self.backchannel_logout),
            ("GET", "/sessions", self.sessions),
            ("DELETE", "/sessions", self.end_others),
            ("DELETE", "/sessions/{handle}", self.end),
        )
        return [_route(verb, prefix + path, act) for verb, path, act in told]

    async def login(self, request: Request) -> Response:
        """Send the browser to the provider; it comes back to `returnUrl`, a path of this site."""
        return_url = request.query_params.get("returnUrl", self._auth.home)
        there = local(return_url) or self._auth.home
        return await answered(request, there, self._depart(request, return_url), self._auth.clock)

    async def callback(self, request: Request) -> Response:
        """Take what the provider sends the browser back with, and begin a session."""
        scope, auth = _scope(request), self._auth
        back = auth.flow.back(scope.headers, scope.query)
        there = auth.home if back.trip is None else back.trip.return_url
        if request.method == "HEAD":  # nothing is changed by it
            return redirect(there)
        scope.added.extend(back.cookies)
        return await answered(request, there, self._arrive(request, back, there), auth.clock)

    async def _depart(self, request: Request, return_url: str) -> Response:
        if request.headers.get("sec-fetch-dest", "document") != "document":
            raise NotAllowed("Signing in takes a page of its own: have the browser go there.")
        asked = request.query_params
        wishes = {name: asked[name] for name in WISHES if asked.get(name)}
        scope, auth = _scope(request), self._auth
        former = await auth.succession.former(auth.cookie.read(scope.headers))
        departure = await auth.flow.depart(scope.headers, return_url, wishes, former)
        scope.added.extend(departure.cookies)
        return redirect(departure.location)

    async def _arrive(self, request: Request, back: Comeback, there: str) -> Response:
        scope, auth, store = _scope(request), self._auth, self._auth.sessions.store
        name, secret = key_of(back.state), auth.cookie.read(scope.headers)
        # A code is redeemed once, whatever the browser does: a second time would end its tokens.
        if back.pending is None or not await store.note(f"sign-in {name}", SIGN_IN_SECONDS):
            if await self._is_over(name, secret):
                return redirect(there)
            back = replace(back, pending=None)
        arrival = await auth.flow.arrive(back)
        if arrival.grant is None or arrival.claims is None or back.pending is None:
            return redirect(with_error(there, arrival.error))
        browser = request.headers.get("user-agent", "")
        try:
            session = session_of(
                arrival.grant, arrival.claims, auth.sign_in, browser=browser, wall=auth.wall()
            )
        except CredentialsRefused as refused:
            raise SignInFailed("The provider does not say who you are.", auth.login) from refused
        await auth.begin(scope, session)
        await store.note(f"signed in {name}", auth.lifetimes.absolute)
        pending = back.pending
        await auth.succession.follow(
            session, secret=secret, former=pending.former, began=pending.began
        )
        return redirect(there)

    async def _is_over(self, name: str, secret: str | None) -> bool:
        """Return whether a sign-in has succeeded before, or the browser has a session anyway."""
        sessions = self._auth.sessions
        if await sessions.store.noted(f"signed in {name}"):
            return True
        return secret is not None and await sessions.find(secret) is not None

    async def user(self, request: Request) -> Response:
        """Tell a page who is signed in."""
        kept = await self._kept(request)
        session = kept.session
        told = {
            "subject": session.subject,
            "tenant": session.tenant,
            "scopes": sorted(session.scopes),
            "roles": sorted(session.roles),
            "claims": session.claims,
            "acr": session.acr,
            "auth_time": round(session.auth_time),
            "session": _told(kept, kept),
        }
        return JSONResponse(told, headers=NO_STORE)

    async def logout(self, request: Request) -> Response:
        """End the session; tell the page where the provider's own is ended."""
        kept = await self._kept(request)
        await self._auth.sessions.end([kept], "signed_out")
        self._auth.forget(_scope(request))
        self._auth.succession.revoke(kept.session)
        return JSONResponse({"location": await self._farewell()}, headers=NO_STORE)

    async def backchannel_logout(self, request: Request) -> Response:
        """Take the provider's word that somebody has signed out elsewhere."""
        token = await _logout_token(request)
        try:
            told = await self._auth.client.logged_out(token)
        except CredentialsRefused as refused:
            raise BadLogoutToken("It is not of our provider, or not for us.") from refused
        sessions, word = self._auth.sessions, f"logout {key_of(told.id)}"
        if told.sid and told.subject:  # any of those may be the one that ended
            unnamed = provider_unnamed_of(told.subject)
            await sessions.end_listed(unnamed, f"{word} unnamed", told.seconds)
        by = provider_session_of(told.sid) if told.sid else provider_subject_of(told.subject)
        if not await sessions.end_listed(by, word, told.seconds):
            raise BadLogoutToken("It was used before.")
        return Response(status_code=200, headers=NO_STORE)

    async def sessions(self, request: Request) -> Response:
        """List the sessions of whoever asks, newest first."""
        current = await self._kept(request)
        theirs = await self._theirs(current)
        return JSONResponse(
            {"sessions": [_told(kept, current) for kept in theirs]}, headers=NO_STORE
        )

    async def end_others(self, request: Request) -> Response:
        """End all sessions of whoever asks, but for the one that asks."""
        current = await self._kept(request)
        others = [kept for kept in await self._theirs(current) if kept.key != current.key]
        return await self._ended(others)

    async def end(self, request: Request) -> Response:
        """End one session of whoever asks; others' are as if they were not there."""
        current = await self._kept(request)
        handle = request.path_params["handle"]
        found = [one for one in await self._theirs(current) if one.session.handle == handle]
        if not found:
            raise NotFound("There is no such session.")
        if found[0].key == current.key:
            self._auth.forget(_scope(request))
        return await self._ended(found)

    async def _ended(self, ended: Sequence[StoredSession]) -> Response:
        count = await self._auth.sessions.end(ended, "ended_elsewhere")
        self._auth.succession.revoke(*(kept.session for kept in ended))
        return JSONResponse({"ended": count}, headers=NO_STORE)

    async def _kept(self, request: Request) -> StoredSession:
        """Return the session of a request; raises `NotSignedIn` without one."""
        scope = _scope(request)
        kept = await self._auth.find(scope)
        if kept is None or Viewer.from_scope(scope).is_anonymous:
            raise NotSignedIn(self._auth.login)
        return kept

    async def _theirs(self, current: StoredSession) -> Sequence[StoredSession]:
        session = current.session
        return await self._auth.sessions.of(session.subject, session.tenant)

    async def _farewell(self) -> str:
        """Return where the provider ends its session; our own page if it can't be asked."""
        auth = self._auth
        home = f"{auth.public_url.removesuffix(auth.base)}{auth.home}"
        try:
            end_session = (await self._auth.client.metadata()).end_session
        except BFFError:
            return home
        if not end_session:
            return home
        # An `id_token_hint` would be a token in the browser's address bar.
        asked = {"client_id": self._auth.sign_in.client_id, "post_logout_redirect_uri": home}
        return f"{end_session}{'&' if '?' in end_session else '?'}{urlencode(asked)}"


def _route(verb: str, path: str, act: Endpoint) -> Route:
    """Return a route that asks for whoever may use it by itself."""

    async def endpoint(request: Request) -> Response:
        return await act(request)

    return Route(path, guarded(endpoint, ANYONE), methods=[verb], include_in_schema=False)


def _told(kept: StoredSession, current: StoredSession) -> dict[str, object]:
    session = kept.session
    return {
        "id": session.handle,
        "browser": session.browser,
        "signed_in_at": round(session.signed_in_at),
        "expires_in": round(kept.left),
        "is_current": kept.key == current.key,
    }


def _scope(request: Request) -> Scope:
    scope: Scope = request.scope[SCOPE]
    return scope


async def _logout_token(request: Request) -> str:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise InvalidInput("Send a form with a logout_token.")
    body = await whole(request.receive, request.scope, LONGEST)
    told = [value for name, value in parse_qsl(body.decode("latin-1")) if name == "logout_token"]
    if len(told) != 1:
        raise InvalidInput("Send a form with one logout_token.")
    return told[0]
