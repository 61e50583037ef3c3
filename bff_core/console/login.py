"""The page on which operators enter their token, and the end of their session."""

from html import escape
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff_core.console.access import Actor, SignInRequired, refuse_other_sites
from bff_core.console.answers import ConsoleProblem, read_bytes
from bff_core.console.app import ACTOR, Console
from bff_core.console.operator_session import END_SESSION, SESSION_SECONDS
from bff_core.gateway.console import PATH

LOGIN = f"{PATH}/login"

STYLE = f"{PATH}/login.css"

MAX_FORM_BYTES = 4096

_STYLE = """\
body.login { display: grid; place-items: center; min-height: 100vh; margin: 0; }
body.login main { width: min(360px, calc(100vw - 48px)); }
body.login form { display: grid; gap: 8px; margin: 24px 0; }
body.login input { font: inherit; padding: 8px; border: 1px solid var(--control, gray);
  border-radius: 6px; background: var(--surface, Canvas); color: var(--ink, CanvasText); }
body.login button { justify-self: start; margin-top: 8px; }
"""

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in · bff console</title>
<link rel="stylesheet" href="{prefix}/console/assets/main.css">
<link rel="stylesheet" href="{prefix}/console/login.css">
</head>
<body class="login">
<main>
<h1>Sign in to the console</h1>
<p>It shows what the gateway does, and lets operators change it. Enter the operator token.</p>
<form method="post" action="{prefix}/console/login">
<label for="token">Operator token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<input type="hidden" name="next" value="{target}">
{error}<button class="btn primary" type="submit">Sign in</button>
</form>
<p class="muted">The token is <code>BFF_OPERATOR_TOKEN</code> of the gateway. A session lasts
8 hours.</p>
</main>
</body>
</html>
"""


def login_page(
    request: Request, *, status: int = 200, error: str = "", target: str = ""
) -> Response:
    """Return the page; `target` is the page of the console to show afterwards."""
    said = f'<p class="why" role="alert">{escape(error)}</p>\n' if error else ""
    text = _PAGE.format(prefix=escape(_prefix(request)), target=escape(target or PATH), error=said)
    headers = {"cache-control": "no-store"}
    return Response(text, status, headers=headers, media_type="text/html; charset=utf-8")


def login_style() -> Response:
    """Return the style of the page."""
    return Response(_STYLE, headers={"cache-control": "no-cache"}, media_type="text/css")


async def sign_out(console: Console, request: Request) -> Response:
    """End the session of a request, in all processes, and delete its cookie."""
    access, session = console.access, console.actor(request).session
    if session:
        body = msgspec.json.encode((session, access.sessions.end(session)))
        await console.sources.send_each(console.sources.names, END_SESSION, body)
        console.audit(request, "console", "signed out")
    response = Response(status_code=204)
    response.delete_cookie(
        access.cookie(request),
        path=f"{_prefix(request)}{PATH}",
        secure=access.is_https(request),
        httponly=True,
        samesite="strict",
    )
    return response


async def sign_in(console: Console, request: Request) -> Response:
    """Answer the form: a session cookie and the page that was wanted, or the form again."""
    access = console.access
    access.check_host(request)
    refuse_other_sites(request)
    _check_origin(request)
    form = parse_qs((await read_bytes(request, MAX_FORM_BYTES)).decode("utf-8", "replace"))
    target = _safe(form.get("next", [PATH])[0])
    try:
        access.check_token(request, form.get("token", [""])[0].strip().encode())
    except SignInRequired:
        return login_page(
            request, status=401, error="That is not the operator token.", target=target
        )
    except ConsoleProblem as problem:
        said = login_page(
            request, status=429, error=f"{problem.title}. {problem.detail}", target=target
        )
        said.headers.update(problem.headers)
        return said
    response = Response(status_code=303, headers={"location": f"{_prefix(request)}{target}"})
    response.set_cookie(
        access.cookie(request),
        access.sessions.new(),
        max_age=SESSION_SECONDS,
        path=f"{_prefix(request)}{PATH}",
        secure=access.is_https(request),
        httponly=True,
        samesite="strict",
    )
    request.scope[ACTOR] = Actor("operator")
    console.audit(request, "console", "signed in")
    return response


def _prefix(request: Request) -> str:
    return str(request.scope.get("root_path", ""))


def _safe(target: str) -> str:
    """Return a path of the console; any other target becomes its first page."""
    is_ours = target == PATH or target.startswith(f"{PATH}/")
    return target if is_ours and target.isascii() and target.isprintable() else PATH


def _check_origin(request: Request) -> None:
    """Raise a `ConsoleProblem` for a form of another origin (browsers send `Origin`).

    Chromium sends `Origin: null` from a page without a referrer, and `Sec-Fetch-Site` with it.
    """
    origin = request.headers.get("origin")
    if origin == "null" and request.headers.get("sec-fetch-site") == "same-origin":
        return
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise ConsoleProblem(
            403, "This form comes from another site", "Open /console and sign in there."
        )
