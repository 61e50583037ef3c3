"""`GraphQL(schema)` compares part, shape and field, and says what to write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import pytest
import strawberry

from bff_core import Composition, ConfigurationError, critical, loader, optional
from bff_core.graphql import GraphQL, ShapeOf, each, part, screen, value

T = TypeVar("T")


@dataclass(frozen=True)
class Guide:
    """Who shows the way."""

    name: str


@dataclass(frozen=True)
class Weather:
    """The sky."""

    sun: bool


@dataclass(frozen=True)
class Stop:
    """A place."""

    name: str
    weather: Weather
    anything: Any = None


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page of a list."""

    items: tuple[T, ...]


@dataclass(frozen=True)
class Sign:
    """What someone carries."""

    guide: Guide


class Held(Protocol):
    """What a guide holds."""

    guide: Guide


class Named(Protocol):
    """What has a name."""

    name: str


class Trip(Composition):
    """A screen."""

    @critical
    async def guide(self) -> Guide:
        raise NotImplementedError

    @optional
    async def weather(self) -> Weather:
        raise NotImplementedError

    @critical
    async def maybe(self) -> Guide | None:
        raise NotImplementedError

    @critical
    async def stops(self) -> Sequence[Stop]:
        raise NotImplementedError

    @optional
    async def later(self) -> Sequence[Stop]:
        raise NotImplementedError

    @optional(fallback=())
    async def holes(self) -> Sequence[Stop | None]:
        raise NotImplementedError

    @critical
    async def count(self) -> int:
        raise NotImplementedError

    @critical
    async def unknown(self):
        raise NotImplementedError

    @critical
    async def anything(self) -> Any:
        raise NotImplementedError

    @critical
    async def page(self) -> Page[Stop]:
        raise NotImplementedError

    @critical
    async def sign(self) -> Sign:
        raise NotImplementedError


class Prices(Composition):
    """Loaders."""

    @loader
    async def price(self, ids: tuple[str, ...]) -> Mapping[str, int]:
        raise NotImplementedError

    @loader(missing=None)
    async def maybe(self, ids: tuple[str, ...]) -> Mapping[str, int]:
        raise NotImplementedError


@strawberry.type
class WebGuide(ShapeOf[Guide]):
    """A shape."""

    name: str


@strawberry.type
class WebCard(ShapeOf[Guide]):
    """Another shape of the same class."""

    name: str


@strawberry.type
class WebWeather(ShapeOf[Weather]):
    """A shape."""

    sun: bool


@strawberry.type
class WebStop(ShapeOf[Stop]):
    """A shape."""

    name: str
    anything: list[str]


@strawberry.type
class WebNamed(ShapeOf[Named]):
    """A shape of a protocol."""

    name: str


@strawberry.type
class WebSign(ShapeOf[Sign]):
    """A shape with a field that is a shape of a protocol."""

    guide: WebNamed
    holder: str = value(Held, lambda sign: sign.guide.name)


@strawberry.type
class WebGuides(ShapeOf[Page[Guide]]):
    """A shape of one kind of pages."""

    items: list[WebGuide]


@strawberry.type
class WebPage(ShapeOf[Page[T]], Generic[T]):
    """A generic shape."""

    items: list[T]


@strawberry.interface
class WebPerson(ShapeOf[Guide]):
    """An interface."""

    name: str


@strawberry.type
class WebLeader(WebPerson):
    """Its implementation."""


def leader(guide: Guide) -> WebLeader:
    """Return an implementation."""
    return WebLeader.of(guide)


def perhaps(guide: Guide) -> WebGuide | None:
    """Return a shape, or none."""
    return WebGuide.of(guide) if guide.name else None


def start(kind, field):
    """Start a face whose type has one field, beside a key for loaders."""

    class WebTrip(ShapeOf[Trip]):
        @strawberry.field
        def fine(self) -> str:
            return ""

    WebTrip.__annotations__ = {"it": kind}
    WebTrip.it = field
    web = strawberry.type(WebTrip)

    @strawberry.type
    class Query:
        """The root."""

        trip: web = screen(Trip, web.of)

    GraphQL(strawberry.Schema(Query, types=[WebLeader]))


