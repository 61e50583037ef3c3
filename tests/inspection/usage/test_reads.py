"""Which fields of a reply count as used: those that code reads, and all where that is undecided."""

import importlib.util
import sys
import textwrap

import pytest

from bff_core import ANYONE, Settings, Views, gateway
from bff_core.inspection.usage.operation_uses import ContractUsage
from bff_core.inspection.usage.source_readings import SourceReadings

HEAD = """
import dataclasses
import json
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields, replace
from functools import cached_property, partial
from typing import Any, Generic, NamedTuple, Protocol, TypedDict, TypeVar

import msgspec
from bff_core import Composition, Policy, TypedReply, Upstream, critical, gather, loader, optional
from pydantic import BaseModel, Field

T = TypeVar("T")


@dataclass(frozen=True)
class Inner:
    x: int
    y: int = 0


@dataclass(frozen=True)
class Item:
    a: str
    b: str
    c: Inner
    d: tuple[Inner, ...] = ()

    @property
    def short(self) -> str:
        return self.a[:3]

    @cached_property
    def total(self) -> int:
        return sum(one.x for one in self.d)

    def named(self, other: "Item") -> bool:
        return self.b == other.b


@dataclass(frozen=True)
class Special(Item):
    e: int = 0


class Cat(msgspec.Struct, tag="cat"):
    a: str
    id: str = ""


class Dog(msgspec.Struct, tag="dog"):
    id: str
    z: str = msgspec.field(name="Z", default="")


@dataclass(frozen=True)
class Holder:
    item: Item
    note: str = ""


class Loose:
    def __init__(self, item):
        self.item = item


class Tight:
    item: Item

    def __init__(self, item: Item) -> None:
        self.item = item

    def shown(self) -> str:
        return self.item.a


@dataclass(frozen=True)
class Listed(Generic[T]):
    items: Sequence[T]
    total: int = 0


class HasA(Protocol):
    @property
    def a(self) -> str: ...


class Rest(Upstream):
    policy = Policy(timeout=1.0)

    async def item(self) -> Item:
        return await self.get("/item", Item)

    async def items(self) -> list[Item]:
        return await self.get("/items", list[Item])

    async def maybe(self) -> Item | None:
        return await self.get("/item", Item | None)

    async def listed(self) -> Listed[Item]:
        return await self.get("/listed", Listed[Item])

    async def by_id(self) -> dict[str, Item]:
        return await self.get("/by-id", dict[str, Item])

    async def either(self) -> Cat | Dog:
        return await self.get("/either", Cat | Dog)

    async def typed_item(self) -> TypedReply[Item]:
        return await self.get("/item", TypedReply[Item])

    async def of(self, path: str, model: type[T]) -> T:
        return await self.get(path, model)


class Page(Composition):
    rest: Rest

    @critical
    async def item(self) -> Item:
        return await self.rest.item()

    @optional
    async def untyped(self):
        return await self.rest.item()

    @optional(fallback=())
    async def items(self) -> Sequence[Item]:
        return await self.rest.items()

    @loader(fallback=None)
    async def one(self, keys: tuple[str, ...]) -> Mapping[str, Item]:
        return await self.rest.by_id()


def first_of(values: Sequence[T]) -> T:
    return values[0]


def a_of(item: Item) -> str:
    return item.a


def untyped_a(item):
    return item.a


def of_protocol(item: HasA) -> str:
    return item.a


def anything(value: object) -> str:
    return str(value)


def identity(value):
    return value


def recursive(item: Item, depth: int) -> str:
    return item.b if not depth else recursive(item, depth - 1)


def with_rest(*items: Item) -> str:
    return ""


def growing(values: list, depth: int):
    if depth:
        return growing([*values, depth], depth - 1) or growing([values, str(depth)], depth - 1)
    return values


def chain_0(item: Item) -> str:
    return item.b


TABLE: dict[str, Callable[[Item], str]] = {"a": a_of}
"""

ALL = frozenset({"a", "b", "c.x", "c.y", "d.[].x", "d.[].y"})

