"""The program whose instructions are counted: `python -m bench.counted "REST screen" 1100 off`.

It sends one request again and again to a gateway in process, whose services answer from memory. It
imports public names only, so that it counts the same before and after a change inside.
"""

import asyncio
import gc
import sys
from dataclasses import dataclass
from typing import Annotated, Any

import strawberry
from fastapi import Depends

from bff_core import (
    ANYONE,
    Cache,
    Call,
    Composition,
    Gateway,
    Policy,
    Reply,
    Settings,
    Upstream,
    Views,
    access,
    compose,
    critical,
    gateway,
    gather,
    optional,
)
from bff_core.graphql import GraphQL, Info, ShapeOf, each, part

ITEM = b'{"id":"1","title":"A tent","price":9.5,"tags":["a","b"]}'
LIST = b"[" + b",".join([ITEM] * 3) + b"]"
JSON_TYPE = (b"content-type", b"application/json")


@dataclass(frozen=True)
class Sample:
    """A repeated request, the start of its answer, and a header that the answer must have."""

    method: str
    path: str
    body: bytes
    begins: bytes
    header: bytes


SAMPLES = {
    "REST screen": Sample("GET", "/screen/1", b"", b'{"title":"A tent"', b"etag"),
    "view-cache hit": Sample("GET", "/cached/1", b"", b'{"title":"A tent"', b"age"),
    "GraphQL screen": Sample(
        "POST",
        "/graphql",
        b'{"query":"{ screen { item { title price } others { title } following { title } } }"}',
        b'{"data":{"screen":{"item":{"title":"A tent"',
        b"part-status",
    ),
}


@dataclass(frozen=True)
class Item:
    """An item of a service."""

    id: str
    title: str
    price: float
    tags: list[str]


class Items(Upstream):
    """One thing at a time."""

    policy = Policy(public=True, coalesce=False)

    async def one(self, number: str) -> Item:
        """Return a thing."""
        return await self.get("/items/{id}", Item, id=number)


class Others(Upstream):
    """Several things at once."""

    policy = Policy(public=True)

    async def some(self, count: int) -> list[Item]:
        """Return things."""
        return await self.get("/all", list[Item], query={"n": count})


class Stored(Upstream):
    """One thing at a time, cached."""

    policy = Policy(public=True, cache=Cache(ttl=3600))

    async def one(self, number: str) -> Item:
        """Return a thing."""
        return await self.get("/items/{id}", Item, id=number)


class Screen(Composition):
    """Three calls to two services."""

    items: Items
    others_service: Others
    number: str = "1"

    @critical
    async def item(self) -> Item:
        """Return the thing."""
        return await self.items.one(self.number)

    @optional
    async def others(self) -> list[Item]:
        """Return three others."""
        return await self.others_service.some(3)

    @optional
    async def following(self) -> Item:
        """Return the one after it."""
        return await self.items.one("following")


class StoredScreen(Composition):
    """One call to a service whose replies are cached, and so the answer is."""

    stored: Stored
    number: str

    @critical
    async def item(self) -> Item:
        """Return the thing."""
        return await self.stored.one(self.number)


@dataclass
class Shown:
    """The answer for the client."""

    title: str
    others: int
    following: str | None


views = Views(access=ANYONE)


@views.get("/screen/{number}")
async def get_screen(page: Annotated[Screen, Depends(compose(Screen))]) -> Shown:
    """Show all three."""
    item, others, following = await gather(page.item(), page.others(), page.following())
    return Shown(item.title, len(others or []), following.title if following else None)


@views.get("/cached/{number}", public=True)
async def get_cached(page: Annotated[StoredScreen, Depends(compose(StoredScreen))]) -> Shown:
    """Show the one that is cached."""
    return Shown((await page.item()).title, 0, None)


class WebItem(ShapeOf[Item], name="Item"):
    """A thing."""

    title: str
    price: float


class WebScreen(ShapeOf[Screen], name="Screen"):
    """The same three parts."""

    item: WebItem = part(Screen.item, WebItem.of)
    others: list[WebItem] | None = part(Screen.others, each(WebItem.of))
    following: WebItem | None = part(Screen.following, WebItem.of)


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    @access(ANYONE)
    def screen(self, info: Info) -> WebScreen:
        """Return the screen."""
        return WebScreen.of(info.context.compose(Screen))


class FromMemory:
    """A transport, and the connector of each endpoint, that answers without a socket."""

    idle = 0
    load = None
    endpoint = None

    def connect(self, _endpoint: object, /) -> "FromMemory":
        """Return the connector."""
        return self

    async def send(self, call: Call, /) -> Reply:
        """Answer a call."""
        return Reply(200, (JSON_TYPE,), LIST if call.target.startswith("/all") else ITEM)

    def close_idle(self) -> None:
        """Close nothing."""

    async def aclose(self) -> None:
        """Close nothing."""


def app_of(log: str) -> Gateway:
    """Return the gateway, with a form of log: `off` for no sink, `json` at level info.

    With `metrics` it has no log, and counts its requests.
    """
    counting = {"metrics": "on"} if log == "metrics" else {}
    settings = Settings(
        env="production",
        allowed_hosts="localhost",
        log="off" if counting else log,
        log_level="info",
        gc_freeze=False,
        max_lag=0,
        upstreams=dict.fromkeys(("items", "others", "stored"), ("http://127.0.0.1:1",)),
        **counting,
    )
    return gateway(
        "counted",
        services=[Items, Others, Stored],
        faces=[views, GraphQL(strawberry.Schema(Query))],
        settings=settings,
        transport=lambda _policy, _runtime: FromMemory(),
    )


async def send(app: Gateway, sample: Sample, times: int) -> list[dict[str, Any]]:
    """Send a sample so many times, and return the messages of the last answer."""
    headers = [(b"host", b"localhost"), (b"accept", b"application/json"), (b"user-agent", b"bench")]
    if sample.body:
        headers += [JSON_TYPE, (b"content-length", b"%d" % len(sample.body))]
    answer: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": sample.body, "more_body": False}

    async def take(message: Any) -> None:
        answer.append(message)

    async with app.router.lifespan_context(app):
        for _ in range(times):
            answer.clear()
            await app(scope_of(sample, headers), receive, take)
    return answer


def scope_of(sample: Sample, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    """Return a request as a server hands it over."""
    return {
        "type": "http",
        "http_version": "1.1",
        "method": sample.method,
        "scheme": "http",
        "path": sample.path,
        "raw_path": sample.path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": list(headers),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
        "asgi": {"version": "3.0"},
    }


def main(name: str, times: int, log: str = "off") -> None:
    """Send a sample, and fail if its answer is wrong."""
    sample = SAMPLES[name]
    gc.disable()
    start, *rest = asyncio.run(send(app_of(log), sample, times))
    body = b"".join(message.get("body", b"") for message in rest)
    names = {field for field, _ in start["headers"]}
    if start["status"] != 200 or not body.startswith(sample.begins) or sample.header not in names:
        sys.exit(f"{name}: {start} {body!r}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
