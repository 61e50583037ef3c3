"""Mistakes in `part()`, `screen()`, `value()` and `ShapeOf`: errors that say what to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import new_class
from typing import Any, Literal

import pytest
import strawberry

from bff_core import Composition, ConfigurationError, Require, critical, loader
from bff_core.graphql import GraphQL, ShapeOf, part, screen, value


@dataclass(frozen=True)
class Maker:
    """A part of a tent."""

    name: str


@dataclass(frozen=True)
class Tent:
    """What is sold."""

    id: str
    maker: Maker
    makers: tuple[Maker | None, ...]
    weight: float | None
    number: int
    numbers: Mapping[str, int]


@dataclass(frozen=True)
class Box:
    """What holds a tent."""

    tent: Tent


class Shelf(Composition):
    """A loader."""

    @loader
    async def price(self, ids: tuple[str, ...]) -> Mapping[str, int]:
        return dict.fromkeys(ids, 1)


class Page(Composition):
    """A screen."""

    product_id: str
    first: int = 3

    @critical
    async def tent(self) -> Tent:
        raise NotImplementedError

    @critical
    async def tents(self, first: int = 30) -> Sequence[Tent]:
        raise NotImplementedError

    @critical
    async def none(self, first: int = 0) -> int:
        return first

    @critical
    async def tags(self, tags: tuple[str, ...] = ("a", "b")) -> int:
        return len(tags)

    @critical
    async def maybe_tags(self, tags: tuple[str, ...] | None = None) -> int:
        return len(tags or ())

    @critical
    async def two(self, a: int, b: int) -> int:
        return a + b

    @critical
    async def odd(self, options: dict[str, int]) -> int:
        return len(options)

    @critical
    async def literal(self, sort: Literal["new", "best"] = "new") -> str:
        return sort

    @critical
    async def several(self, id: list[int | str]) -> str:  # noqa: A002 # what clients call it
        return str(id)

    @critical
    async def model(self, tent: Tent | None = None) -> int:
        return tent is None

    @critical
    async def reserved(self, info: str) -> str:
        return info

    @critical
    async def unknown(self, what: "Nowhere") -> str:  # noqa: F821 # the mistake
        return what

    @critical
    async def bare(self, what) -> str:
        return what

    async def plain(self) -> str:
        return ""


async def waits(tent: Tent) -> str:
    """Await nothing."""
    return tent.id


DECLARATIONS = {
    "no part": (lambda: part(Page.plain), r"part\(Page.plain\): give a part .* @critical"),
    "a class": (lambda: part(Page), r"part\(Page\): give a part of a composition"),
    "no screen": (lambda: screen(Tent), r"screen\(Tent\): .* or a composition such as Home"),
    "most without an argument": (lambda: part(Page.tent, most=3), "bounds an argument named first"),
    "most of two": (lambda: part(Page.two, most=3), "or else the only number"),
    "most of 0": (lambda: part(Page.tents, most=0), "most is a whole number from 1 up, not 0"),
    "default over most": (lambda: part(Page.tents, most=20), "first is 30 by default: over most"),
    "default under 1": (lambda: part(Page.none, most=20), "first is 0 by default: at least 1"),
    "a list over most": (lambda: part(Page.tags, most=1), r"tags is \('a', 'b'\) by default: over"),
    "a list that may be None": (
        lambda: part(Page.maybe_tags, most=3),
        "its argument tags may be None, which most=3 can't bound: declare it without None",
    ),
    "unknown argument": (
        lambda: part(Page.tents, arguments={"frist": "n"}),
        "it has no argument 'frist'; it has first",
    ),
    "a dict": (lambda: part(Page.odd), r"no type for its argument options .* @strawberry.input"),
    "a literal": (lambda: part(Page.literal), r"no type for its argument sort .*give an Enum"),
    "several": (lambda: part(Page.several), r"no type for its argument id \(.*int.*str"),
    "a model": (lambda: part(Page.model), r"no type for its argument tent \(Tent\); give an Enum"),
    "a taken name": (lambda: part(Page.reserved), "rename its argument info"),
    "an unknown name": (lambda: part(Page.unknown), "argument what: .* 'Nowhere' is not defined"),
    "no annotation": (lambda: part(Page.bare), "annotate its argument what"),
    "two of a name": (lambda: screen(Page.tents), "the screen has an input 'first', and the part"),
    "a shape that awaits": (lambda: part(Page.tent, waits), "a function that does not await"),
    "no shape": (lambda: part(Page.tent, "tent"), "such as WebUser.of, not 'tent'"),
    "a loader without a key": (lambda: part(Shelf.price), 'a loader takes a key, such as key="id"'),
    "a key without a loader": (lambda: part(Page.tent, key="id"), "only a loader takes a key"),
    "a loader for screen": (lambda: screen(Shelf.price), "a loader takes a key of the parent"),
    "no rule": (lambda: part(Page.tent, access="admin"), "access is Require"),
    "no option": (
        lambda: part(Page.tent, acess=Require()),
        r"part\(Page.tent\) has no option 'acess'; it has access, name,",
    ),
    "most for a loader": (lambda: part(Shelf.price, key="id", most=1), "has no option 'most'"),
    "most for a value": (
        lambda: value(Tent, str, most=1),
        r"value\(Tent, ...\) has no option 'most'",
    ),
}


@pytest.mark.parametrize("name", DECLARATIONS)
def test_mistakes_in_a_declaration_are_errors_at_import(name):
    """The error names the part and says what to write."""
    declare, message = DECLARATIONS[name]

    with pytest.raises(ConfigurationError, match=message):
        declare()


@strawberry.type
class WebMaker(ShapeOf[Maker]):
    """A shape."""

    name: str


@strawberry.type
class Other:
    """A type that is no shape."""

    name: str


FIELDS: dict[str, tuple[Any, Any, Any, str]] = {
    "not held": (
        Tent,
        str,
        part(Page.tents),
        (
            r"WebTent.it = part\(Page.tents\): WebTent holds no Page. Make .* ShapeOf\[Page\].*"
            r"strawberry.Private\[Page\].*screen\(Page.tents\)"
        ),
    ),
    "no key": (Tent, int, part(Shelf.price, key="sku"), "no attribute 'sku'; the key is the name"),
    "a key that may be None": (
        Tent,
        int,
        part(Shelf.price, key="weight"),
        r"key 'weight' may be None.*tuple\[str \| None",
    ),
    "a key of another type": (
        Tent,
        int,
        part(Shelf.price, key="number"),
        "the key 'number' is int; the keys of the loader are str",
    ),
    "another source": (Tent, str, value(Maker, lambda one: one.name), r"is no ShapeOf\[Maker\]"),
}


@pytest.mark.parametrize("name", FIELDS)
def test_fields_that_the_parent_cannot_have_are_errors_at_start(name):
    """`GraphQL(schema)` refuses a part of a screen that the parent does not hold."""
    source, kind, field, message = FIELDS[name]

    with pytest.raises(ConfigurationError, match=message):
        GraphQL(schema_of(source, "it", kind, field))


def schema_of(source, name, kind, field=None):
    """Return a schema with one field of a shape of a class."""

    def body(members):
        members |= {"__annotations__": {name: kind}, "__module__": __name__}
        members |= {} if field is None else {name: field}

    web = strawberry.type(new_class("WebTent", (ShapeOf[source],), exec_body=body))

    @strawberry.type
    class Query:
        """The root."""

        @strawberry.field
        def tent(self) -> web: ...

    return strawberry.Schema(Query)


SHAPES = {
    "a missing attribute": (
        Tent,
        "price",
        int,
        "Tent has no attribute 'price'; declare it by value",
    ),
    "another scalar": (Tent, "number", str, "Tent.number is int; or declare it by value"),
    "None": (Tent, "weight", float, r"Tent.weight may be None: allow it by `\| None`"),
    "no list": (Tent, "maker", list[WebMaker], "Tent.maker is Maker, no list"),
    "a list": (Tent, "makers", WebMaker, "Tent.makers is tuple"),
    "None in a list": (Tent, "makers", list[WebMaker], "each may be None"),
    "another source": (Box, "tent", WebMaker, "Box.tent is Tent, not Maker"),
    "no shape": (Tent, "maker", Other, r"make Other a ShapeOf\[Maker\]"),
    "a part": (Page, "tent", str, r"Page.tent is a part; write part\(Page.tent, ...\)"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_fields_that_the_source_does_not_have_are_errors_at_start(name):
    """`GraphQL(schema)` compares the fields of a shape with the attributes of its source."""
    source, attribute, kind, message = SHAPES[name]

    with pytest.raises(ConfigurationError, match=message):
        GraphQL(schema_of(source, attribute, kind))


def test_a_shape_needs_a_source_and_its_name():
    """A `ShapeOf` without a class, or with an attribute `source`, is refused."""
    with pytest.raises(ConfigurationError, match=r"WebTent.source: ShapeOf takes this name"):
        new_class("WebTent", (ShapeOf[Tent],), exec_body=lambda members: members.update(source=1))

    web = strawberry.type(new_class("WebTent", (ShapeOf,), exec_body=named))
    with pytest.raises(ConfigurationError, match=r"WebTent: write ShapeOf\[C\]"):
        GraphQL(strawberry.Schema(web))


def named(members):
    """Give a class a field."""
    members |= {"__annotations__": {"name": str}, "__module__": __name__}
