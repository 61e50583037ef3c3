"""The routes of the pages: the start page with three clients, each client, files."""

import os
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from bff_core import ANYONE, Settings, access
from bffs.web.pages.configuration import ShopConfiguration
from bffs.web.pages.files import html_file, static_file, worker_file
from bffs.web.pages.policy import page_policy

FRAMED: Final = ("store", "phone", "office")
"""The pages that the start page shows in frames."""

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")

router = APIRouter(include_in_schema=False)


@router.get("/")
@access(ANYONE)
async def get_start(request: Request) -> Response:
    """Show the three clients beside each other."""
    return _page(request, "start")


@router.get("/store/{path:path}")
@access(ANYONE)
async def get_store(request: Request, path: str) -> Response:
    """Show the web shop; its script shows what the path names."""
    del path
    return _page(request, "store")


@router.get("/phone/")
@access(ANYONE)
async def get_phone(request: Request) -> Response:
    """Show the phone's app."""
    return _page(request, "phone")


@router.get("/office/")
@access(ANYONE)
async def get_office(request: Request) -> Response:
    """Show the back office."""
    return _page(request, "office")


@router.get("/pages/{area}/{path:path}")
@access(ANYONE)
async def get_file(area: str, path: str) -> Response:
    """Return a script, a style sheet or another file of a page."""
    return static_file(area, path).response({})


@router.get("/sw.js")
@access(ANYONE)
async def get_worker(request: Request) -> Response:
    """Return the service worker of all pages."""
    policy = page_policy(_configuration(request).called, is_framed=False)
    headers = {
        "content-security-policy": policy,
        "service-worker-allowed": f"{_root(request)}/",
    }
    return worker_file().response(headers)


@router.get("/shop.json")
@access(ANYONE)
async def get_configuration(request: Request) -> Response:
    """Return whom the pages call, and which customers and services there are."""
    headers = {"cache-control": "no-cache"}
    return JSONResponse(_configuration(request).as_json(), headers=headers)


def _page(request: Request, area: str) -> Response:
    """Return a page; one that is opened by another name of this machine is at the public URL.

    Sign-in returns to that URL, and the other gateways let pages of its origin call them.
    """
    settings: Settings = request.app.settings
    public = urlsplit(settings.public_url)
    names = {request.url.hostname, public.hostname}
    if len(names) == 2 and names.issubset(LOOPBACK):
        return RedirectResponse(request.url.replace(netloc=public.netloc), 307)
    is_framed = area in FRAMED
    policy = page_policy(_configuration(request).called, is_framed=is_framed)
    headers = {"content-security-policy": policy}
    if is_framed:
        headers["x-frame-options"] = "SAMEORIGIN"
    return html_file(area, _root(request)).response(headers)


def _configuration(request: Request) -> ShopConfiguration:
    return ShopConfiguration.of(request.app.settings, os.environ)


def _root(request: Request) -> str:
    """Return the path that the gateway is below; empty at the root of its host."""
    root: str = request.scope.get("root_path", "")
    return root.rstrip("/")
