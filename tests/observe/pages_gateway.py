"""A gateway with one screen, whose part `title` is critical and `rank` optional."""

from collections.abc import Sequence

from bff_core import (
    ANYONE,
    Cache,
    Composition,
    Gateway,
    Policy,
    Retry,
    Upstream,
    Views,
    critical,
    gateway,
    optional,
)
from bff_core.events import Sink
from bff_core.settings.model import Settings
from bff_core.testing.scripted import Scripted, ScriptedTransport


class Catalog(Upstream):
    """A service that is retried and cached."""

    policy = Policy(retry=Retry(backoff=0.01, budget_min=100), cache=Cache(ttl=10))

    async def title(self) -> str:
        return await self.get("/title", str)


class Ranks(Upstream):
    """A service without retries."""

    policy = Policy(retry=None)

    async def rank(self) -> int:
        return await self.get("/rank", int)


class Page(Composition):
    """A screen with a critical and an optional part."""

    catalog: Catalog
    ranks: Ranks

    @critical
    async def title(self) -> str:
        return await self.catalog.title()

    @optional
    async def rank(self) -> int:
        return await self.ranks.rank()


views = Views(prefix="/v1", access=ANYONE)


@views.get("/pages/{number}")
async def page(number: int, screen: Page) -> dict[str, object]:
    return {"number": number, "title": await screen.title(), "rank": await screen.rank()}


def pages_gateway(catalog: Scripted, ranks: Scripted, *, sinks: Sequence[Sink] = ()) -> Gateway:
    """Make the gateway, in development, with what its services answer."""
    scripts = {"catalog": catalog, "ranks": ranks}
    return gateway(
        "shop",
        faces=[views],
        settings=Settings(
            env="development", upstreams=dict.fromkeys(scripts, "http://10.0.0.1"), log="off"
        ),
        sinks=sinks,
        transport=lambda _, runtime: ScriptedTransport({"10.0.0.1": scripts[runtime.upstream]}),
    )
