"""A client's text in calls to a service: text that can't be sent is a 422, never a crash."""

from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import pytest
from fastapi import Depends

from bff_core import (
    ANYONE,
    Composition,
    HttpxTransport,
    Settings,
    Upstream,
    Views,
    compose,
    critical,
    gateway,
)
from bff_core.events import Crashed, Events


class Notes(Upstream):
    """A service that gets a client's text."""

    async def header(self, note):
        return await self.get("/notes", str, headers={"x-note": note})

    async def segment(self, note):
        return await self.get("/notes/{note}", str, note=note)

    async def path(self, note):
        return await self.get("/notes/{note:path}", str, note=note)

    async def number(self, number):
        return await self.get("/notes", str, query={"above": number})

    async def body(self, number):
        return await self.post("/notes", str, json={"lines": [{"above": number}]})


class Page(Composition):
    """A composition of one part."""

    notes: Notes

    @critical
    async def header(self, note: str) -> str:
        return await self.notes.header(note)


Shown = Annotated[Page, Depends(compose(Page))]


async def service(scope, receive, send):
    """Answer anything."""
    await send({
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"application/json")],
    })  # fmt: skip
    await send({"type": "http.response.body", "body": b'"ok"'})


@asynccontextmanager
async def opened():
    """Run a gateway in front of the service; also return its `Crashed` events."""
    views, crashes = Views(access=ANYONE), []

    @views.get("/part")
    async def get_part(page: Shown, note: str) -> str:
        return await page.header(note)

    @views.get("/{place}")
    async def get_note(page: Shown, place: str, note: str) -> str:
        return await getattr(page.notes, place)(note)

    @views.post("/{place}")
    async def post_number(page: Shown, place: str, note: float) -> str:
        return await getattr(page.notes, place)(note)

    def sink(event):
        if isinstance(event, Crashed):
            crashes.append(event)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(service)) as inner:
        app = gateway(
            "shop",
            services=[Notes],
            faces=[views],
            settings=Settings(
                env="production",
                gc_freeze=False,
                allowed_hosts=["testserver"],
                upstreams={"notes": ("http://notes",)},
            ),
            events=Events(sink),
            transport=lambda policy, _: HttpxTransport(inner, policy.connection),
        )
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://testserver"
            ) as client,
        ):
            yield client, crashes


UNSENDABLE = [
    ("GET", "header", "a\nb", "header 'x-note' can't hold"),
    ("GET", "header", "a\r\nx: y", "header 'x-note' can't hold"),
    ("GET", "header", "\0", "header 'x-note' can't hold"),
    ("GET", "header", "ключ", "header 'x-note' can't hold"),
    ("GET", "part", "👍", "header 'x-note' can't hold"),
    ("GET", "segment", "", "note must not be ''"),
    ("GET", "segment", "..", "note must not be '..'"),
    ("GET", "path", "a/../b", "note must not hold an empty segment"),
    ("GET", "path", "/etc", "note must not hold an empty segment"),
]


@pytest.mark.parametrize(("method", "place", "note", "detail"), UNSENDABLE)
async def test_text_that_can_not_be_sent_is_a_422(method, place, note, detail):
    """The problem names the part of the call, and nothing is logged as a crash."""
    async with opened() as (client, crashes):
        answer = await client.request(method, f"/{place}", params={"note": note})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert detail in answer.json()["detail"]
    assert crashes == []


@pytest.mark.parametrize(
    ("method", "place", "note"),
    [
        ("GET", "header", "é, a\tb"),
        ("GET", "part", "ok"),
        ("GET", "segment", "a/b\r\n?ключ👍"),
        ("GET", "path", "a/b/..c"),
        ("POST", "number", "1.5"),
        ("POST", "body", "0"),
    ],
)
async def test_text_that_can_be_sent_is_sent(method, place, note):
    """All text that a path, a query or a header may have reaches the service."""
    async with opened() as (client, crashes):
        answer = await client.request(method, f"/{place}", params={"note": note})

    assert (answer.status_code, answer.json(), crashes) == (200, "ok", [])
