"""A gateway with a WebSocket for a real browser: `tests.real.chat:app`."""

from fastapi import Response, WebSocket
from fastapi.responses import HTMLResponse
from starlette.requests import Request

from bff_core import ANYONE, Scope, Settings, Viewer, access, gateway
from bff_core.auth.oidc.config import OpenIDProvider
from bff_core.auth.session.authenticator import SessionAuthenticator
from bff_core.auth.session.session import Session
from bff_core.http_exchange.request_context import SCOPE

PAGE = """<!doctype html><title>chat</title><script>
window.chat = (url) => new Promise((resolve) => {
  const socket = new WebSocket(url);
  socket.onmessage = (event) => resolve(event.data);
  socket.onerror = () => resolve("refused");
});
</script>"""

made: list[SessionAuthenticator] = []


def browsers(settings: Settings) -> SessionAuthenticator:
    """Return an authenticator by sessions; the test begins them itself, without a provider."""
    made.append(
        SessionAuthenticator(
            OpenIDProvider(issuer="https://id.example", client_id="web", client_secret="secret")
        )
    )
    return made[-1]


app = gateway("chat", authenticator=browsers)


@app.get("/page")
@access(ANYONE)
async def page() -> HTMLResponse:
    """Show a page that can open a socket."""
    return HTMLResponse(PAGE, headers={"content-security-policy": "default-src * 'unsafe-inline'"})


@app.get("/begin")
@access(ANYONE)
async def begin(request: Request) -> Response:
    """Sign the browser in as user 7."""
    scope: Scope = request.scope[SCOPE]
    await made[-1].begin(scope, Session("h", "7"))
    return Response(status_code=204)


@app.websocket("/chat")
async def chat(socket: WebSocket) -> None:
    """Greet who is signed in."""
    await socket.accept()
    await socket.send_text(Viewer.from_scope(socket.scope[SCOPE]).subject)
    await socket.close()
