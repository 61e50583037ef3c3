"""Parts of a composition: they run once per arguments, in parallel, and report their state."""

import asyncio
from collections.abc import Sequence

import pytest

from bff_core.composition.composition import Composition, PartRegistry
from bff_core.composition.decorators import critical, optional
from bff_core.composition.errors import PartCancelled
from bff_core.composition.gather import gather
from bff_core.composition.run_context import RunContext
from bff_core.errors import (
    CompositionCycle,
    ConfigurationError,
    NotAllowed,
    NotFound,
    Overloaded,
    PartFailed,
)
from bff_core.events import Events, PartEnded
from bff_core.scope import running_part


class Page(Composition):
    """A screen whose service is a dictionary of coroutine functions."""

    calls: list[str]
    product_id: str = "7"

    @critical
    async def product(self) -> str:
        self.calls.append("product")
        await asyncio.sleep(1)
        return f"product {self.product_id}"

    @optional(fallback=(), timeout=0.4)
    async def reviews(self, first: int = 3) -> Sequence[str]:
        self.calls.append(f"reviews {first}")
        await asyncio.sleep(0.1 * first)
        return tuple("abcdef"[:first])

    @optional
    async def stock(self) -> int:
        raise Overloaded("no stock today")

    @optional(fallback=0)
    async def price(self) -> int:
        product = await self.product()
        return len(product)


def page(**inputs: object) -> Page:
    return Page(calls=[], **inputs)


@pytest.mark.virtual_time
async def test_part_runs_once_however_often_it_is_awaited():
    """Two awaits of a part cost one call of the service."""
    screen = page()

    assert await screen.product() == await screen.product() == "product 7"
    assert screen.calls == ["product"]


@pytest.mark.virtual_time
async def test_part_runs_once_per_arguments_however_they_are_written():
    """A default, a position and a keyword that mean the same are the same part."""
    screen = page()

    await gather(screen.reviews(), screen.reviews(3), screen.reviews(first=3), screen.reviews(2))

    assert screen.calls == ["reviews 3", "reviews 2"]


@pytest.mark.parametrize(
    ("arguments", "named"), [((1, 2), {}), ((), {"last": 1}), ((1,), {"first": 1})]
)
async def test_wrong_arguments_are_refused_as_python_does(arguments, named):
    """Too many, unknown and doubled arguments raise a `TypeError` in the caller."""
    with pytest.raises(TypeError):
        page().reviews(*arguments, **named)


@pytest.mark.virtual_time
async def test_parts_run_in_parallel_from_the_moment_they_are_called():
    """A screen takes as long as its slowest part, not as long as the sum of its parts."""
    screen = page()
    loop = asyncio.get_running_loop()
    began = loop.time()

    product, reviews = await gather(screen.product(), screen.reviews(first=2))

    assert (product, reviews) == ("product 7", ("a", "b"))
    assert loop.time() - began == pytest.approx(1.0)


@pytest.mark.virtual_time
async def test_slow_optional_part_yields_its_fallback_at_its_timeout():
    """A part that times out is replaced by its fallback, and the reason is reported."""
    screen = page()
    loop = asyncio.get_running_loop()
    began = loop.time()

    reviews = await screen.reviews(first=6)

    assert reviews == ()
    assert loop.time() - began == pytest.approx(0.4)
    assert [(one.name, one.state, one.reason) for one in screen.degraded] == [
        ("reviews", "fallback", "timeout")
    ]


@pytest.mark.virtual_time
async def test_optional_part_without_fallback_is_none_and_missing():
    """The client gets no value, and learns that it is missing."""
    screen = page()

    assert await screen.stock() is None
    assert screen.parts["stock"].state == "missing"
    assert screen.parts["stock"].reason == "overloaded"


@pytest.mark.virtual_time
async def test_failed_critical_part_raises_its_cause():
    """Awaiting it raises an error with its name, its cause and the status of the cause."""

    class Broken(Composition):
        @critical
        async def product(self) -> str:
            raise NotFound("there is no product 8")

    with pytest.raises(PartFailed) as caught:
        await Broken().product()

    assert (caught.value.part, caught.value.status, caught.value.code) == (
        "product",
        404,
        "not_found",
    )


@pytest.mark.virtual_time
async def test_failure_of_an_awaited_part_names_the_first_cause():
    """A critical part that awaits another names the one that failed, not itself."""

    class Chain(Composition):
        @critical
        async def inner(self) -> str:
            raise Overloaded("full")

        @critical
        async def outer(self) -> str:
            return await self.inner()

        @optional(fallback="none")
        async def extra(self) -> str:
            return await self.outer()

    chain = Chain()

    with pytest.raises(PartFailed) as caught:
        await chain.outer()
    assert caught.value.part == "inner"
    assert await chain.extra() == "none"
    assert chain.parts["extra"].reason == "overloaded"


