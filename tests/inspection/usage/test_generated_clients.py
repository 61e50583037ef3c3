"""Clients that are generated use helpers of the framework: fields are followed through them."""

import importlib.util
import sys

import pytest

from bff_core import ANYONE, Settings, Views, gateway
from bff_core.cli.check.decoding import breaks_decoding
from bff_core.contracts.change import Change
from bff_core.inspection.usage.operation_uses import ContractUsage
from bff_core.inspection.usage.source_readings import SourceReadings

SOURCE = """
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from bff_core import Composition, Policy, Upstream
from bff_core.service_clients import given, in_chunks, next_link, one_of
from bff_core.service_clients import pages_by_cursor, pages_by_url, read_text


@dataclass(frozen=True)
class Item:
    id: str
    name: str
    note: str = ""


@dataclass(frozen=True)
class Page:
    items: Sequence[Item]
    next_cursor: str | None = None
    total: int = 0


@dataclass(frozen=True)
class Other:
    id: str
    size: int


Either = one_of("Either", lambda: (Item, Other))


class Things(Upstream):
    policy = Policy(timeout=1.0)

    async def page(self, cursor: str | None = None) -> Page:
        return await self.get("/things", Page, query=given({"cursor": cursor, "limit": 5}))

    def all(self) -> AsyncIterator[Item]:
        async def read_page(place: str | None) -> tuple[Sequence[Item] | None, str | None]:
            found = await self.page(place)
            return found.items, found.next_cursor

        return pages_by_cursor(read_page)

    def linked(self) -> AsyncIterator[Item]:
        return pages_by_url(
            self, "/linked", {}, Page, items=lambda page: page.items, next_url=next_link
        )

    async def some(self, ids: Sequence[str]) -> Mapping[str, Item]:
        async def load(chunk: Sequence[str]) -> Mapping[str, Item]:
            found = await self.get("/some", list[Item], query={"ids": ",".join(chunk)})
            return {one.id: one for one in found}

        return await in_chunks(ids, load, size=20)

    async def text(self) -> str:
        return await read_text(self, "GET", "/text", {})

    async def either(self) -> Either:
        return await self.get("/either", Either)


class Screen(Composition):
    things: Things


async def pages(page: Screen) -> list[str]:
    return [one.name async for one in page.things.all()]


async def linked(page: Screen) -> list[str]:
    return [one.note async for one in page.things.linked()]


async def chunks(page: Screen) -> str:
    return (await page.things.some(["1"]))["1"].name


async def text(page: Screen) -> str:
    return await page.things.text()


async def either(page: Screen) -> str:
    found = await page.things.either()
    return str(found.size) if isinstance(found, Other) else found.name
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Return the uses of each view, by its name."""
    folder = tmp_path_factory.mktemp("generated")
    file = folder / "operations.py"
    file.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("module_of_clients", file)
    module = sys.modules["module_of_clients"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    views = Views(access=ANYONE)
    for name in ("pages", "linked", "chunks", "text", "either"):
        views.get(f"/{name}")(getattr(module, name))
    settings = Settings(env="development", upstreams={"things": ["http://things.test"]})
    usage = ContractUsage()
    app = gateway("g", faces=[views], settings=settings)
    usage.add("g", app, SourceReadings(folder))
    return {view.rpartition("/")[2]: one for one in usage.uses() for view in one.use.views}


@pytest.fixture(scope="module")
def uses(found):
    """Return what each view uses, by its name: the path, what it reads, what it sends."""
    return {
        name: (
            f"{one.use.method} {one.use.path}",
            None if one.use.reads is None else {".".join(path) for path in one.use.reads},
            None if one.use.sends is None else {".".join(path) for path in one.use.sends},
        )
        for name, one in found.items()
    }


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (
            "pages",
            ("GET /things", {"items.[].name", "next_cursor"}, {"cursor", "limit"}),
        ),
        ("linked", ("GET /linked", {"items.[].note"}, set())),
        ("chunks", ("GET /some", {"[].id", "[].name"}, {"ids"})),
        ("text", ("GET /text", None, set())),
        ("either", ("GET /either", {"name", "size"}, set())),
    ],
)
def test_fields_are_followed_through_helpers(uses, view, expected):
    """Pages, batches, texts and unions of a generated client lose no field, and add none."""
    assert uses[view] == expected


@pytest.mark.parametrize(("field", "breaks"), [("next_cursor", True), ("total", False)])
def test_a_client_needs_the_cursor_of_its_pages(found, field, breaks):
    """Without the cursor a list would end after its first page, and no view would notice."""
    rule = "response-optional-property-removed"
    gone = Change(
        rule, "warning", "", "GET /things", place="response", field=(field,), status="200"
    )

    assert breaks_decoding(gone, found["pages"]) is breaks
