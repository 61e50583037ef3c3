"""A part that awaited a degraded part is reported as degraded, unless it tolerates that."""

import asyncio
from typing import Annotated

import pytest
import strawberry
from fastapi import Depends

from bff_core import (
    Composition,
    Views,
    compose,
    critical,
    gateway,
    gather,
    loader,
    optional,
)
from bff_core.composition.composition import PartRegistry
from bff_core.composition.run_context import RunContext
from bff_core.errors import NotAllowed, NotFound
from bff_core.events import Events, PartEnded
from bff_core.graphql import GraphQL, Info
from bff_core.settings.model import Settings
from bff_core.testing import running

REASONS = [
    (TimeoutError(), ("fallback", "timeout")),
    (NotFound("none"), ("missing", "not_found")),
    (NotAllowed("no"), ("forbidden", "not_allowed")),
    (ValueError("bug"), ("fallback", "error")),
]


class Screen(Composition):
    """A price that fails, and parts that await it in several ways."""

    error: Exception

    @optional(fallback=0)
    async def price(self) -> int:
        raise self.error

    @optional(fallback=0)
    async def stock(self) -> int:
        return 3

    @critical
    async def product(self) -> str:
        return f"tent, {await self.price()}"

    @optional
    async def teaser(self) -> str | None:
        return (await self.product()).upper()

    @optional
    async def gathered(self) -> tuple[int, int] | None:
        return await gather(self.stock(), self.price())

    @optional
    async def in_tasks(self) -> list[int] | None:
        return await asyncio.gather(self.stock(), self.price())

    @critical(tolerates_degraded=True)
    async def whole(self) -> str:
        return f"tent, price on demand ({await self.price()})"

    @optional(fallback="", tolerates_degraded=True)
    async def whole_optional(self) -> str:
        return f"{await self.product()}"

    @critical
    async def behind_whole(self) -> str:
        return await self.whole()

    @optional
    async def apart(self) -> int | None:
        self.price()  # started for others, and not awaited
        return await self.stock()

    @optional
    async def impatient(self) -> int | None:
        try:
            async with asyncio.timeout(0):
                return await self.price()
        except TimeoutError:
            return 1

    @optional(fallback=7)
    async def failed(self) -> int:
        await self.price()
        raise TimeoutError


def states(screen):
    """Return state and reason of each part."""
    return {name: (one.state, one.reason) for name, one in screen.parts.items()}


@pytest.mark.parametrize(("error", "expected"), REASONS)
@pytest.mark.parametrize("name", ["product", "gathered", "in_tasks"])
async def test_a_part_that_awaited_a_degraded_one_is_a_fallback(name, error, expected):
    """Whether it awaits that part alone or with others; that part's reason is the cause."""
    async with Screen(error=error) as screen:
        assert await getattr(screen, name)() is not None

    assert states(screen)["price"] == expected
    assert states(screen)[name] == ("fallback", "dependency")


async def test_a_chain_of_parts_is_reported_to_its_end():
    """Each part in the chain is reported as degraded."""
    async with Screen(error=TimeoutError()) as screen:
        assert await screen.teaser() == "TENT, 0"

    assert states(screen)["teaser"] == ("fallback", "dependency")
    assert [one.name for one in screen.degraded] == ["teaser", "product", "price"]


@pytest.mark.parametrize("name", ["whole", "whole_optional", "behind_whole"])
async def test_a_part_that_tolerates_degraded_parts_is_complete(name):
    """Parts that await it are complete as well."""
    async with Screen(error=TimeoutError()) as screen:
        await getattr(screen, name)()

    assert states(screen)[name] == ("ok", "")


async def test_a_part_that_was_not_awaited_is_no_dependency():
    """Only awaited parts count."""
    async with Screen(error=TimeoutError()) as screen:
        await screen.apart()

    assert states(screen)["apart"] == ("ok", "")


