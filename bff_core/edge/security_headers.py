"""Security headers: restrict what browsers may do with an answer."""

from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from bff_core.call import Headers

API_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""The content security policy of data: a browser that shows it as a page loads nothing."""

DOCS_POLICY = (
    "default-src 'none'; connect-src 'self'; font-src https://fonts.gstatic.com; "
    "img-src data: https://cdn.redoc.ly https://fastapi.tiangolo.com; "
    "script-src 'unsafe-inline' https://cdn.jsdelivr.net; "
    "style-src 'unsafe-inline' https://cdn.jsdelivr.net https://fonts.googleapis.com; "
    "worker-src blob:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""The content security policy of FastAPI's documentation, which loads scripts from other hosts."""


def security_headers(*, policy: str = API_POLICY, hsts: str = "") -> Headers:
    """Return the security headers of every answer; `hsts` is empty where plain HTTP is in use.

    Source: OWASP's HTTP headers cheat sheet, HTML and Fetch standards, RFC 6797.
    """
    headers = (
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"content-security-policy", policy.encode("latin-1")),
    )
    if not hsts:
        return headers
    return (*headers, (b"strict-transport-security", hsts.encode("latin-1")))


def with_policy(page: ASGIApp, policy: str) -> ASGIApp:
    """Wrap an application so that its answers get another content security policy."""
    field = (b"content-security-policy", policy.encode("ascii"))

    async def app(scope: ASGIScope, receive: Receive, send: Send) -> None:
        async def with_field(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], field]}
            await send(message)

        await page(scope, receive, with_field)

    return app
