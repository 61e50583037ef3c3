"""How errors of sign-in endpoints reach a browser: by a redirect, not as problem details."""

import asyncio
from collections.abc import Coroutine
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bff_core.auth.oidc.return_url import with_error
from bff_core.auth.session.sign_in_flow import SignInFailed
from bff_core.auth_routes.devices import NO_STORE
from bff_core.clock import Clock
from bff_core.errors import BFFError, RequestTimedOut
from bff_core.http_exchange.request_context import SCOPE, note_error
from bff_core.scope import Scope

MARGIN_SECONDS: Final = 0.25
"""Seconds before the deadline of a request at which the browser is redirected."""


def redirect(location: str) -> Response:
    """Return a redirect that no cache stores."""
    return RedirectResponse(location, 303, NO_STORE)


async def with_redirect(
    request: Request, target: str, answer: Coroutine[object, object, Response], clock: Clock
) -> Response:
    """Return the answer of an endpoint; on an error, redirect a browser to `target`.

    The parameter `login_error` of the URL names the reason. Programs get problem details.
    """
    if not _is_navigation(request):
        return await answer
    scope: Scope = request.scope[SCOPE]
    try:
        async with asyncio.timeout(scope.deadline - clock() - MARGIN_SECONDS):
            return await answer
    except TimeoutError as error:
        note_error(request.scope, error, is_partial=True)
        return redirect(with_error(target, RequestTimedOut.code))
    except BFFError as error:
        if error.status == 500:  # a bug, or a wrong setting
            raise
        note_error(request.scope, error, is_partial=error.status > 500)
        reason = error.reason if isinstance(error, SignInFailed) else error.code
        return redirect(with_error(target, reason))


def _is_navigation(request: Request) -> bool:
    """Return whether a browser navigates to the endpoint, so that a person reads the answer."""
    headers = request.headers
    destination = headers.get("sec-fetch-dest", "")
    return destination == "document" or (
        destination != "empty" and "text/html" in headers.get("accept", "")
    )
