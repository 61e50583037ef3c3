"""Calls that helpers and loops repeat: pages, chunks, streams, and what can't be read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest

from bff_core import Composition, GraphQLUpstream, Policy, Upstream, critical, gather, loader
from bff_core.inspection.explanation import calls_of, own_calls, own_unknowns
from bff_core.inspection.reader import parts_of, steps_of_function
from bff_core.inspection.steps import PartRef
from bff_core.inspection.worst_case import worst_case
from bff_core.service_clients import (
    in_chunks,
    pages_by_cursor,
    pages_by_url,
    read_chunks,
    read_text,
)
from tests.codegen.upstream.generated import (
    NUMBER,
    TEXT,
    answers,
    client,
    document,
    get,
    query,
    ref,
    thing,
)

BOOKS = "query Books($after: String) { books(after: $after) { id } }"


class Books(GraphQLUpstream):
    """A GraphQL service with a connection."""

    async def books(self, after: str | None = None) -> dict[str, Any]:
        """Send the query `Books`."""
        return await self.query(BOOKS, dict[str, Any], variables={"after": after})

    def all_books(self) -> AsyncIterator[str]:
        """Yield the items of all pages."""

        async def read(cursor: str | None) -> tuple[Sequence[str] | None, str | None]:
            data = await self.books(after=cursor)
            return data["items"], data["next"]

        return pages_by_cursor(read)


class Ratings(Upstream):
    """A client by hand."""

    policy = Policy(timeout=2.0)

    async def page(self, cursor: str | None) -> tuple[Sequence[str] | None, str | None]:
        """Get one page."""
        return await self.get("/ratings", tuple[list[str], str | None], query={"cursor": cursor})

    def all_ratings(self, *, pages: int = 100) -> AsyncIterator[str]:
        """Yield the items of all pages."""
        return pages_by_cursor(self.page, pages=pages)

    def by_links(self) -> AsyncIterator[str]:
        """Follow links."""
        return pages_by_url(
            self, "/links", {}, list[str], items=lambda one: one, next_url=lambda _: None
        )

    async def by_id(self, ids: Sequence[str]) -> Mapping[str, str]:
        """Read many."""

        async def load(chunk: Sequence[str]) -> Mapping[str, str]:
            return await self.get("/many", dict[str, str], query={"ids": chunk})

        return await in_chunks(ids, load, size=20)

    def file(self) -> AsyncIterator[bytes]:
        """Read a file."""
        return read_chunks(self, "GET", "/file", {})

    async def text(self) -> str:
        """Read a text."""
        return await read_text(self, "GET", "/text", {})


class Page(Composition):
    """One part for each way to repeat calls."""

    ratings: Ratings
    books: Books

    @critical
    async def iterated(self) -> list[str]:
        """Iterate pages."""
        return [one async for one in self.ratings.all_ratings()]

    @critical
    async def few(self) -> list[str]:
        """Iterate some pages, by a statement."""
        found = []
        async for one in self.ratings.all_ratings(pages=3):
            found.append(one)  # noqa: PERF401 # the statement is tested
        return found

    @critical
    async def chosen_pages(self, pages: int) -> list[str]:
        """Iterate as many pages as the view says."""
        return [one async for one in self.ratings.all_ratings(pages=pages)]

    @critical
    async def connection(self) -> list[str]:
        """Iterate a connection of GraphQL."""
        return [one async for one in self.books.all_books()]

    @critical
    async def linked(self) -> list[str]:
        """Follow links."""
        return [one async for one in self.ratings.by_links()]

    @loader(fallback=None, timeout=0.5)
    async def one(self, keys: tuple[str, ...]) -> Mapping[str, str]:
        """Load many."""
        return await self.ratings.by_id(keys)

    @critical
    async def file(self) -> bytes:
        """Read a stream and a text."""
        await self.ratings.text()
        return b"".join([one async for one in self.ratings.file()])

    @critical
    async def counted(self) -> None:
        """Call as often as a literal says, then for each item."""
        for _ in range(3):
            await self.ratings.text()
        for cursor in ("a", "b"):
            await self.ratings.page(cursor)

    @critical
    async def grouped(self, ids: list[str]) -> None:
        """Start a task for each item."""
        async with asyncio.TaskGroup() as group:
            for one in ids:
                group.create_task(self.ratings.page(one))

    @critical
    async def each(self, ids: list[str]) -> None:
        """Call for each item."""
        for one in ids:
            await self.ratings.page(one)

    @critical
    async def either(self, fast: bool) -> object:
        """Await one call or another, and the client that a condition chooses."""
        call = self.ratings.text() if fast else self.ratings.page("1")
        return await call

    @critical
    async def any_iterator(self, found: AsyncIterator[str]) -> list[str]:
        """Iterate something that is not known."""
        return [one async for one in found]

    @critical
    async def any_context(self, lock: asyncio.Lock) -> None:
        """Enter something that is not known."""
        async with lock:
            pass

    @critical
    async def any_pages(self, read: Callable[[str | None], Awaitable[Any]]) -> list[str]:
        """Page by a function that is not known."""
        return [one async for one in pages_by_cursor(read)]

    @critical
    async def any_task(self, start: Callable[[], Any]) -> None:
        """Start a task that is not known."""
        async with asyncio.TaskGroup() as group:
            group.create_task(start())

    @critical
    async def any_client(self, one: bool) -> object:
        """Call a client that a condition chooses."""
        if one:
            found: Any = self.ratings
        else:
            found = self.books
        return await gather(found.text())


def calls(name: str) -> list[str]:
    """Return the calls of a part in words."""
    ref_ = PartRef(Page, name, parts_of(Page)[name].kind)
    return [f"{one} {times}".strip() for one, times in own_calls(ref_)]


@pytest.mark.parametrize(
    ("part", "shown"),
    [
        ("iterated", ["GET /ratings up to 100 calls"]),
        ("few", ["GET /ratings up to 3 calls"]),
        ("chosen_pages", ["GET /ratings once per page"]),
        ("connection", ["query Books up to 100 calls"]),
        ("linked", ["GET /links up to 100 calls"]),
        ("one", ["GET /many once per 20 keys, at once"]),
        ("file", ["GET /text", "GET /file"]),
        ("counted", ["GET /text up to 3 calls", "GET /ratings up to 2 calls"]),
        ("grouped", ["GET /ratings once per item, at once"]),
        ("each", ["GET /ratings once per item"]),
        ("either", ["GET /text", "GET /ratings"]),
    ],
)
def test_a_repeated_call_says_how_often(part, shown):
    """Pages, chunks and loops show their calls with the count, or with what is counted."""
    assert calls(part) == shown


@pytest.mark.parametrize(
    "part", ["any_iterator", "any_context", "any_pages", "any_task", "any_client"]
)
def test_what_is_waited_for_and_not_read_is_unknown(part):
    """A part that waits for something the source does not show never seems to make no calls."""
    assert own_unknowns(PartRef(Page, part, "critical"))


async def pages(page: Page) -> None:
    """Wait for pages."""
    await page.few()


async def all_pages(page: Page) -> None:
    """Wait for a hundred pages."""
    await page.iterated()


async def loaded(page: Page) -> None:
    """Wait for a loader."""
    await page.one("1")


async def itself(ratings: Ratings) -> None:
    """Iterate in a view."""
    async for _ in ratings.all_ratings(pages=3):
        pass


@pytest.mark.parametrize(
    ("view", "seconds"), [(pages, 6.0), (all_pages, 10.0), (loaded, 0.5), (itself, 6.0)]
)
def test_repeated_calls_add_up_in_the_worst_case(view, seconds):
    """Pages take as long as all of their calls; the deadline of the part or the request ends it."""
    assert worst_case(steps_of_function(view), {}, 10.0).seconds == pytest.approx(seconds)


def test_a_generated_client_shows_its_calls():
    """The iterators, batch reads and streams that are generated are read like those by hand."""
    found = {"type": "array", "items": ref("Pet")}
    cursors = thing("items", items=found, next_cursor={"type": ["string", "null"]})
    ids = {"type": "array", "items": NUMBER, "maxItems": 20}
    file = {"operationId": "file", "responses": answers(TEXT, media_type="application/pdf")}
    content = document(
        {
            "/pets": get(cursors, query("cursor", TEXT), name="list_pets"),
            "/many": get(found, query("ids", ids), name="many_pets"),
            "/file": {"get": file},
        },
        {"Pet": thing("id", id=NUMBER)},
    )
    with client(content) as made:
        kind: Any = made.operations.ShopOperations

        async def view(shop: Any) -> None:
            async for _ in shop.all_pets():
                pass
            await shop.pets_by_id([1])
            async for _ in shop.file():
                pass

        view.__annotations__["shop"] = kind
        step = steps_of_function(view)
        shown = [(str(one), str(times)) for one, times in calls_of(step)]

    assert shown == [
        ("GET /pets", "up to 100 calls"),
        ("GET /many", "once per 20 keys, at once"),
        ("GET /file", ""),
    ]
