"""The page on which operators enter their token, and the end of their session."""

from html import escape
from typing import Protocol
from urllib.parse import parse_qs

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bff_core.console.answers import ConsoleProblem, read_bytes
from bff_core.console.sign_in.access import (
    Access,
    Actor,
    SignInRequired,
    actor_of,
    refuse_doubled_headers,
    refuse_other_sites,
    set_actor,
)
from bff_core.console.sign_in.operator_session import END_SESSION, SESSION_SECONDS
from bff_core.console.sources import Sources
from bff_core.gateway.console import CONSOLE_PATH
from bff_core.gateway.icon import ICON_DATA

LOGIN_PATH = f"{CONSOLE_PATH}/login"

STYLE_PATH = f"{CONSOLE_PATH}/login.css"

MAX_FORM_BYTES = 4096

_STYLE = """\
body.login { display: grid; place-items: start center; min-height: 100vh; padding: 16vh 24px 48px; }
body.login main { width: min(400px, 100%); }
body.login .brand { justify-content: start; padding: 0; margin-bottom: 8px; }
body.login .brand b, body.login .brand span { display: inline; }
body.login .card { padding: 24px; }
body.login h1 { font: 600 20px/28px var(--sans); }
body.login form { display: grid; gap: 8px; margin-top: 16px; }
body.login label { font: var(--t-12); color: var(--ink-2); }
body.login input { height: 36px; padding: 0 10px; border: 1px solid var(--control);
  border-radius: var(--r2); background: var(--surface); color: var(--ink); font: var(--m-12); }
body.login input[hidden] { display: none; }
body.login input[aria-invalid] { border-color: var(--failed-mark); }
body.login .why { display: flex; gap: 8px; align-items: center; margin-top: 12px; padding: 8px 12px;
  border-radius: var(--r2); background: var(--failed-tint); color: var(--failed); }
body.login button { height: 36px; margin-top: 8px; justify-content: center; font-size: 13px; }
body.login .note { margin-top: 16px; color: var(--muted); font: var(--t-12); }
"""

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sign in · {gateway} · bff console</title>
<link rel="icon" href="{icon}">
<link rel="stylesheet" href="{prefix}/console/assets/main.css">
<link rel="stylesheet" href="{style}">
</head>
<body class="login">
<main>
<div class="brand"><img src="{icon}" alt="" width="20" height="20"><b>bff</b>
<span>console</span></div>
<section class="card">
<h1>Sign in to {gateway}</h1>
<p class="ink2">The console shows what this gateway does, and changes it.</p>
{error}<form method="post" action="{login}">
<input name="username" value="operator" autocomplete="username" hidden>
<input type="hidden" name="next" value="{target}">
<label for="token">Operator token</label>
<input id="token" name="token" type="password" autocomplete="current-password" autocapitalize="off"
 spellcheck="false" aria-describedby="why note"{invalid} required autofocus>
<button class="btn go" type="submit">Sign in</button>
</form>
<p class="note" id="note">It is <code>BFF_OPERATOR_TOKEN</code> of the gateway. You stay signed in
for {hours} hours in this browser.</p>
</section>
</main>
</body>
</html>
"""

_WHY = """\
<p class="why" id="why" role="alert">{text}</p>
"""


class _Console(Protocol):
    """The part of a console that signs operators in and out."""

    access: Access
    sources: Sources

    def audit(self, request: Request, subject: str, text: str, /) -> object: ...


def login_page(
    console: _Console, request: Request, *, status: int = 200, error: str = "", target: str = ""
) -> Response:
    """Return the page; `target` is the page of the console to show afterwards."""
    prefix = escape(_prefix(request))
    text = _PAGE.format(
        prefix=prefix,
        login=f"{prefix}{LOGIN_PATH}",
        style=f"{prefix}{STYLE_PATH}",
        hours=SESSION_SECONDS // 3600,
        gateway=escape(", ".join(console.sources.names)),
        icon=escape(ICON_DATA),
        target=escape(_safe(target)),
        error=_WHY.format(text=escape(error)) if error else "",
        invalid=' aria-invalid="true"' if error else "",
    )
    headers = {"cache-control": "no-store"}
    return Response(text, status, headers=headers, media_type="text/html; charset=utf-8")


def login_style() -> Response:
    """Return the style of the page."""
    return Response(_STYLE, headers={"cache-control": "no-cache"}, media_type="text/css")


async def sign_out(console: _Console, request: Request) -> Response:
    """End the session of a request, in all processes, and delete its cookie."""
    access, session = console.access, actor_of(request).session
    if session:
        body = msgspec.json.encode((session, access.sessions.end(session)))
        await console.sources.send_each(console.sources.names, END_SESSION, body)
        console.audit(request, "console", "signed out")
    response = Response(status_code=204)
    response.delete_cookie(
        access.cookie(request),
        path=f"{_prefix(request)}{CONSOLE_PATH}",
        secure=access.is_https(request),
        httponly=True,
        samesite="strict",
    )
    return response


async def sign_in(console: _Console, request: Request) -> Response:
    """Answer the form: a session cookie and the page that was wanted, or the form again."""
    access = console.access
    refuse_doubled_headers(request)
    access.check_host(request)
    refuse_other_sites(request)
    _check_origin(request)
    form = parse_qs((await read_bytes(request, MAX_FORM_BYTES)).decode("utf-8", "replace"))
    target = form.get("next", [CONSOLE_PATH])[0]
    try:
        access.check_token(request, form.get("token", [""])[0].strip().encode())
    except SignInRequired:
        error = "That is not the operator token of this gateway."
        return login_page(console, request, status=401, error=error, target=target)
    except ConsoleProblem as problem:
        error = f"{problem.title}. {problem.detail}"
        refused = login_page(console, request, status=429, error=error, target=target)
        refused.headers.update(problem.headers)
        return refused
    response = Response(status_code=303, headers={"location": f"{_prefix(request)}{_safe(target)}"})
    response.set_cookie(
        access.cookie(request),
        access.sessions.new(),
        max_age=SESSION_SECONDS,
        path=f"{_prefix(request)}{CONSOLE_PATH}",
        secure=access.is_https(request),
        httponly=True,
        samesite="strict",
    )
    set_actor(request, Actor("operator"))
    console.audit(request, "console", "signed in")
    return response


def _prefix(request: Request) -> str:
    return str(request.scope.get("root_path", ""))


def _safe(target: str) -> str:
    """Return a path of the console; any other target becomes its first page."""
    is_ours = target == CONSOLE_PATH or target.startswith((f"{CONSOLE_PATH}/", f"{CONSOLE_PATH}?"))
    return target if is_ours and target.isascii() and target.isprintable() else CONSOLE_PATH


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