MISTAKES = {
    "another shape": (
        WebGuide | None,
        part(Trip.guide, WebWeather.of),
        r"WebTrip.it = part\(Trip.guide\): WebWeather.of takes Weather, not Guide: give the shape",
    ),
    "no each": (list[WebStop], part(Trip.stops, WebStop.of), r"write each\(WebStop.of\)"),
    "each of one": (list[WebGuide], part(Trip.guide, each(WebGuide.of)), "give the shape without"),
    "each of another": (
        list[WebGuide],
        part(Trip.stops, each(WebGuide.of)),
        "Guide, not Stop",
    ),
    "an optional part": (
        WebWeather,
        part(Trip.weather, WebWeather.of),
        r"part\(Trip.weather\) may be None: annotate the field with `\| None`, or give .* fallback",
    ),
    "an optional list": (list[WebStop], part(Trip.later, each(WebStop.of)), "may be None"),
    "an optional part without a shape": (bool, part(Trip.weather, lambda one: one.sun), "may be"),
    "a part with None": (WebGuide, screen(Trip.maybe, WebGuide.of), r"screen\(.*\) may be None"),
    "None in a list": (list[WebStop], part(Trip.holes, each(WebStop.of)), "each item: it may be"),
    "a function with None": (WebGuide, part(Trip.guide, perhaps), "it may be None: annotate"),
    "a list for one": (WebStop, part(Trip.stops, each(WebStop.of)), r"list\[.*WebStop\]"),
    "one for a list": (
        list[WebGuide],
        part(Trip.guide, WebGuide.of),
        "and the field a list",
    ),
    "the shape of another field": (
        WebGuide,
        part(Trip.guide, WebCard.of),
        "it is WebCard, and the field WebGuide",
    ),
    "no shape": (WebGuide, part(Trip.guide), "give a shape, such as WebGuide.of"),
    "no shape of a list": (list[WebStop], part(Trip.stops), "each item: .* such as WebStop.of"),
    "another scalar": (str, part(Trip.count), "it is int"),
    "the class of a function": (int, part(Trip.count, str), "it is str"),
    "another page": (
        WebGuides,
        part(Trip.page, WebGuides.of),
        r"WebGuides.of takes .*Page\[.*Guide\], not .*Page\[.*Stop\]",
    ),
    "an interface": (WebPerson, part(Trip.guide, WebPerson.of), "WebPerson is an interface, so"),
    "a screen": (WebGuide, screen(Trip, WebGuide.of), "takes Guide, not Trip"),
    "a value": (WebWeather, value(Trip, WebWeather.of), "takes Weather, not Trip"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_part_that_does_not_fit_its_field_is_an_error_at_start(name):
    """The error names the field and says what to write."""
    kind, field, message = MISTAKES[name]

    with pytest.raises(ConfigurationError, match=message):
        start(kind, field)


FITTING = {
    "a shape": (WebGuide, part(Trip.guide, WebGuide.of)),
    "a nullable field": (WebGuide | None, part(Trip.guide, WebGuide.of)),
    "an optional part": (WebWeather | None, part(Trip.weather, WebWeather.of)),
    "a list": (list[WebStop], part(Trip.stops, each(WebStop.of))),
    "None in a list": (list[WebStop | None], part(Trip.holes, each(WebStop.of))),
    "a lambda": (str, part(Trip.guide, lambda guide: guide.name)),
    "a builtin": (int, part(Trip.stops, len)),
    "an int as a float": (float, part(Trip.count)),
    "no annotation": (WebGuide, part(Trip.unknown, WebGuide.of)),
    "Any": (list[WebStop], part(Trip.anything, each(WebStop.of))),
    "a protocol": (WebNamed, part(Trip.guide, WebNamed.of)),
    "a protocol in a field": (WebSign, part(Trip.sign, WebSign.of)),
    "an implementation": (WebPerson, part(Trip.guide, leader)),
    "a generic shape": (WebPage[WebStop], part(Trip.page, WebPage.of)),
    "an ID": (strawberry.ID, part(Trip.guide, lambda guide: guide.name)),
}


@pytest.mark.parametrize("name", FITTING)
def test_a_part_that_may_fit_starts(name):
    """What is not annotated, or of a class that may fit, is accepted."""
    start(*FITTING[name])


@dataclass(frozen=True)
class Item:
    """What has a price."""

    id: str


@pytest.mark.parametrize(("loaded", "kind"), [(Prices.maybe, int), (Prices.price, str)])
def test_values_of_loaders_are_compared_as_well(loaded, kind):
    """A loader with `missing=None` needs a nullable field; a loader of int no str."""

    class WebItem(ShapeOf[Item]):
        price: kind = part(loaded, key="id")

    web = strawberry.type(WebItem)

    @strawberry.type
    class Query:
        """The root."""

        @strawberry.field
        def item(self) -> web: ...

    with pytest.raises(ConfigurationError, match=r"WebItem.price = .*(may be None|it is int)"):
        GraphQL(strawberry.Schema(Query))