@pytest.mark.virtual_time
async def test_bug_in_an_optional_part_degrades_it_and_is_reported():
    """The screen is answered without the part, and an event reports the bug."""
    emitted: list[object] = []

    class Buggy(Composition):
        @optional(fallback=())
        async def related(self) -> Sequence[str]:
            raise KeyError("oops")

    screen = Buggy()
    screen.enter(
        PartRegistry(RunContext("Buggy", asyncio.get_running_loop(), events=Events(emitted.append)))
    )

    assert await screen.related() == ()
    assert screen.parts["related"].reason == "error"
    [event] = emitted
    assert isinstance(event, PartEnded)
    assert isinstance(event.error, KeyError)


@pytest.mark.virtual_time
async def test_forbidden_and_missing_differ_from_fallback():
    """403 is `forbidden`, 404 is `missing`, with or without a fallback."""

    class Guarded(Composition):
        @optional(fallback="-")
        async def secret(self) -> str:
            raise NotAllowed("not yours")

        @optional(fallback="-")
        async def lost(self) -> str:
            raise NotFound("gone")

    screen = Guarded()
    await gather(screen.secret(), screen.lost())

    assert {name: one.state for name, one in screen.parts.items()} == {
        "secret": "forbidden",
        "lost": "missing",
    }


@pytest.mark.virtual_time
async def test_cancelled_waiter_does_not_cancel_the_part():
    """The part goes on running for its other waiters."""
    screen = page()
    part = screen.product()
    leaver = asyncio.create_task(gather(part))
    stayer = asyncio.create_task(gather(part))
    await asyncio.sleep(0.5)

    leaver.cancel()

    assert await stayer == ("product 7",)
    with pytest.raises(asyncio.CancelledError):
        await leaver


@pytest.mark.virtual_time
async def test_part_goes_on_for_others_when_a_waiting_part_times_out():
    """A timeout covers what a part awaits, and ends only the part that declared it."""

    class Shared(Composition):
        @critical
        async def slow(self) -> str:
            await asyncio.sleep(1)
            return "slow"

        @optional(fallback="gave up", timeout=0.2)
        async def hasty(self) -> str:
            return await self.slow()

    screen = Shared()

    assert await gather(screen.hasty(), screen.slow()) == ("gave up", "slow")


@pytest.mark.virtual_time
async def test_parts_that_await_each_other_raise_instead_of_hanging():
    """A cycle is a bug: it is raised at once, and no fallback hides it."""

    class Cycle(Composition):
        @critical
        async def first(self) -> str:
            return await self.second()

        @optional(fallback="-")
        async def second(self) -> str:
            return await self.third()

        @critical
        async def third(self) -> str:
            (value,) = await gather(self.first())
            return value

    with pytest.raises(CompositionCycle):
        await Cycle().first()


@pytest.mark.virtual_time
async def test_gather_fails_as_soon_as_one_fails():
    """A failure does not wait for a slower part."""

    class Uneven(Composition):
        @critical
        async def fails(self) -> str:
            await asyncio.sleep(0.1)
            raise Overloaded("full")

        @critical
        async def lasts(self) -> str:
            await asyncio.sleep(5)
            return "late"

    loop = asyncio.get_running_loop()
    began = loop.time()
    async with Uneven() as screen:
        with pytest.raises(PartFailed):
            await gather(screen.lasts(), screen.fails())

    assert loop.time() - began == pytest.approx(0.1)


@pytest.mark.virtual_time
async def test_gather_raises_a_failure_while_another_still_runs():
    """A slow coroutine that comes first does not hide the failure of a later one."""
    ended: list[str] = []

    async def lasts() -> None:
        try:
            await asyncio.sleep(5)
        finally:
            ended.append("lasts")

    async def fails() -> None:
        await asyncio.sleep(0.1)
        raise Overloaded("full")

    with pytest.raises(Overloaded):
        await gather(lasts(), asyncio.Event().wait(), fails(), fails())
    await asyncio.sleep(0)

    assert ended == ["lasts"]


@pytest.mark.virtual_time
async def test_gather_takes_coroutines_beside_parts():
    """Any awaitable may be gathered with parts."""
    screen = page()

    async def plain() -> int:
        return 4

    assert await gather(plain(), screen.product()) == (4, "product 7")


@pytest.mark.virtual_time
async def test_closing_a_composition_cancels_running_parts():
    """Once the answer is made, no part goes on running."""
    ended: list[str] = []

    class Lingering(Composition):
        @critical
        async def endless(self) -> None:
            try:
                await asyncio.sleep(3600)
            finally:
                ended.append("endless")

        @critical
        async def never_begun(self) -> None:
            ended.append("never")

    async with Lingering() as screen:
        endless = screen.endless()
        await asyncio.sleep(0)
        unbegun = screen.never_begun()

    assert ended == ["endless"]
    for part in (endless, unbegun):
        with pytest.raises(PartCancelled):
            await part


