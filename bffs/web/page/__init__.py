"""The page that browsers load: no framework, no token, a script that calls the gateway."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from bff_core import ANYONE, access

FOLDER = Path(__file__).parent

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

router = APIRouter(include_in_schema=False)


def _file(name: str) -> FileResponse:
    headers = {"content-security-policy": POLICY, "cache-control": "no-cache"}
    return FileResponse(FOLDER / name, headers=headers)


@router.get("/")
@access(ANYONE)
async def get_index() -> FileResponse:
    """Show the page."""
    return _file("index.html")


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