async def test_a_part_whose_wait_was_abandoned_is_no_dependency():
    """The waiting part timed out, so its value can't depend on it."""
    async with Screen(error=TimeoutError()) as screen:
        assert await screen.impatient() == 1

    assert states(screen)["impatient"] == ("ok", "")


async def test_a_part_that_fails_itself_has_its_own_reason():
    """Its own error says more than a degraded dependency."""
    async with Screen(error=NotFound("none")) as screen:
        assert await screen.failed() == 7

    assert states(screen)["failed"] == ("fallback", "timeout")


async def test_a_view_that_awaits_a_degraded_part_is_no_part():
    """Code outside parts gets the value, and no state changes."""
    async with Screen(error=TimeoutError()) as screen:
        assert await screen.price() == 0
        assert await screen.stock() == 3

    assert states(screen) == {"price": ("fallback", "timeout"), "stock": ("ok", "")}


class Shelf(Composition):
    """Parts that await a loader."""

    outage: bool = False

    @loader(fallback=0)
    async def price(self, skus: tuple[str, ...]) -> dict[str, int | Exception]:
        if self.outage:
            raise TimeoutError
        return {sku: TimeoutError() if sku == "bad" else 5 for sku in skus}

    @optional
    async def one(self, sku: str) -> int | None:
        return await self.price(sku)

    @optional
    async def all(self) -> list[int] | None:
        return await self.price.many(["good", "bad"])


@pytest.mark.parametrize(
    ("outage", "sku", "expected"),
    [(False, "good", "ok"), (False, "bad", "fallback"), (True, "good", "fallback")],
)
async def test_another_key_of_a_loader_is_no_dependency(outage, sku, expected):
    """One key of a batch may fail, or the whole batch."""
    async with Shelf(outage=outage) as shelf:
        for key in ("bad", sku):
            await shelf.price(key)
        part = shelf.one(sku)
        await part

    assert part.state == expected


async def test_many_keys_of_which_one_failed_are_a_dependency():
    """A list with a fallback among its prices is degraded."""
    async with Shelf() as shelf:
        part = shelf.all()
        assert await part == [5, 0]

    assert (part.state, part.reason) == ("fallback", "dependency")


async def test_a_degraded_dependency_emits_an_event():
    """As with each part that does not end well; the event has no error."""
    heard = []
    screen = Screen(error=TimeoutError())
    screen.enter(
        PartRegistry(RunContext("Screen", asyncio.get_running_loop(), events=Events(heard.append)))
    )
    async with screen:
        await screen.product()

    states = [(one.part, one.state, one.reason) for one in heard if isinstance(one, PartEnded)]
    assert ("product", "fallback", "dependency") in states


class Page(Screen):
    """The screen as a view gets it: without inputs."""

    error: str = "down"

    @optional(fallback=0)
    async def price(self) -> int:
        raise TimeoutError


@strawberry.type
class Query:
    """The same screen in GraphQL."""

    @strawberry.field
    async def product(self, info: Info) -> str:
        """Show the product."""
        return await info.context.compose(Page).product()


async def test_clients_of_each_face_learn_of_it():
    """By the header, by `_meta.parts` and by `extensions.parts`."""
    views = Views()

    @views.get("/page")
    async def page(screen: Annotated[Page, Depends(compose(Page))]) -> dict[str, str]:
        return {"product": await screen.product()}

    app = gateway(
        "shop",
        faces=[views, GraphQL(strawberry.Schema(Query))],
        settings=Settings(env="development", log="off"),
    )
    async with running(app) as client:
        rest = await client.get("/page?_meta=parts")
        graph = await client.post("/graphql", json={"query": "{ product }"})

    shown = {"status": "fallback", "reason": "dependency"}
    assert "product=fallback;reason=dependency" in rest.headers["part-status"]
    assert "price=fallback;reason=timeout" in rest.headers["part-status"]
    assert rest.headers["cache-control"] == "no-store"
    assert shown.items() <= rest.json()["_meta"]["parts"]["product"].items()
    assert shown.items() <= graph.json()["extensions"]["parts"]["product"].items()
