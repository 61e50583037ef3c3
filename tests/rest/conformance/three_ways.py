"""Sends one request to one endpoint in three ways: plain FastAPI, the fast path, the slow path."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
from fastapi import APIRouter, FastAPI

from bff_core import ANYONE, Gateway, Settings, Views, gateway
from bff_core.auth import DemoAuthenticator
from bff_core.events import AnyEvent, Events

Way = Literal["plain FastAPI", "the fast path", "the slow path"]

OURS = frozenset({
    "cache-control", "cache-status", "connection", "content-length", "content-security-policy",
    "cross-origin-resource-policy", "etag", "part-status", "permissions-policy",
    "referrer-policy", "server-timing", "strict-transport-security", "vary",
    "x-content-type-options", "x-frame-options", "x-request-id",
})  # fmt: skip
"""Headers that a gateway adds; an endpoint that sets one of them itself is compared by it."""

Routes = Any
"""A router, or views: what has `get`, `post`, `put`, `patch`, `delete` and `stream`."""


@dataclass
class Ask:
    """One request; `compared` are headers of ours that are compared as well.

    `is_compiled` is whether the view is served on the fast path.
    """

    path: str = "/x"
    method: str = "GET"
    is_compiled: bool = False
    compared: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


Declare = Callable[[Routes], Ask]


class Router(APIRouter):
    """A plain router; FastAPI streams its generators."""

    def stream(self, path: str, **options: Any) -> Callable[..., Any]:
        return self.get(path, **options)


@dataclass
class Sent:
    """The parts of an answer that are compared."""

    status: int
    headers: list[tuple[str, str]]
    body: object

    @classmethod
    def of(cls, answer: httpx.Response, compared: tuple[str, ...]) -> "Sent":
        ignored = OURS - set(compared)
        headers = sorted(
            (name, _EXPIRY.sub("", value))
            for name, value in answer.headers.multi_items()
            if name not in ignored
        )
        if answer.status_code >= 400:  # the form of an error is ours
            return cls(answer.status_code, _without_type(headers), "")
        if answer.status_code in {204, 205}:  # FastAPI sends the type of no content
            return cls(answer.status_code, _without_type(headers), answer.content)
        return cls(answer.status_code, [_media_type(one) for one in headers], _body(answer))


def _without_type(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [one for one in headers if one[0] != "content-type"]


def _media_type(header: tuple[str, str]) -> tuple[str, str]:
    return ("content-type", "lines") if header[1] in _LINES else header


_EXPIRY = re.compile("expires=[^;]+")
"""The expiry of a cookie depends on the clock."""

_LINES = {"application/jsonl", "application/x-ndjson"}


def _body(answer: httpx.Response) -> object:
    kind = answer.headers.get("content-type", "")
    if kind == "application/json" and answer.content:
        return _ordered(answer.content)
    if kind in _LINES:
        return [_ordered(line) for line in answer.content.splitlines()]
    return answer.content


def _ordered(text: bytes) -> object:
    """Return the JSON value with the order of its members, which clients may rely on."""
    return json.loads(text, object_pairs_hook=list)


@dataclass
class Served:
    """An app, a client in front of it, and what a gateway reported."""

    app: FastAPI
    client: httpx.AsyncClient
    heard: list[AnyEvent] = field(default_factory=list)

    async def ask(self, ask: Ask) -> httpx.Response:
        return await self.client.request(ask.method, ask.path, **ask.options)


@asynccontextmanager
async def serving(
    way: Way, declare: Declare, prepare: Callable[[FastAPI], None] | None = None, **options: Any
) -> AsyncIterator[tuple[Served, Ask]]:
    """Serve what `declare` declares in one of the ways; `prepare` completes the app."""
    heard: list[AnyEvent] = []
    if way == "plain FastAPI":
        router = Router()
        ask = declare(router)
        app = FastAPI(**options)
        app.include_router(router)
    else:
        views = Views(access=ANYONE)
        ask = declare(views)
        app = gateway_of(views, heard, **options)
    if prepare is not None:
        prepare(app)
    if way == "the slow path":
        app.dependency_overrides[object] = object
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield Served(app, client, heard), ask


def gateway_of(views: Views, heard: list[AnyEvent], **options: Any) -> Gateway:
    """Return a gateway with these views, and no services; development would check the results."""
    settings = Settings(env="production", allowed_hosts="testserver", gc_freeze=False)
    return gateway(
        "shop",
        faces=[views],
        settings=settings,
        authenticator=DemoAuthenticator(env="test"),
        events=Events(heard.append),
        **options,
    )


async def answer_of(way: Way, declare: Declare, **options: Any) -> httpx.Response:
    """Return the answer to the request of one feature, served in one way."""
    async with serving(way, declare, **options) as (served, ask):
        if way == "the fast path":
            assert is_compiled(served.app, ask) == ask.is_compiled
        return await served.ask(ask)


def is_compiled(app: FastAPI, ask: Ask) -> bool:
    """Whether the fast path serves a request itself."""
    assert isinstance(app, Gateway)
    app.middleware_stack = app.middleware_stack or app.build_middleware_stack()
    scope = {"type": "http", "method": ask.method, "path": ask.path.partition("?")[0]}
    match = app.fast_path.find(scope)
    return match is not None and match.entry is not None and match.entry.compiled is not None


async def assert_alike(declare: Declare, **options: Any) -> httpx.Response:
    """Assert that a feature answers in all ways as on plain FastAPI; return that answer."""
    compared = declare(Views(access=ANYONE)).compared
    plain = await answer_of("plain FastAPI", declare, **options)
    for way in OTHER_WAYS:
        answer = await answer_of(way, declare, **options)
        assert (way, Sent.of(answer, compared)) == (way, Sent.of(plain, compared))
    return plain


OTHER_WAYS: tuple[Way, ...] = ("the fast path", "the slow path")


def features(namespace: dict[str, Any]) -> list[Declare]:
    """Return the functions of a module that are marked with `feature`, in their order."""
    return [one for one in namespace.values() if getattr(one, "is_feature", False)]


def feature(declare: Declare) -> Declare:
    """Mark a function that declares a feature; see the docstring of this package."""
    declare.is_feature = True  # type: ignore[attr-defined]
    return declare
