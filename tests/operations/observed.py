"""A gateway to which everything happens that metrics count: `tests.operations.observed:app`.

Its services are scripted: reviews and news fail, catalog is cached. `POST /happen` emits the rare
events.
"""

import itertools
from typing import Annotated

import strawberry
from fastapi import Depends

from bff_core import (
    ANYONE,
    Bulkhead,
    Cache,
    Composition,
    EdgeOptions,
    Limit,
    Policy,
    Upstream,
    Views,
    compose,
    critical,
    events,
    gateway,
    optional,
)
from bff_core.graphql import GraphQL, ShapeOf, part, screen
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply


class Catalog(Upstream):
    """A service whose replies are cached."""

    policy = Policy(public=True, cache=Cache(ttl=60), bulkhead=Bulkhead(concurrent=50))

    async def title(self, number: int) -> str:
        """Return a title."""
        return await self.get("/title/{number}", {"number": number}, str)


class Reviews(Upstream):
    """A service that fails."""

    policy = Policy(public=True)

    async def stars(self) -> int:
        """Return how many stars."""
        return await self.get("/stars", int)


class News(Upstream):
    """A service that has failed since its first reply."""

    policy = Policy(public=True, cache=Cache(ttl=0.05, error=600))

    async def headline(self) -> str:
        """Return a headline."""
        return await self.get("/headline", str)


NUMBERS = itertools.count()
"""Of titles; each is read twice, so that every second one is in the cache."""


class Shelf(Composition):
    """A title, and perhaps its rating."""

    catalog: Catalog
    reviews: Reviews

    @critical
    async def title(self) -> str:
        """Return the title."""
        return await self.catalog.title(next(NUMBERS) // 2)

    @optional(fallback=0)
    async def rating(self) -> int:
        """Return the stars."""
        return await self.reviews.stars()


class Paper(Composition):
    """A screen that is answered with stale data."""

    news: News

    @critical
    async def headline(self) -> str:
        """Return the headline."""
        return await self.news.headline()


class Board(Composition):
    """A screen that fails with its service."""

    reviews: Reviews

    @critical
    async def stars(self) -> int:
        """Return the stars."""
        return await self.reviews.stars()


views = Views(prefix="/v1", access=ANYONE)


@views.get("/shelf", objective="complete 99 %, ≤ 300 ms")
async def get_shelf(shelf: Annotated[Shelf, Depends(compose(Shelf))]) -> list[str]:
    """Answer with both parts."""
    return [await shelf.title(), str(await shelf.rating())]


@views.get("/paper")
async def get_paper(paper: Annotated[Paper, Depends(compose(Paper))]) -> str:
    """Answer with the headline."""
    return await paper.headline()


@views.get("/board", objective="complete 99 %, ≤ 300 ms")
async def get_board(board: Annotated[Board, Depends(compose(Board))]) -> int:
    """Answer with an error."""
    return await board.stars()


UPSTREAM = {"upstream": "reviews", "operation": "GET /stars"}

HAPPENING = (
    events.Hedged(**UPSTREAM),
    events.Coalesced(**UPSTREAM),
    events.CallRejected(**UPSTREAM, reason="bulkhead_full"),
    events.RetryRefused(**UPSTREAM, reason="budget"),
    events.Ejected(**UPSTREAM, endpoint="10.0.0.2:80", duration=1.0),
    events.ReplyReduced(**UPSTREAM, lost=("/a",), count=1),
    events.StreamEnded(**UPSTREAM, outcome="whole", size=1, duration=0.1),
    events.TokenRefused(**UPSTREAM, reason="invalid_client"),
    events.Purged(tags=("a",), by="operator", count=1),
    events.Evicted(count=1, size=10),
    events.LoadShed({"sheddable": 3}, 2, 1.0, 10, 10.0, 0.01),
    events.Refused(status=400, reason="bad_request", request_id="1"),
    events.SessionChanged("begun"),
    events.SagaEnded("Checkout", "1", "done"),
    events.SagaStuck("Checkout", "2", "charge", "unknown", 1.0),
    events.Crashed("GET /v1/shelf", "1", ValueError("for the test")),
    events.LoopBlocked(0.3, ""),
    events.PoliciesRefused("for the test"),
    events.SplitChosen("shelves", "reviews"),
    events.MirrorCompared("shelves", "news", "body_differs", differences=("changed $.a",)),
    events.MirrorDropped("shelves", "news", "busy"),
    events.StoreChanged("sessions", "open", "for the test"),
    events.AnswerForgotten("store"),
)


@strawberry.type
class ShownShelf(ShapeOf[Shelf]):
    """A shelf."""

    title: str = part(Shelf.title)
    rating: int = part(Shelf.rating)


@strawberry.type
class Query:
    """The only field."""

    shelf: ShownShelf | None = screen(Shelf, ShownShelf.of, access=ANYONE)


TRANSPORT = ScriptedTransport(
    {
        "10.0.0.1": Scripted(reply(200, "A tent")),
        "10.0.0.2": Scripted(reply(200, 4), reply(200, 4), reply(503)),
        "10.0.0.3": Scripted(reply(200, "Snow"), reply(503)),
    }
)

app = gateway(
    "observed",
    services=[Catalog, Reviews, News],
    faces=[views, GraphQL(strawberry.Schema(Query))],
    limits=[Limit(quota=1, by="address", paths=("/v1/limited",), name="limited")],
    options=EdgeOptions(idempotency=None, allowed_hosts=["127.0.0.1"]),
    transport=lambda *_: TRANSPORT,
)


@app.get("/v1/limited")
async def limited() -> dict[str, str]:
    """Answer one request of an address."""
    return {}


@app.post("/happen")
async def happen() -> dict[str, str]:
    """Emit the rare events."""
    for one in HAPPENING:
        app.events.emit(one)
    return {}
