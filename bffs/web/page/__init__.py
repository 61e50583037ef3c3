"""The page that browsers load: no framework, no token, a script that calls the gateway."""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from bff_core import ANYONE, access

FOLDER = Path(__file__).parent

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

router = APIRouter(include_in_schema=False)


HEADERS = {"content-security-policy": POLICY, "cache-control": "no-cache"}


def _file(name: str) -> FileResponse:
    return FileResponse(FOLDER / name, headers=HEADERS)


@router.get("/")
@access(ANYONE)
async def get_index(request: Request) -> Response:
    """Show the page; in development it has a link to the console."""
    if request.app.settings.env != "development":
        return _file("index.html")
    text = (FOLDER / "index.html").read_text()
    return HTMLResponse(text.replace('id="console" hidden', 'id="console"'), headers=HEADERS)


@router.get("/page.js")
@access(ANYONE)
async def get_script() -> FileResponse:
    """Return its script."""
    return _file("page.js")


@router.get("/page.css")
@access(ANYONE)
async def get_style() -> FileResponse:
    """Return how it looks."""
    return _file("page.css")
