"""How browsers that go to an endpoint of signing in are answered: never with a problem's JSON."""

import asyncio
from collections.abc import Coroutine
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bff_core.auth.oidc.return_url import with_error
from bff_core.auth.session.sign_in_flow import SignInFailed
from bff_core.clock import Clock
from bff_core.errors import BFFError, RequestTimedOut
from bff_core.exchange.context import SCOPE, note_error
from bff_core.scope import Scope

NO_STORE: Final = {"cache-control": "no-store"}

MARGIN: Final = 0.25
"""Seconds before the deadline of a request at which a browser is sent back."""


def redirect(location: str) -> Response:
    """Return an answer that sends a browser on."""
    return RedirectResponse(location, 303, NO_STORE)


async def answered(
    request: Request, there: str, work: Coroutine[object, object, Response], clock: Clock
) -> Response:
    """Return the answer of an endpoint; a browser whose sign-in failed goes on to `there`.

    The address names the reason as `login_error`. Programs get the problem itself.
    """
    if not _is_navigation(request):
        return await work
    scope: Scope = request.scope[SCOPE]
    try:
        async with asyncio.timeout(scope.deadline - clock() - MARGIN):
            return await work
    except TimeoutError as error:
        note_error(request.scope, error, is_partial=True)
        return redirect(with_error(there, RequestTimedOut.code))
    except BFFError as error:
        if error.status == 500:  # a bug, or a wrong setting
            raise
        note_error(request.scope, error, is_partial=error.status > 500)
        reason = error.reason if isinstance(error, SignInFailed) else error.code
        return redirect(with_error(there, reason))


def _is_navigation(request: Request) -> bool:
    """Return whether a person will see the answer."""
    headers = request.headers
    dest = headers.get("sec-fetch-dest", "")
    return dest == "document" or (dest != "empty" and "text/html" in headers.get("accept", ""))
