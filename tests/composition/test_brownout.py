"""Brownout: a composition that is built under overload leaves out its optional parts."""

import asyncio
from collections.abc import Sequence

import pytest

from bff_core.composition.composition import Composition, PartRegistry
from bff_core.composition.decorators import critical, optional
from bff_core.composition.gather import gather
from bff_core.composition.loader import loader
from bff_core.composition.run_context import RunContext
from bff_core.composition.wiring import Wiring
from bff_core.events import Events
from bff_core.scope import Scope


class Page(Composition):
    """A screen that records which of its parts ran."""

    ran: list[str]

    @critical
    async def product(self) -> str:
        self.ran.append("product")
        return f"product, {await self.price()} EUR"

    @optional(fallback=0)
    async def price(self) -> int:
        self.ran.append("price")
        return 7

    @optional(fallback=tuple)
    async def reviews(self, first: int = 3) -> Sequence[str]:
        self.ran.append("reviews")
        return ("good",) * first

    @optional
    async def rating(self) -> float:
        self.ran.append("rating")
        return 4.5

    @optional(fallback="", shed=False)
    async def warning(self) -> str:
        self.ran.append("warning")
        return "may contain nuts"

    @loader(fallback=-1)
    async def stock(self, keys: tuple[str, ...]) -> dict[str, int]:
        self.ran.append("stock")
        return dict.fromkeys(keys, 5)

    @loader(fallback=-1, shed=False)
    async def limit(self, keys: tuple[str, ...]) -> dict[str, int]:
        self.ran.append("limit")
        return dict.fromkeys(keys, 9)

    @loader
    async def names(self, keys: tuple[str, ...]) -> dict[str, str]:
        self.ran.append("names")
        return {key: key.upper() for key in keys}


class Overload:
    """An overload that a test switches on and off."""

    def __init__(self) -> None:
        self.is_on = True
        self.calls = 0

    def sheds_parts(self) -> bool:
        self.calls += 1
        return self.is_on


def wiring(overload: Overload) -> Wiring:
    loop = asyncio.get_running_loop()
    return Wiring([], loop=loop, clock=loop.time, events=Events(), sheds_parts=overload.sheds_parts)


def overloaded() -> Page:
    page = Page(ran=[])
    loop = asyncio.get_running_loop()
    page.enter(PartRegistry(RunContext("Page", loop, loop.time, sheds_parts=True)))
    return page


@pytest.mark.virtual_time
async def test_optional_parts_are_shed_and_reported():
    """Their code does not run; the value is the fallback, the state `missing`, for `shed`."""
    page = overloaded()

    reviews, rating = await gather(page.reviews(first=2), page.rating())

    assert (reviews, rating, page.ran) == ((), None, [])
    states = {name: (one.state, one.reason) for name, one in page.parts.items()}
    assert states == {"reviews": ("missing", "shed"), "rating": ("missing", "shed")}
    assert {one.name for one in page.degraded} == {"reviews", "rating"}


@pytest.mark.virtual_time
async def test_a_critical_part_gets_the_fallback_of_a_shed_part():
    """It awaits the part as usual, and gets the same value as if the service were down."""
    page = overloaded()

    assert await page.product() == "product, 0 EUR"
    assert page.ran == ["product"]
    assert str(page.plan()).splitlines()[1:] == [
        "└─ product  fallback (dependency)  0.0 ms",
        "   └─ price  missing (shed)  0.0 ms",
    ]


@pytest.mark.virtual_time
async def test_shed_false_runs_an_optional_part_under_load():
    """An optional part with `shed=False` may fail, but is never left out."""
    page = overloaded()

    assert await page.warning() == "may contain nuts"
    assert page.parts["warning"].state == "ok"


@pytest.mark.virtual_time
async def test_loaders_with_a_fallback_are_shed():
    """Each key yields the fallback, now and later; loaders without a fallback still load."""
    page = overloaded()

    first = await gather(page.stock("a"), page.stock("b"), page.names("n"), page.limit("x"))
    later = await page.stock.many(["a", "c"])

    assert (first, later) == ((-1, -1, "N", 9), [-1, -1])
    assert page.ran == ["names", "limit"]
    assert (page.parts["stock"].state, page.parts["stock"].reason) == ("missing", "shed")


@pytest.mark.virtual_time
async def test_overload_is_checked_once_per_screen():
    """It is checked when a screen is built, so that no screen sheds only some of its parts."""
    overload = Overload()
    page = wiring(overload).build(Page, Scope(float("inf")), {"ran": []})
    overload.is_on = False
    other = wiring(overload).build(Page, Scope(float("inf")), {"ran": []})

    shed = await gather(page.price(), page.reviews())
    whole = await gather(other.price(), other.reviews())

    assert (shed, whole) == ((0, ()), (7, ("good",) * 3))
    assert overload.calls == 2
    await page.aclose()
    await other.aclose()


@pytest.mark.virtual_time
async def test_a_screen_with_shed_parts_can_be_closed():
    """Parts that never ran need no cancellation."""
    page = overloaded()
    page.reviews()

    await page.aclose()

    assert page.parts["reviews"].reason == "shed"
