"""A shop whose screens do everything that a reader of source has to understand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from fastapi import Request

from bff_core import Composition, Policy, Upstream, bulk, critical, gather, loader, optional

ORDERS = "/orders/{id}"


class Orders(Upstream):
    """Orders, by all verbs."""

    policy = Policy(timeout=2.0)
    base = "/v2/orders"

    async def by_constant(self, order_id: str) -> dict[str, str]:
        """Get a path that is a constant of the module."""
        return await self.get(ORDERS, dict[str, str], id=order_id)

    async def by_attribute(self) -> list[str]:
        """Get a path that is an attribute of the class."""
        return await self.get(self.base, list[str])

    async def by_helper(self, order_id: str) -> dict[str, str]:
        """Get a path through a method of the client."""
        return await self._one("/helped/{id}", order_id)

    async def _one(self, path: str, order_id: str) -> dict[str, str]:
        return await self.get(path, dict[str, str], id=order_id)

    async def by_text(self, order_id: str) -> dict[str, str]:
        """Get a path that is made at run time."""
        return await self.get(f"/orders/{order_id}", dict[str, str])

    async def with_mapping(self, order_id: str) -> dict[str, str]:
        """Pass the parameters of the path as a mapping."""
        return await self.get("/orders/{id}", {"id": order_id}, dict[str, str])

    async def by_request(self) -> None:
        """Send any method."""
        await self.request("purge", "/orders")

    async def by_chosen_method(self, method: str) -> None:
        """Send a method that is chosen at run time."""
        await self.request(method, "/orders")

    async def twice(self) -> None:
        """Send two requests."""
        await self.post("/orders", None, json={})
        await self.delete("/orders/{id}", None, id="7")

    def rows(self) -> AsyncIterator[dict[str, str]]:
        """Stream rows."""
        return self.ndjson("/rows", dict[str, str])

    async def raw(self) -> bytes:
        """Stream bytes."""
        async with self.stream("/raw", method="POST") as reply:
            return await reply.read()


class Base(Composition):
    """A screen that others extend."""

    orders: Orders

    @critical
    async def first(self) -> dict[str, str]:
        """Return the first order."""
        return await self.orders.by_constant("1")

    @critical
    async def replaced(self) -> str:
        """Return what a subclass replaces."""
        return "base"


async def outside(screen: Base, order_id: str) -> dict[str, str]:
    """Call a service for a screen, outside its class."""
    return await screen.orders.by_constant(order_id)


def pick(screen: Base, name: str) -> Callable[[], object]:
    """Choose something of a screen at run time."""
    found: Callable[[], object] = getattr(screen, name)
    return found


async def awaited(call: Awaitable[object]) -> object:
    """Await a call."""
    return await call


def same(call: Awaitable[object]) -> Awaitable[object]:
    """Return a call."""
    return call


class Screen(Base):
    """One part for each form in which source may be written."""

    @optional(timeout=0.5)
    async def replaced(self) -> str:
        """Replace the critical part of the base class."""
        return "here"

    @optional
    async def after_first(self) -> dict[str, str]:
        """Wait for a part."""
        first = await self.first()
        return await self.orders.by_constant(first["next"])

    @optional
    async def both(self) -> object:
        """Wait for two calls at the same time."""
        return await gather(self.orders.by_attribute(), self.orders.by_constant("1"))

    @optional
    async def started_early(self) -> object:
        """Start a part, call a service, then wait for the part."""
        first = self.first()
        mine = await self.orders.by_attribute()
        return mine, await first

    @optional
    async def in_branches(self) -> object:
        """Call one service or another."""
        if (await self.first())["paid"]:
            return await self.orders.by_attribute()
        return await self.orders.by_constant("1") if self.orders.base else None

    @optional
    async def in_loop(self) -> object:
        """Call once for each item."""
        last = None
        for one in await self.orders.by_attribute():
            last = await self.orders.by_constant(one)
        return last

    @optional
    async def all_at_once(self) -> object:
        """Call for all items at once."""
        ids = await self.orders.by_attribute()
        return await gather(*[self.orders.by_constant(one) for one in ids])

    @optional
    async def in_group(self) -> object:
        """Call in the tasks of a group."""
        async with asyncio.TaskGroup() as group:
            one = group.create_task(self.orders.by_attribute())
            two = group.create_task(self.orders.by_constant("1"))
        return one.result(), two.result()

    @optional
    async def by_function(self) -> object:
        """Call through a function of the module, and one inside."""

        async def inside() -> list[str]:
            return await self.orders.by_attribute()

        return await outside(self, "1"), await inside()

    @optional
    async def by_method(self) -> object:
        """Call through a plain method of the screen."""
        return await self._helper()

    async def _helper(self) -> object:
        return await self.orders.by_attribute()

    @optional
    async def directly(self) -> object:
        """Call a verb of the client itself."""
        return await self.orders.get("/direct", str)

    @optional
    async def tried(self) -> object:
        """Call another service after a failure."""
        try:
            return await self.orders.by_attribute()
        except ValueError:
            return await self.orders.by_constant("1")

    @optional
    async def picked(self) -> object:
        """Call a part by its name."""
        return await pick(self, "first")()  # type: ignore[misc]  # it is a part

    @optional
    async def chosen(self, name: str) -> object:
        """Call what is chosen at run time."""
        return await pick(self, name)()  # type: ignore[misc]  # it is a part

    @optional
    async def from_table(self, name: str) -> object:
        """Pass the screen to a function that is looked up at run time."""
        table: Mapping[str, Callable[[Base, str], object]] = {"outside": outside}
        return await table[name](self, "1")  # type: ignore[misc]  # it is a coroutine

    @optional
    async def sleeps(self) -> None:
        """Wait for something that is no service."""
        await asyncio.sleep(0)

    @optional
    async def recurses(self) -> object:
        """Call itself through a method."""
        return await self._again(3)

    async def _again(self, times: int) -> object:
        await self.orders.by_attribute()
        return await self._again(times - 1) if times else None

    @optional
    async def streamed(self) -> object:
        """Read a stream."""
        return [one async for one in self.orders.rows()]

    @optional
    async def by_asyncio(self) -> object:
        """Use asyncio itself."""
        both = await asyncio.gather(self.orders.by_attribute(), self.orders.by_constant("1"))
        one = await asyncio.wait_for(self.orders.by_attribute(), timeout=1)
        task = asyncio.create_task(self.orders.by_constant("1"))
        return both, one, await task

    @optional
    async def matched(self, kind: str) -> object:
        """Call by a match."""
        match kind:
            case "all":
                return await self.orders.by_attribute()
            case _:
                return await self.orders.by_constant("1")

    @optional
    async def polls(self) -> object:
        """Call until something is there."""
        while not (found := await self.orders.by_attribute()):
            pass
        return found

    @optional
    async def by_lambda(self) -> object:
        """Call through a lambda."""
        find = lambda order_id: self.orders.by_constant(order_id)  # noqa: E731, PLW0108 # is tested
        return await find("1")

    @optional
    async def short_circuit(self) -> object:
        """Call the second service only where the first has nothing."""
        return await self.orders.by_attribute() or await self.orders.by_constant("1")

    @optional
    async def in_dictionary(self) -> object:
        """Call for the values of a dictionary."""
        ids = await self.orders.by_attribute()
        return {one: await self.orders.by_constant(one) for one in ids}

    @optional
    async def renamed(self) -> object:
        """Call a client by another name."""
        client, number = self.orders, "1"
        return await client.by_constant(number)

    @optional
    async def cleaned(self) -> object:
        """Call at the end, whatever happens."""
        try:
            return await self.first()
        finally:
            await self.orders.twice()

    @optional
    async def wrapped(self) -> object:
        """Pass a call to a function that awaits it, and to one that returns it."""
        return await awaited(self.orders.by_attribute()), await same(self.orders.by_attribute())

    @optional
    async def passed_on(self) -> object:
        """Pass a call to a library."""
        return await asyncio.wait([self.orders.by_attribute()])  # type: ignore[type-var]  # unread

    @loader(fallback=None, timeout=0.3)
    async def one(self, keys: tuple[str, ...]) -> Mapping[str, str]:
        """Load many."""
        return {key: "" for key in await self.orders.by_attribute() if key in keys}

    @optional
    async def with_loader(self) -> object:
        """Wait for a loader."""
        return await self.one.many(["1", "2"]), await self.one("3")

    @bulk(key=str)
    async def change(self, order_id: str) -> None:
        """Change one."""
        await self.orders.twice()


async def view(screen: Screen) -> object:
    """Start parts, wait for them, then for more."""
    first, _ = await gather(screen.first(), screen.replaced())
    await outside(screen, first["id"])
    return await gather(screen.after_first(), screen.one("1"))


async def plain(request: Request) -> object:
    """Call a client of the app, as plain routes of FastAPI do."""
    return await request.app.services[Orders].by_constant("1")