CASES = [
    ("nothing", "await page.item()", set()),
    ("is None", "return str(await page.rest.maybe() is None)", set()),
    ("attribute", "return (await page.item()).a", {"a"}),
    ("nested attribute", "return str((await page.item()).c.x)", {"c.x"}),
    ("a record as a whole condition", "return 'x' if (await page.item()).c else ''", {"c"}),
    ("name", "item = await page.item()\nreturn item.b", {"b"}),
    ("two names", "one = two = await page.item()\nreturn one.a + two.b", {"a", "b"}),
    ("walrus", "return one.a if (one := await page.item()) else ''", {"a"}),
    (
        "gather",
        "one, many = await gather(page.item(), page.items())\nreturn one.a + many[0].b",
        {"a", "b"},
    ),
    ("loop", "for one in await page.items():\n    one.a", {"a"}),
    (
        "loop over an earlier item",
        (
            "last = None\nfor one in await page.items():\n"
            "    if last is not None:\n        last.b\n    last = one"
        ),
        {"b"},
    ),
    ("comprehension", "return ''.join(one.a for one in await page.items() if one.b)", {"a", "b"}),
    (
        "dictionary of a loop",
        "found = {}\nfor one in await page.items():\n    found[one.a] = one\nreturn found['x'].b",
        {"a", "b"},
    ),
    (
        "list that grows",
        "found = []\nfor one in await page.items():\n    found.append(one)\nreturn found[0].b",
        {"b"},
    ),
    (
        "items of a dictionary",
        "return ''.join(v.a for k, v in (await page.rest.by_id()).items())",
        {"a"},
    ),
    (
        "get of a dictionary",
        "one = (await page.rest.by_id()).get('x')\nreturn one.a if one else ''",
        {"a"},
    ),
    ("slice", "return (await page.items())[:2][0].a", {"a"}),
    ("starred", "first, *others = await page.items()\nreturn first.a + others[0].b", {"a", "b"}),
    ("sorted by key", "return str(len(sorted(await page.items(), key=lambda one: one.a)))", {"a"}),
    (
        "max by attrgetter",
        "return max(await page.items(), key=operator.attrgetter('c.x')).b",
        {"c.x", "b"},
    ),
    ("map", "return ''.join(map(a_of, await page.items()))", {"a"}),
    ("filter", "return str(len(list(filter(lambda one: one.b, await page.items()))))", {"b"}),
    (
        "zip and enumerate",
        "for i, (one, two) in enumerate(zip(await page.items(), [1])):\n    one.a",
        {"a"},
    ),
    ("next", "return next(iter(await page.items())).a", {"a"}),
    ("any", "return str(any(one.b for one in await page.items()))", {"b"}),
    ("property", "return (await page.item()).short", {"a"}),
    ("cached property", "return str((await page.item()).total)", {"d.[].x"}),
    ("method", "one = await page.item()\nreturn str(one.named(one))", {"b"}),
    ("getattr with a name", "return getattr(await page.item(), 'a')", {"a"}),
    ("hasattr is a read by code outside", "return str(hasattr(await page.item(), 'a'))", ALL),
    ("function", "return a_of(await page.item())", {"a"}),
    ("function without annotations", "return untyped_a(await page.item())", {"a"}),
    ("function that returns it", "return identity(await page.item()).b", {"b"}),
    ("function of a type variable", "return first_of(await page.items()).b", {"b"}),
    ("function of a protocol", "return of_protocol(await page.item())", {"a"}),
    ("function that calls itself", "return recursive(await page.item(), 3)", {"b"}),
    ("function that gets more and more", "return growing(await page.items(), 9)", ALL),
    ("a chain of functions", "return chain_200(await page.item())", {"b"}),
    (
        "function inside",
        "def inside(item: Item) -> str:\n    return item.b\nreturn inside(await page.item())",
        {"b"},
    ),
    ("lambda", "pick = lambda one: one.b\nreturn pick(await page.item())", {"b"}),
    ("part without annotations", "return (await page.untyped()).a", {"a"}),
    ("loader", "one = await page.one('x')\nreturn one.a if one else ''", {"a"}),
    ("loader of many", "return ''.join(one.b for one in await page.one.many(['x']) if one)", {"b"}),
    ("generic class", "found = await page.rest.listed()\nreturn found.items[0].a", {"items.[].a"}),
    ("reply with headers", "found = await page.rest.typed_item()\nreturn found.value.a", {"a"}),
    ("model in a parameter", "return (await page.rest.of('/item', Item)).a", {"a"}),
    ("object that holds it", "held = Holder(await page.item())\nreturn held.item.a", {"a"}),
    ("object with an annotation", "return Tight(await page.item()).shown()", {"a"}),
    ("object without annotations", "return Loose(await page.item()).item.a", ALL),
    (
        "match by attribute",
        "match await page.item():\n    case Item(a='x', b=b):\n        return b",
        {"a", "b"},
    ),
    (
        "match that binds",
        "match await page.item():\n    case Item() as one:\n        return one.b",
        {"b"},
    ),
    ("match by position", "match await page.item():\n    case Item('x'):\n        return ''", ALL),
    (
        "isinstance",
        "one = await page.item()\nreturn str(one.e) if isinstance(one, Special) else ''",
        set(),
    ),
    (
        "branches",
        (
            "one = None\nif page:\n    one = await page.item()\nelse:\n    one = None\n"
            "return one.a if one else ''"
        ),
        {"a"},
    ),
    (
        "try",
        (
            "try:\n    one = await page.item()\nexcept ValueError:\n    one = None\n"
            "return one.b if one else ''"
        ),
        {"b"},
    ),
    (
        "union of classes",
        "one = await page.rest.either()\nreturn one.a if isinstance(one, Cat) else one.z",
        {"a", "Z"},
    ),
    ("annotated name", "one: Item = await page.item()\nreturn one.a", {"a"}),
    ("import inside", "from operator import itemgetter\nreturn (await page.item()).a", {"a"}),
    (
        "unknown object with the name",
        "value = json.loads('{}')\nawait page.item()\nreturn value.b",
        {"b"},
    ),
    ("returned", "return await page.item()", ALL),
    ("returned in a list", "return [await page.item()]", ALL),
    ("returned in a dictionary", "return {'x': await page.item()}", ALL),
    ("returned in a model", "return Holder(await page.item())", ALL),
    ("part of it returned", "return (await page.item()).c", {"c.x", "c.y"}),
    ("asdict", "return str(len(asdict(await page.item())))", ALL),
    ("astuple", "return str(len(astuple(await page.item())))", ALL),
    ("vars", "return str(len(vars(await page.item())))", ALL),
    ("fields", "return str(len(fields(await page.item())))", ALL),
    ("replace", "return replace(await page.item(), a='x').b", ALL),
    ("getattr at run time", "return getattr(await page.item(), page.rest.name)", ALL),
    ("msgspec", "return str(len(msgspec.to_builtins(await page.item())))", ALL),
    ("JSON", "return json.dumps(await page.item(), default=str)", ALL),
    ("f-string", "return f'{await page.item()}'", ALL),
    ("percent", "return '%s' % await page.item()", ALL),
    ("str", "return str(await page.item())", ALL),
    ("equality", "return str(await page.item() == await page.item())", ALL),
    ("membership", "return str(await page.item() in [])", ALL),
    ("set", "return str(len({await page.item()}))", ALL),
    ("sorted without a key", "return str(len(sorted(await page.items())))", ALL),
    ("parameter of type object", "return anything(await page.item())", ALL),
    ("more arguments", "return with_rest(await page.item())", ALL),
    ("function of a table", "return TABLE['a'](await page.item())", {"a"}),
    ("partial", "return partial(a_of, await page.item())()", ALL),
    ("attribute of an object", "page.rest.last = await page.item()", ALL),
    ("dunder", "return str((await page.item()).__dict__)", ALL),
]


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """Return the used fields of the replies of each case."""
    folder = tmp_path_factory.mktemp("reads")
    functions = [
        f"async def case_{number}(page: Page):\n{textwrap.indent(body, '    ')}\n"
        for number, (_, body, _) in enumerate(CASES)
    ]
    file = folder / "module_of_reads.py"
    chain = [f"def chain_{one}(item):\n    return chain_{one - 1}(item)\n" for one in range(1, 201)]
    file.write_text("\n\n".join([HEAD, *chain, *functions]))
    spec = importlib.util.spec_from_file_location("module_of_reads", file)
    module = sys.modules["module_of_reads"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    views = Views(access=ANYONE)
    for number, _ in enumerate(CASES):
        views.get(f"/{number}")(getattr(module, f"case_{number}"))
    usage = ContractUsage()
    settings = Settings(env="development", upstreams={"rest": ["http://rest.test"]})
    app = gateway("g", faces=[views], settings=settings)
    usage.add("g", app, SourceReadings(folder))
    found: dict[int, set[str]] = {}
    for one in usage.uses():
        for view in one.use.views:
            paths = {
                ".".join(path).removeprefix("[].").removeprefix("{}.") for path in one.use.reads
            }
            found.setdefault(int(view.rpartition("/")[2]), set()).update(paths)
    return found


@pytest.mark.parametrize("number", range(len(CASES)), ids=[name for name, _, _ in CASES])
def test_used_fields(used, number):
    """A field that the source reads is used, and all fields where the source does not show it."""
    _, _, expected = CASES[number]
    found = {one for one in used[number] if one not in {"[]", "{}", ""}}

    assert found == expected
