"""A small gateway whose requests the tests of metrics count."""

import asyncio
from typing import Annotated

from fastapi import Depends

from bff_core import (
    ANYONE,
    Composition,
    Gateway,
    Policy,
    Settings,
    Upstream,
    Views,
    compose,
    critical,
    gateway,
    optional,
)
from bff_core.events import Events, Sink
from bff_core.testing.scripted import Scripted, ScriptedTransport


class Catalog(Upstream):
    """A service that the screen can't do without."""

    policy = Policy(public=True, retry=None, timeout=2.0)

    async def title(self) -> str:
        """Return a title."""
        return await self.get("/title/{id}", str, id="1")


class Reviews(Upstream):
    """A service whose values may be missing."""

    policy = Policy(public=True, retry=None, timeout=2.0)

    async def stars(self) -> int:
        """Return how many stars."""
        return await self.get("/stars", int)


class Shelf(Composition):
    """A title, and perhaps its rating."""

    catalog: Catalog
    reviews: Reviews

    @critical
    async def title(self) -> str:
        """Return the title."""
        return await self.catalog.title()

    @optional(fallback=0, timeout=0.5)
    async def rating(self) -> int:
        """Return the stars."""
        return await self.reviews.stars()


views = Views(prefix="/v1", access=ANYONE)


@views.get("/shelf/{number}")
async def get_shelf(number: int, shelf: Annotated[Shelf, Depends(compose(Shelf))]) -> list[str]:
    """Answer with both parts."""
    return [str(number), await shelf.title(), str(await shelf.rating())]


ADDRESSES = {"catalog": ("http://10.0.0.1",), "reviews": ("http://10.0.0.2",)}


def shelf_gateway(catalog: Scripted, reviews: Scripted, *sinks: Sink) -> Gateway:
    """Return the gateway over two scripted services."""
    transport = ScriptedTransport({"10.0.0.1": catalog, "10.0.0.2": reviews})
    return gateway(
        "mobile",
        services=[Catalog, Reviews],
        faces=[views],
        settings=Settings(env="development", log="off", upstreams=ADDRESSES),
        transport=lambda *_: transport,
        events=Events(*sinks),
        clock=asyncio.get_running_loop().time,
    )