@pytest.mark.virtual_time
async def test_part_whose_future_is_cancelled_elsewhere_degrades():
    """A cancellation from elsewhere is a failure like any other."""
    shared: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    class Sharing(Composition):
        @optional(fallback="-")
        async def extra(self) -> str:
            return await shared

    screen = Sharing()
    part = screen.extra()
    await asyncio.sleep(0)

    shared.cancel()

    assert await part == "-"
    assert screen.parts["extra"].reason == "part_cancelled"


@pytest.mark.virtual_time
async def test_closed_screen_starts_no_part():
    """A part that is called after the close would never be cancelled, so it does not start."""
    screen = page()
    async with screen:
        await screen.reviews(first=1)

    with pytest.raises(PartCancelled):
        await screen.product()
    assert screen.calls == ["reviews 1"]


@pytest.mark.virtual_time
async def test_optional_part_without_a_timeout_ends_before_the_request_does():
    """Time is left to answer without it."""

    class Slow(Composition):
        @optional(fallback="-")
        async def extra(self) -> str:
            await asyncio.sleep(3600)
            return "late"

    loop = asyncio.get_running_loop()
    began = loop.time()
    screen = Slow()
    screen.enter(PartRegistry(RunContext("Slow", loop, loop.time, deadline=began + 2)))

    assert await screen.extra() == "-"
    assert loop.time() - began == pytest.approx(1.9)


@pytest.mark.virtual_time
async def test_running_part_is_known_inside_it():
    """Code inside a part finds the part and its deadline; outside there is none."""

    class Curious(Composition):
        @optional(timeout=0.5)
        async def look(self) -> float:
            part = running_part.get()
            assert part is not None
            return part.deadline

    loop = asyncio.get_running_loop()
    began = loop.time()
    screen = Curious()
    screen.enter(PartRegistry(RunContext("Curious", loop, loop.time)))

    assert await screen.look() - began == pytest.approx(0.5)
    assert running_part.get() is None


@pytest.mark.virtual_time
async def test_plan_draws_which_part_awaited_which():
    """`str()` of a plan is a tree of the parts that ran."""
    screen = page()
    await gather(screen.price(), screen.reviews(first=1))

    lines = [line.split("  ok")[0] for line in str(screen.plan()).splitlines()]

    assert lines == ["Page", "├─ price", "│  └─ product", "└─ reviews"]


@pytest.mark.parametrize("fallback", [[], {}, set()])
def test_mutable_fallback_is_refused(fallback):
    """All requests would share a list, so the declaration is refused."""
    with pytest.raises(ConfigurationError, match="immutable"):
        optional(fallback=fallback)


def test_part_that_is_no_coroutine_is_refused():
    """A plain method can't be a part."""
    with pytest.raises(ConfigurationError, match="async def"):

        @critical
        def plain(self) -> int:
            return 1


def test_part_with_open_arguments_is_refused():
    """Two calls that mean the same could differ in `*args`."""
    with pytest.raises(ConfigurationError, match="name each argument"):

        @critical
        async def many(self, *ids: str) -> int:
            return 1


def test_part_with_positional_arguments_is_refused():
    """Parts are called by name."""
    with pytest.raises(ConfigurationError, match="first is passed by name: remove the /"):

        class Shelf(Composition):
            @critical
            async def books(self, first: int, /) -> int:
                return first


def test_timeout_must_be_above_zero():
    """A timeout of zero or less is refused."""
    with pytest.raises(ConfigurationError, match="above 0"):
        optional(fallback=(), timeout=0)


@pytest.mark.parametrize("name", ["part_registry", "parts", "plan"])
def test_reserved_name_is_refused(name):
    """A field or a part must not hide a member of `Composition`."""
    with pytest.raises(ConfigurationError, match=name):
        type("Field", (Composition,), {"__annotations__": {name: str}})
    with pytest.raises(ConfigurationError, match=name):
        type("Part", (Composition,), {name: critical(Page.product.body)})


async def test_unhashable_argument_says_what_to_pass_instead():
    """The error names the argument and says to pass a tuple or a frozen value."""

    class Batch(Composition):
        @critical
        async def products(self, ids: Sequence[str]) -> int:
            return len(ids)

    with pytest.raises(TypeError, match="ids is a list; pass a tuple"):
        Batch().products(["1"])


def test_a_part_may_not_replace_a_field():
    """The field would be the part, and calling it would fail."""
    with pytest.raises(ConfigurationError, match=r"Page\.trips is a field and a part"):

        class Page(Composition):
            trips: str

            @critical
            async def trips(self) -> str:
                return "trips"


async def test_what_is_used_of_a_part_has_to_be_awaited():
    """The error of a loop says so."""
    async with OnePart() as page:
        part = page.title()
        with pytest.raises(TypeError, match="await the part first"):
            list(part)
        await part


class OnePart(Composition):
    """A screen of one part."""

    def __init__(self) -> None:
        self.enter(PartRegistry(RunContext("OnePart", asyncio.get_running_loop())))

    @critical
    async def title(self) -> str:
        return "title"
