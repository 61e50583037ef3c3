# ruff: noqa: E501 # the source of a view is on one line
"""Views as teams write them; each reads some fields of an order in a way of its own."""

HEAD = """
import asyncio
import bisect
import contextlib
import contextvars
import copy
import dataclasses
import functools
import heapq
import itertools
import json
import logging
import operator
import string
from abc import ABC, abstractmethod
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property, partial, reduce, singledispatch, total_ordering, wraps
from itertools import chain, groupby, islice
from operator import attrgetter, itemgetter
from types import SimpleNamespace
from typing import Annotated, Any, Generic, Literal, NamedTuple, Protocol, TypedDict, TypeVar, cast

import msgspec
from bff_core import (
    Composition, Policy, TypedReply, Upstream, UpstreamError, Views, compose, critical, gather,
    loader, optional,
)
from fastapi import BackgroundTasks, Depends, Request
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field
from pydantic import computed_field, field_validator, model_validator

T = TypeVar("T")


class Base(ABC):
    @abstractmethod
    def summary(self) -> str: ...

    def template(self) -> str:
        return self.summary().upper()


@dataclass
class Money:
    decoy: str = ""
    amount: int = 0
    currency: str = ""

    def __add__(self, other: "Money") -> "Money":
        return Money("", self.amount + other.amount, self.currency)

    def __mul__(self, other: int) -> "Money":
        return Money("", self.amount * other, self.currency)

    def __sub__(self, other: "Money") -> int:
        return self.amount - other.amount

    def __neg__(self) -> int:
        return -self.amount

    def __bool__(self) -> bool:
        return self.amount > 4


@dataclass
class Line(Base):
    decoy: str = ""
    sku: str = ""
    quantity: int = 0
    price: Money = field(default_factory=Money)
    note: str = ""

    def summary(self) -> str:
        return self.note


@dataclass
class Buyer:
    decoy: str = ""
    name: str = ""
    email: str = ""
    shown: str = ""

    def __post_init__(self) -> None:
        self.shown = self.email[:3]

    def __str__(self) -> str:
        return self.name

    def __len__(self) -> int:
        return len(self.name)

    def __call__(self) -> str:
        return self.email

    def __getitem__(self, key: str) -> str:
        return self.name

    def __contains__(self, key: str) -> bool:
        return key in self.email

    def __enter__(self) -> str:
        return self.name

    def __exit__(self, *given: object) -> None:
        return None

    def __iter__(self) -> Iterator[str]:
        yield self.name

    def __lt__(self, other: "Buyer") -> bool:
        return self.name < other.name


@dataclass
class Order:
    decoy: str = ""
    number: str = ""
    state: str = ""
    total: Money = field(default_factory=Money)
    lines: list[Line] = field(default_factory=list)
    buyer: Buyer = field(default_factory=Buyer)
    tags: list[str] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    weight: int = 0

    @property
    def label(self) -> str:
        return f"{self.number}"

    def describe(self) -> str:
        return self.state

    def __hash__(self) -> int:
        return 1


@dataclass
class Express(Order):
    def describe(self) -> str:
        return self.number


class StructLine(msgspec.Struct, rename="camel"):
    sku: str = ""
    quantity: int = 0
    price: Any = None
    note: str = ""


class StructOrder(msgspec.Struct, rename=lambda name: {"code": "number"}.get(name, name)):
    decoy: str = ""
    code: str = ""
    state: str = ""
    weight: int = 0
    heavy: bool = False
    tags: list[str] = []

    def __post_init__(self) -> None:
        self.heavy = self.weight > 4


class ModelOrder(BaseModel):
    decoy: str = ""
    model_config = ConfigDict(populate_by_name=True)
    code: str = Field("", alias="number")
    status: str = Field("", validation_alias=AliasChoices("status", "state"))
    cents: int = Field(0, validation_alias=AliasPath("total", "amount"))
    weight: int = 0
    lines: list[dict[str, Any]] = []

    @computed_field
    @property
    def heavy(self) -> bool:
        return self.weight > 4

    @model_validator(mode="after")
    def check(self) -> "ModelOrder":
        if len(self.lines) > 0 and self.lines[0]["sku"] != "s-0":
            self.code = "other"
        return self


class DictLine(TypedDict, total=False):
    sku: str
    note: str


class DictOrder(TypedDict, total=False):
    decoy: str
    number: str
    state: str
    weight: int
    lines: list[DictLine]
    tags: list[str]


@dataclass
class Paged(Generic[T]):
    items: list[T] = field(default_factory=list)
    total: int = 0

    def first(self) -> T:
        return self.items[0]

    def __len__(self) -> int:
        return self.total


class Shop(Upstream):
    policy = Policy(timeout=1.0)

    async def order(self) -> Order:
        return await self.get("/order", Order)

    async def with_headers(self) -> TypedReply[Order]:
        return await self.get("/order", TypedReply[Order])

    async def struct(self) -> StructOrder:
        return await self.get("/order", StructOrder)

    async def model(self) -> ModelOrder:
        return await self.get("/order", ModelOrder)

    async def dicts(self) -> DictOrder:
        return await self.get("/order", DictOrder)

    async def raw(self) -> dict[str, Any]:
        return await self.get("/order", dict[str, Any])

    async def any(self):
        return await self.get("/order", Any)

    async def page(self) -> Paged[Order]:
        return Paged([await self.order()], 1)

    async def either(self) -> Order | None:
        return await self.get("/order", Order | None)


class Page(Composition):
    shop: Shop

    @critical
    async def order(self) -> Order:
        return await self.shop.order()

    @optional
    async def title(self) -> str:
        return (await self.order()).number

    @optional(fallback=None)
    async def untyped(self):
        return await self.shop.order()


views = Views(prefix="/v1")


class HasNumber(Protocol):
    number: str


def by_mapping(value: Mapping[str, Any]) -> str:
    return value["number"]


def by_dict(value: dict) -> str:
    return value["number"]


def by_base(value: Base) -> str:
    return value.summary()


def by_template(value: Base) -> str:
    return value.template()


def by_protocol(value: HasNumber) -> str:
    return value.number


def logged(function):
    @wraps(function)
    async def wrapper(*args, **options):
        found = await function(*args, **options)
        return {"state": found.state, "weight": len(args)}
    return wrapper


def traced(text: str):
    def decorate(function):
        @wraps(function)
        def wrapper(*args, **options):
            return text + function(*args, **options)
        return wrapper
    return decorate


def bare(function):
    def wrapper(value):
        return function(value) + value.state
    return wrapper


@logged
async def load(page: Page) -> Order:
    return await page.order()


@traced("x")
def number_of(order: Order) -> str:
    return order.number


@bare
def bare_number(order: Order) -> str:
    return order.number


@singledispatch
def show(value) -> str:
    return "?"


@show.register
def _(value: Order) -> str:
    return value.number


@show.register(Line)
def show_line(value) -> str:
    return value.sku


class Presenter:
    def __init__(self, order: Order) -> None:
        self._order = order

    @property
    def title(self) -> str:
        return self._order.number

    @functools.singledispatchmethod
    def of(self, value) -> str:
        return "?"

    @of.register
    def _of_line(self, value: Line) -> str:
        return value.note

    @staticmethod
    def static(order: Order) -> str:
        return order.state

    @classmethod
    def create(cls, order: Order) -> "Presenter":
        return cls(order)


class Card(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    number: str
    state: str


class Fancy(Presenter):
    @property
    def title(self) -> str:
        return super().title + self._order.state


@contextlib.contextmanager
def opened(order: Order) -> Iterator[Order]:
    yield order


@contextlib.asynccontextmanager
async def fetched(page: Page) -> AsyncIterator[Order]:
    yield await page.order()


async def streamed(page: Page) -> AsyncIterator[Line]:
    for line in (await page.order()).lines:
        yield line


def lines_of(order: Order) -> Iterator[Line]:
    yield from order.lines


current: contextvars.ContextVar[Order] = contextvars.ContextVar("current")
LATEST: Order | None = None
STORE: dict[str, Any] = {}
REGISTRY: dict[str, Callable[..., str]] = {}


def registered(name: str):
    def decorate(function):
        REGISTRY[name] = function
        return function
    return decorate


@registered("state")
def state_of(order) -> str:
    return order.state


class Kind(Enum):
    OPEN = "open"
    DONE = "done"

    def of(self, order: Order) -> str:
        return order.state + self.value


@functools.lru_cache
def cached_state(order: Order) -> str:
    return order.state


class Row(NamedTuple):
    number: str
    order: Order


class Lazy:
    def __init__(self, load: Callable[[], Awaitable[Order]]) -> None:
        self._load = load

    async def get(self) -> str:
        return (await self._load()).number


class Visitor:
    def visit(self, value: Any) -> str:
        return getattr(self, f"visit_{type(value).__name__.lower()}")(value)

    def visit_order(self, value: Order) -> str:
        return value.number


class Descriptor:
    def __get__(self, owner: Any, kind: Any = None) -> str:
        return owner.order.state


class WithDescriptor:
    shown = Descriptor()

    def __init__(self, order: Order) -> None:
        self.order = order


def provide(page: Annotated[Page, Depends(compose(Page))]) -> Page:
    return page


async def current_order(page: Annotated[Page, Depends(compose(Page))]) -> Order:
    return await page.order()


def fluent(order: Order) -> "Fluent":
    return Fluent().set(order)


class Fluent:
    order: Order

    def set(self, order: Order) -> "Fluent":
        self.order = order
        return self

    def text(self) -> str:
        return self.order.number
"""

GET = "order = await page.order()\n"

CASES = {
    "inner inside another": GET
    + "def outer():\n    def inner():\n        return order.state\n    return inner()\nreturn outer()",
    "inner with default argument": GET
    + "def text(read=lambda: order.note if False else order.number):\n    return read()\nreturn text()",
    "class with a closure": GET + "class Local:\n    state = order.state\nreturn Local.state",
    "generator consumed by next": GET
    + "found = (one for one in order.lines)\nreturn next(found).note",
    "dict of partials": GET + "reads = {'a': partial(state_of, order)}\nreturn reads['a']()",
    "sorted by index": GET + "return sorted(range(2), key=lambda at: order.lines[at].quantity)",
    "zip longest": GET
    + "return [a.sku if a else '' for a, b in itertools.zip_longest(order.lines, [1, 2, 3])]",
    "match mapping": "match await page.shop.dicts():\n    case {'state': 'state', **rest}:\n        return rest\n    case _:\n        return 'other'",
    "exception group": GET
    + "try:\n    raise ExceptionGroup('x', [ValueError(order.state)])\nexcept* ValueError as group:\n    found = str(group.exceptions[0])\nreturn found",
    "while else": GET
    + "while order.weight > 100:\n    break\nelse:\n    return order.number\nreturn ''",
    "namedtuple factory": GET
    + "Pair = namedtuple('Pair', 'one two')\nreturn Pair(order, 1).one.state",
    "list of dicts": GET
    + "rows = [{'line': one} for one in order.lines]\nreturn [row['line'].sku for row in rows]",
    "sum of lists": GET + "return [one.sku for one in sum([[x] for x in order.lines], [])]",
    "type map": GET
    + "return {Order: lambda one: one.state, Line: lambda one: one.sku}[type(order)](order)",
    "unpacked call": GET + "return '{} {}'.format(*[one.sku for one in order.lines])",
    "gathered parts": "found = dict(zip(['a', 'b'], await asyncio.gather(page.shop.order(), page.shop.order())))\nreturn found['a'].number",
    "iter with a function": GET
    + "lines = list(order.lines)\nreturn [one.sku for one in iter(lambda: lines.pop() if lines else None, None)]",
    "wraps reads": "found = await audited(page)\nreturn found.number",
    "override in a subclass": GET + "return by_state(as_express(order))",
    "depends": GET + "return SHOWN(order)",
    "cart": GET + "return list(Cart(order.lines))",
    "cart truth": GET + "return 'x' if Cart(order.lines) else 'y'",
    "cart getitem": GET + "return Cart(order.lines)[0].sku",
    "cart in": GET + "return 's-0' in Cart(order.lines)",
    "cart str": GET + "return f'{Cart(order.lines)}'",
    "cart format": GET + "return '{}'.format(Cart(order.lines))",
    "cart contextmanager": GET + "with Cart(order.lines) as cart:\n    return cart.note",
    "iadd": GET + "found = order.total\nfound += order.lines[0].price\nreturn found.amount",
    "local decorator": GET
    + "def double(function):\n    return lambda: function() * 2\n@double\ndef text():\n    return order.state\nreturn text()",
    "cached method": "return await Cached(page).title()",
    "iter of dict": GET
    + "found = {one.sku: one for one in order.lines}\nreturn [found[key].note for key in found]",
    "map star": GET + "return [*map(lambda one: one.note, order.lines)]",
    "generator expression passed": GET + "return ', '.join(f'{one.sku}' for one in order.lines)",
    "dict of lambdas": GET + "return {name: read(order) for name, read in READERS.items()}",
    "list of attribute names": GET + "return {name: attrgetter(name)(order) for name in FIELDS}",
    "class attribute function": GET + "return Renderer.render(order)",
    "callable in a field": GET + "return Column('x', lambda one: one.state).read(order)",
    "columns": GET + "return [column.read(order) for column in COLUMNS]",
    "inherited presenter": GET + "return Upper(order).shown()",
    "mixin": GET + "return Mixed(order).both()",
    "super": GET + "return Super(order).text()",
    "property setter": GET + "one = Held()\none.order = order\nreturn one.order.state",
    "event": GET
    + "found = []\nBUS.append(lambda one: found.append(one.state))\nfor one in BUS[-1:]:\n    one(order)\nBUS.clear()\nreturn found",
    "yield from helper": GET + "return list(walk(order))",
    "send": GET
    + "def run():\n    found = yield 1\n    yield found.state\nsteps = run()\nnext(steps)\nreturn steps.send(order)",
    "returned closure": GET + "return reader_of(order)()",
    "returned closures": GET + "number, state = readers_of(order)\nreturn number()",
    "dict default factory": GET + "found = defaultdict(lambda: order)\nreturn found['x'].number",
    "try finally": GET
    + "text = ''\ntry:\n    text = order.number\nfinally:\n    text += order.state\nreturn text",
    "tuple of getters": GET
    + "return tuple(read(order) for read in (attrgetter('number'), lambda one: one.state))",
    "conditional function": GET
    + "read = (lambda one: one.number) if order.weight > 4 else (lambda one: one.state)\nreturn read(order)",
    "ternary type": GET
    + "found = order.buyer if order.weight > 90 else order.lines[0]\nreturn found.note if isinstance(found, Line) else found.name",
    "hasattr": GET + "return order.number if hasattr(order, 'number') else ''",
    "while walrus": GET
    + "lines = list(order.lines)\nfound = []\nwhile lines and (one := lines.pop()):\n    found.append(one.sku)\nreturn found",
    "sorted reverse": GET
    + "return [one.sku for one in sorted(order.lines, key=lambda one: one.quantity, reverse=True)]",
    "set difference": GET + "return sorted({one.sku for one in order.lines} - {'s-0'})",
    "frozen dict view": GET + "return list({one.sku: 1 for one in order.lines}.keys())",
    "list multiply": GET + "return [1] * order.weight",
    "string multiply": GET + "return 'x' * order.weight",
    "chained compare": GET + "return 4 < order.weight < 10",
    "ternary none": GET + "return None if order.weight < 6 else order.number",
    "nested part": "return await Inner.of(page)",
    "protocol method": GET + "return by_describing(order)",
    "generic helper": GET + "return first(order.lines).sku",
    "generic class": GET + "return Box(order).value.number",
    "generic class map": GET + "return Box(order).map(lambda one: one.state)",
    "generic subscripted": GET + "return Box[Order](order).value.number",
    "optional chain": GET + "return maybe(order, lambda one: one.state)",
    "decorated method": GET + "return Decorated().text(order)",
    "decorated part": "return await Extra.read(page)",
    "operator add": GET + "return (order.total + order.lines[0].price).amount",
    "operator mul": GET + "return (order.total * 2).amount",
    "operator sub": GET + "return order.total - order.lines[0].price",
    "operator neg": GET + "return -order.total",
    "sum with start": GET + "return sum((one.price for one in order.lines), Money()).amount",
    "truth": GET + "return 'x' if order.total else 'y'",
    "truth of not": GET + "return not order.total",
    "truth of and": GET + "return str(bool(order.total and order.buyer))",
    "bool()": GET + "return bool(order.total)",
    "len()": GET + "return len(order.buyer)",
    "call": GET + "return order.buyer()",
    "getitem": GET + "return order.buyer['x']",
    "contains": GET + "return 'ann@' in order.buyer",
    "with object": GET + "with order.buyer as name:\n    return name",
    "iterate object": GET + "return list(order.buyer)",
    "str": GET + "return str(order.buyer)",
    "format spec": GET + "return f'{1:>{order.weight}}'",
    "format width": GET + "return '{:>{}}'.format('x', order.weight)",
    "percent": GET + "return '%s-%s' % (order.number, order.state)",
    "format attribute": GET + "return '{0.number} {o.state}'.format(order, o=order)",
    "format map": GET + "return '{number}'.format_map(vars(order))",
    "template": GET + "return string.Template('$n').substitute(n=order.number)",
    "join": GET + "return ' '.join([order.number, *order.tags])",
    "post init": GET + "return order.buyer.shown",
    "label": GET + "return order.label",
    "override": "order: Order = Express(number=(await page.order()).number)\nreturn order.describe()",
    "nested function before": "order = None\ndef title():\n    return order.number\nif page:\n    order = await page.order()\nreturn title()",
    "nested nonlocal": "order = None\nasync def load():\n    nonlocal order\n    order = await page.order()\nawait load()\nreturn order.number",
    "nested nonlocal returned": "order = None\nasync def load():\n    nonlocal order\n    order = await page.order()\nawait load()\nreturn order",
    "nested into dict": "state = {'order': None}\nasync def load():\n    state['order'] = await page.order()\nawait load()\nreturn state['order'].number",
    "nested into dict returned": "state = {'order': None}\nasync def load():\n    state['order'] = await page.order()\nawait load()\nreturn state['order']",
    "nested into list": "found = []\nasync def load():\n    found.append(await page.order())\nawait load()\nreturn [one.number for one in found]",
    "nested into list returned": "found = []\nasync def load():\n    found.append(await page.order())\nawait load()\nreturn found",
    "nested lambda late": "pick = lambda: order.state\norder = await page.order()\nreturn pick()",
    "nested class": GET
    + "class Local:\n    def text(self):\n        return order.state\nreturn Local().text()",
    "nested generator": GET
    + "def walk():\n    for line in order.lines:\n        yield line.sku\nreturn list(walk())",
    "global": "global LATEST\nLATEST = await page.order()\nreturn LATEST.number",
    "global read elsewhere": "global LATEST\nLATEST = await page.order()\nreturn latest_state()",
    "store": "STORE['x'] = await page.order()\nreturn STORE['x'].number",
    "contextvar": "current.set(await page.order())\nreturn current.get().number",
    "try before": "found = (await page.order()).buyer\ntry:\n    raise ValueError\n    found = (await page.order()).total\nexcept ValueError:\n    pass\nreturn found.name",
    "try else": "try:\n    order = await page.order()\nexcept UpstreamError:\n    return ''\nelse:\n    return order.number",
    "contextmanager": GET + "with opened(order) as one:\n    return one.number",
    "async contextmanager": "async with fetched(page) as one:\n    return one.number",
    "context manager returned": "async with fetched(page) as one:\n    return one",
    "exit stack": GET
    + "with contextlib.ExitStack() as stack:\n    one = stack.enter_context(opened(order))\n    return one.number",
    "nullcontext": GET + "with contextlib.nullcontext(order) as one:\n    return one.number",
    "suppress": GET + "with contextlib.suppress(ValueError):\n    return order.number",
    "async generator": "return [line.sku async for line in streamed(page)]",
    "async generator loop": "found = ''\nasync for line in streamed(page):\n    found += line.note\nreturn found",
    "generator": GET + "return [one.sku for one in lines_of(order)]",
    "wraps": "return await load(page)",
    "wraps value": "found = await load(page)\nreturn found['state']",
    "wraps function": GET + "return number_of(order)",
    "bare decorator": GET + "return bare_number(order)",
    "singledispatch": GET + "return show(order) + show(order.lines[0])",
    "singledispatchmethod": GET + "return Presenter(order).of(order.lines[0])",
    "presenter": GET + "return Presenter(order).title",
    "fancy": GET + "return Fancy.create(order).title",
    "static": GET + "return Presenter.static(order)",
    "base param": GET + "return by_base(order.lines[0])",
    "base template": GET + "return by_template(order.lines[0])",
    "protocol": GET + "return by_protocol(order)",
    "mapping param": "return by_mapping(await page.shop.dicts())",
    "dict param": "return by_dict(await page.shop.dicts())",
    "dict get": "found = await page.shop.dicts()\nreturn found.get('number', '')",
    "dict getitem": "found = await page.shop.dicts()\nreturn found['lines'][0]['sku']",
    "dict key variable": "found = await page.shop.dicts()\nkey = 'sta' + 'te'\nreturn found[key]",
    "dict items": "found = await page.shop.dicts()\nreturn {k: v for k, v in found.items() if k != 'number'}",
    "dict values": "found = await page.shop.dicts()\nreturn [str(one) for one in found.values()]",
    "dict unpack": "found = await page.shop.dicts()\nreturn {**found, 'x': 1}",
    "dict or": "found = await page.shop.dicts()\nreturn found | {'x': 1}",
    "dict pop": "found = await page.shop.dicts()\nreturn found.pop('state')",
    "dict in": "found = await page.shop.dicts()\nreturn 'number' in found",
    "dict len": "found = await page.shop.dicts()\nreturn len(found)",
    "dict iter": "found = await page.shop.dicts()\nreturn [found[key] for key in found]",
    "dict itemgetter": "found = await page.shop.dicts()\nreturn itemgetter('number')(found)",
    "dict match": "match await page.shop.dicts():\n    case {'state': state}:\n        return state",
    "dict list sort": "found = await page.shop.dicts()\nreturn sorted(found['lines'], key=itemgetter('note'))[0]['sku']",
    "raw": "return (await page.shop.raw())['number']",
    "any": "return (await page.shop.any())['number']",
    "struct": "return (await page.shop.struct()).code",
    "struct post init": "return (await page.shop.struct()).heavy",
    "struct asdict": "return msgspec.structs.asdict(await page.shop.struct())",
    "struct fields loop": "found = await page.shop.struct()\nreturn [getattr(found, one) for one in found.__struct_fields__]",
    "model alias": "return (await page.shop.model()).code",
    "model choices": "return (await page.shop.model()).status",
    "model path": "return (await page.shop.model()).cents",
    "model computed": "return (await page.shop.model()).heavy",
    "model dump": "return (await page.shop.model()).model_dump()",
    "model json": "return (await page.shop.model()).model_dump_json(include={'code'})",
    "model copy": "return (await page.shop.model()).model_copy(update={'code': 'x'}).status",
    "model iter": "return [str(value) for _, value in await page.shop.model()]",
    "from attributes": GET + "return Card.model_validate(order)",
    "from attributes read": GET + "return Card.model_validate(order).number",
    "msgspec convert": GET
    + "return msgspec.convert(order, StructOrder, from_attributes=True).state",
    "replace": GET + "return dataclasses.replace(order, number='x').state",
    "copy": GET + "one = copy.copy(order)\nreturn one.number",
    "asdict": GET + "return dataclasses.asdict(order)['buyer']['name']",
    "reduce": GET + "return reduce(lambda found, one: found + one.quantity, order.lines, 0)",
    "reduce records": GET
    + "return reduce(lambda a, b: a if a.quantity > b.quantity else b, order.lines).sku",
    "reduce operator": GET
    + "return reduce(operator.add, [one.price for one in order.lines]).amount",
    "partial": GET + "return partial(number_of, order)()",
    "partial lambda": GET + "return partial(lambda o, x: o.state + x, order)('x')",
    "groupby": GET
    + "return {key: sum(one.quantity for one in group) for key, group in groupby(order.lines, key=lambda one: one.sku)}",
    "groupby attrgetter": GET
    + "return [(key, [one.note for one in group]) for key, group in groupby(sorted(order.lines, key=attrgetter('sku')), attrgetter('sku'))]",
    "counter": GET + "return Counter(one.sku for one in order.lines).most_common(1)",
    "counter update": GET
    + "found = Counter()\nfor one in order.lines:\n    found[one.sku] += one.quantity\nreturn found",
    "defaultdict": GET
    + "found = defaultdict(list)\nfor one in order.lines:\n    found[one.sku].append(one)\nreturn {key: [one.note for one in value] for key, value in found.items()}",
    "setdefault": GET
    + "found = {}\nfor one in order.lines:\n    found.setdefault(one.sku, []).append(one)\nreturn {key: [one.note for one in value] for key, value in found.items()}",
    "deque": GET + "found = deque(order.lines)\nreturn found.popleft().sku",
    "heapq": GET
    + "return [one.sku for one in heapq.nlargest(1, order.lines, key=lambda one: one.quantity)]",
    "bisect": GET + "return bisect.bisect([1, 2], 1, key=lambda x: order.weight)",
    "min key": GET + "return min(order.lines, key=lambda one: one.price.amount).sku",
    "sort key": GET
    + "order.lines.sort(key=lambda one: (-one.quantity, one.sku))\nreturn order.lines[0].note",
    "sort cmp": GET
    + "return sorted(order.lines, key=functools.cmp_to_key(lambda a, b: a.quantity - b.quantity))[0].sku",
    "sorted partial": GET
    + "return sorted(order.lines, key=partial(lambda x, one: one.quantity, 1))[0].sku",
    "islice": GET + "return [one.sku for one in islice(order.lines, 1)]",
    "chain": GET + "return [one.sku for one in chain(order.lines, order.lines)]",
    "pairwise": GET
    + "return [b.quantity - a.quantity for a, b in itertools.pairwise(order.lines)]",
    "accumulate": GET + "return list(itertools.accumulate(one.quantity for one in order.lines))",
    "takewhile": GET
    + "return [one.sku for one in itertools.takewhile(lambda one: one.quantity < 9, order.lines)]",
    "starmap": GET
    + "return list(itertools.starmap(lambda a, b: a + b, [(order.number, order.state)]))",
    "dict comprehension": GET
    + "by = {one.sku: one for one in order.lines}\nreturn by['s-0'].note if 's-0' in by else ''",
    "dict zip": GET + "return dict(zip(['a', 'b'], [one.sku for one in order.lines]))",
    "dict of pairs": GET
    + "by = dict((one.sku, one) for one in order.lines)\nreturn [one.note for one in by.values()]",
    "dict fromkeys": GET + "return list(dict.fromkeys(one.sku for one in order.lines))",
    "tuple index": GET + "pair = (order, 1)\nreturn pair[0].state",
    "namedtuple": GET + "row = Row('x', order)\nreturn row.order.state",
    "namedtuple unpack": GET + "number, one = Row('x', order)\nreturn one.state",
    "namespace": GET + "one = SimpleNamespace(order=order)\nreturn one.order.state",
    "chainmap": GET + "one = ChainMap({}, order.meta)\nreturn one['k']",
    "meta": GET + "return order.meta['k']",
    "meta items": GET + "return [v for k, v in order.meta.items()]",
    "tags": GET + "return order.tags[0]",
    "tag in": GET + "return 't-0' in order.tags",
    "compare": GET + "return order.number == 'n'",
    "state equal": GET + "return 'open' == order.state",
    "match class": "match await page.order():\n    case Order(state='open', number=number):\n        return number\n    case Order(number=number):\n        return 'x' + number",
    "match nested": "match await page.order():\n    case Order(buyer=Buyer(name=name)):\n        return name",
    "match value": GET
    + "match order.state:\n    case 'open':\n        return 1\n    case _:\n        return 2",
    "match guard": "match await page.order():\n    case one if one.weight > 5:\n        return 1\n    case _:\n        return 2",
    "match sequence": GET
    + "match order.lines:\n    case [first, *rest]:\n        return first.sku",
    "match or": "match await page.order():\n    case Buyer() | Order() as one:\n        return one.number",
    "walrus in comprehension": GET + "return [name for one in order.lines if (name := one.note)]",
    "walrus leak": GET
    + "any((last := one).quantity > 100 for one in order.lines)\nreturn last.sku",
    "comprehension nested": GET
    + "return [line.sku for one in [order] for line in one.lines if line.quantity]",
    "conditional": GET + "return order.number if order.weight > 5 else order.state",
    "while": GET + "index = 0\nwhile index < order.weight:\n    index += 2\nreturn index",
    "range": GET + "return list(range(order.weight))",
    "slice": GET + "return 'abcdefghijklmnopqrstuvwxyz'[: order.weight]",
    "index": GET + "return 'abcdefghijklmnopqrstuvwxyz'[order.weight]",
    "dict key": GET + "return {'open': 1}.get(order.state, 2)",
    "dict subscript": GET + "return {'state-x': 1, order.state: 2}[order.state]",
    "registry": GET + "return REGISTRY['state'](order)",
    "registry get": GET + "return REGISTRY.get('state')(order)",
    "enum method": GET + "return Kind.OPEN.of(order)",
    "enum of value": GET
    + "return Kind(order.state).name if order.state in {'open', 'done'} else ''",
    "lru cache": GET + "return cached_state(order)",
    "lazy": "return await Lazy(page.order).get()",
    "lazy lambda": "return await Lazy(lambda: page.order()).get()",
    "visitor": GET + "return Visitor().visit(order)",
    "descriptor": GET + "return WithDescriptor(order).shown",
    "fluent": GET + "return fluent(order).text()",
    "tasks": "task = asyncio.create_task(page.shop.order())\nreturn (await task).number",
    "task result": "task = asyncio.create_task(page.shop.order())\nawait asyncio.wait([task])\nreturn task.result().number",
    "task group": "async with asyncio.TaskGroup() as group:\n    task = group.create_task(page.shop.order())\nreturn task.result().number",
    "gather list": "found = await asyncio.gather(*[page.order() for _ in range(2)])\nreturn found[0].number",
    "gather star": "found = await gather(*(page.order(), page.title()))\nreturn found[1]",
    "as completed": "for one in asyncio.as_completed([page.order()]):\n    return (await one).number",
    "timeout": "async with asyncio.timeout(1):\n    order = await page.order()\nreturn order.number",
    "part of part": "return await page.title()",
    "untyped part": "one = await page.untyped()\nreturn one.number",
    "untyped part returned": "return await page.untyped()",
    "typed reply": "found = await page.shop.with_headers()\nreturn found.value.number",
    "typed reply returned": "return (await page.shop.with_headers()).value",
    "paged": "found = await page.shop.page()\nreturn found.items[0].number",
    "paged first": "found = await page.shop.page()\nreturn found.first().number",
    "paged unannotated": "found = await page.shop.page()\nreturn [one.state for one in found.items]",
    "cast": "one = cast(Order, await page.untyped())\nreturn one.number",
    "direct json": GET + "return JSONResponse({'number': order.number})",
    "plain text": GET + "return PlainTextResponse(f'{order.number}')",
    "json dumps": GET
    + "return PlainTextResponse(json.dumps({'o': order}, default=lambda one: one.__dict__))",
    "encoder": GET + "return PlainTextResponse(msgspec.json.encode(order.buyer))",
    "augmented": GET + "text = ''\ntext += order.number\nreturn text",
    "augmented attribute": GET + "order.number += order.state\nreturn order.number",
    "attribute stored": "order = Order()\norder.buyer = (await page.order()).buyer\nreturn order.buyer.name",
    "attribute stored, returned": "order = Order()\norder.buyer = (await page.order()).buyer\nreturn order",
    "setattr": "order = Order()\nsetattr(order, 'buyer', (await page.order()).buyer)\nreturn order.buyer.name",
    "nested unpack": GET
    + "(one, (two, three)) = (order, (order.buyer, order.total))\nreturn two.name",
    "star unpack": GET + "first, *_ = order.lines\nreturn first.sku",
    "swap": "a, b = (await page.order()).buyer, (await page.order()).total\na, b = b, a\nreturn b.name",
    "loop else": GET
    + "for one in order.lines:\n    if one.sku == 's-0':\n        break\nelse:\n    return 'none'\nreturn one.note",
    "loop zip": GET + "return [a.sku + b for a, b in zip(order.lines, order.tags)]",
    "enumerate": GET + "return [f'{i}{one.sku}' for i, one in enumerate(order.lines, 1)]",
    "reversed": GET + "return [one.sku for one in reversed(order.lines)]",
    "sum": GET + "return sum(one.price.amount * one.quantity for one in order.lines)",
    "any of items": GET + "return any(one.quantity > 1 for one in order.lines)",
    "all map": GET + "return all(map(lambda one: one.quantity < 3, order.lines))",
    "any map attrgetter": GET + "return list(map(attrgetter('price.amount'), order.lines))",
    "attrgetter two": GET + "return list(map(attrgetter('sku', 'note'), order.lines))",
    "methodcaller": GET + "return operator.methodcaller('describe')(order)",
    "getattr loop": GET + "return [getattr(order, name) for name in ('number', 'state')]",
    "getattr default": GET + "return getattr(order, 'number', None)",
    "attribute of type": GET + "return type(order).label.fget(order)",
    "unbound method": GET + "return Order.describe(order)",
    "bound method": GET + "read = order.describe\nreturn read()",
    "map unbound": GET + "return list(map(Line.summary, order.lines))",
    "max records": GET + "return max([order.buyer, Buyer(name='B')]).email",
    "is in list": GET + "return order.buyer in [Buyer()]",
    "deep": GET + "return order.lines[-1].price.currency",
    "assert": GET + "assert order.number\nreturn 1 if order.state else 2",
    "logger": GET + "logging.getLogger('x').debug('%s', order.state)\nreturn order.number",
    "print args": GET + "return max(order.number, order.state)",
    "kwargs": GET
    + "def show(**given):\n    return given['order'].number\nreturn show(order=order)",
    "args": GET + "def show(*given):\n    return given[0].number\nreturn show(order)",
    "kwargs dict": GET + "given = {'order': order}\nreturn by_keyword(**given)",
    "default parameter": GET + "def show(one=order):\n    return one.number\nreturn show()",
    "lambda default": GET + "return (lambda one=order: one.state)()",
    "closure list": GET
    + "pickers = [lambda: order.number, lambda: order.state]\nreturn [one() for one in pickers]",
    "closure dict": GET
    + "pickers = {'a': lambda: order.number, 'b': lambda: order.state}\nreturn pickers['a']()",
    "callback": GET
    + "def each(function, values):\n    return [function(one) for one in values]\nreturn each(lambda one: one.sku, order.lines)",
    "factory": GET
    + "def make(prefix):\n    def inner(one):\n        return prefix + one.sku\n    return inner\nreturn list(map(make('x'), order.lines))",
    "compose": GET
    + "pipeline = [lambda one: one.buyer, lambda one: one.name]\nvalue = order\nfor step in pipeline:\n    value = step(value)\nreturn value",
    "recursion inner": GET
    + "def walk(lines):\n    if not lines:\n        return ''\n    return lines[0].sku + walk(lines[1:])\nreturn walk(order.lines)",
    "string methods": GET + "return order.number.upper().replace('N', 'x')",
    "divmod": GET + "return divmod(order.weight, 2)",
    "exception": GET
    + "try:\n    raise Failed(order)\nexcept Failed as error:\n    return error.order.number",
    "exception text": GET
    + "try:\n    raise ValueError(order.number)\nexcept ValueError as error:\n    return str(error)",
    "exception args": GET
    + "try:\n    raise ValueError(order)\nexcept ValueError as error:\n    return error.args[0].number",
    "raise from": GET
    + "try:\n    raise ValueError from KeyError(order.state)\nexcept ValueError as error:\n    return str(error.__cause__)",
    "queue": "queue = asyncio.Queue()\nawait queue.put(await page.order())\nreturn (await queue.get()).number",
    "future": "future = asyncio.get_running_loop().create_future()\nfuture.set_result(await page.order())\nreturn (await future).number",
    "to thread": GET + "return await asyncio.to_thread(lambda: order.number)",
    "delete": GET
    + "found = {'x': 1, 'other': 2}\nfound.pop(order.state, None)\nreturn list(found)",
    "del subscript": GET
    + "found = {'state': 1, 'x': 2}\nfound[order.state] = 1\ndel found[order.state]\nfound.pop('state', None)\nreturn len(found)",
    "module attribute": GET
    + "cache = SimpleNamespace()\ncache.order = order\nreturn cache.order.number",
    "self attribute": GET + "page.shop.extra = order\nreturn page.shop.extra.number",
    "set of tuples": GET + "return sorted({(one.sku, one.quantity) for one in order.lines})",
    "frozen set": GET + "return sorted(frozenset(one.sku for one in order.lines))",
    "filter none": GET + "return list(filter(None, [order.number]))",
    "filter records": GET + "return len(list(filter(None, [order.total])))",
    "or default": GET + "return (order.buyer or Buyer()).email",
    "next default": GET + "return next((one.sku for one in order.lines if one.quantity > 1), None)",
    "next record": GET
    + "one = next((one for one in order.lines if one.quantity > 1), None)\nreturn one.sku if one else ''",
    "iter sentinel": GET + "return next(iter(order.lines)).sku",
    "id": GET + "return len(str(order.weight))",
    "round": GET + "return round(order.weight / 3, 1)",
    "early return": GET + "if order.state != 'state':\n    return None\nreturn order",
    "status": GET + "return JSONResponse({}, status_code=200 if order.weight < 5 else 202)",
    "custom eq": GET + "return order.lines.index(order.lines[1])",
    "count": GET + "return order.tags.count('t-0')",
    "exec order": GET
    + "results = {}\nresults['a'], results['b'] = order.number, order.state\nreturn results",
    "lists added": GET + "return [one.sku for one in order.lines + order.lines]",
    "lists extended": GET
    + "found = [*order.lines]\nfound += order.lines\nreturn [one.sku for one in found]",
    "insert": GET + "found = []\nfound.insert(0, order)\nreturn found[0].number",
    "dict update": GET + "found = {}\nfound.update(order=order)\nreturn found['order'].number",
    "dict update dict": GET
    + "found = {}\nfound.update({'order': order})\nreturn found['order'].number",
    "dict merge": GET + "found = {'a': 1} | {'order': order}\nreturn found['order'].number",
    "dict ior": GET + "found = {'a': 1}\nfound |= {'order': order}\nreturn found['order'].number",
    "ordered dict": GET + "found = OrderedDict(order=order)\nreturn found['order'].number",
    "dict call": GET + "found = dict(order=order)\nreturn found['order'].number",
    "dict get call": GET + "found = {'order': order}\nreturn found.get('order').number",
    "dict list": GET + "found = {'orders': [order]}\nreturn found['orders'][0].number",
    "dict values of": GET + "found = {'a': order}\nreturn [one.number for one in found.values()]",
    "dict items of": GET + "found = {'a': order}\nreturn [one.number for _, one in found.items()]",
    "dict of tuple": GET
    + "found = {'a': (order, 1)}\nreturn [one.number for one, _ in found.values()]",
    "list of tuples": GET
    + "found = [(order, 1), (order, 2)]\nreturn [one.number for one, _ in found]",
    "sorted tuples": GET
    + "found = sorted([(one.quantity, one.sku, one) for one in order.lines], key=lambda one: one[0])\nreturn found[0][2].note",
    "dict sorted items": GET
    + "found = {one.sku: one for one in order.lines}\nreturn [v.note for k, v in sorted(found.items())] if False else [v.note for k, v in sorted(found.items(), key=lambda one: one[1].quantity)]",
    "set attribute loop": GET
    + "out = {}\nfor name in ('number', 'state'):\n    out[name] = getattr(order, name)\nreturn out",
    "dataclass fields": GET
    + "return {one.name: str(getattr(order, one.name)) for one in dataclasses.fields(order)}",
    "slots": GET + "return [getattr(order, one) for one in order.__dataclass_fields__]",
    "attribute dict": GET + "return order.__dict__['state']",
}

TAIL = '''
async def touch_struct(page: Page) -> None:
    (await page.shop.struct()).decoy


async def touch_model(page: Page) -> None:
    (await page.shop.model()).decoy


async def touch_dicts(page: Page) -> None:
    (await page.shop.dicts())["decoy"]


async def touch(page: Page) -> None:
    """Read a field of each object, so that none of them is used as a whole."""
    order = await page.shop.order()
    order.decoy, order.total.decoy, order.buyer.decoy
    for line in order.lines:
        line.decoy, line.price.decoy


class Failed(Exception):
    def __init__(self, order: Order) -> None:
        super().__init__()
        self.order = order


def by_keyword(order: Order) -> str:
    return order.number


def latest_state() -> str:
    return LATEST.state


def audit(function):
    @wraps(function)
    async def wrapper(*args, **options):
        found = await function(*args, **options)
        if found.weight > 4:
            found.number += "!"
        return found
    return wrapper


@audit
async def audited(page: Page) -> Order:
    return await page.order()


def as_express(order: Order) -> Order:
    return Express("", order.number, order.state)


def by_state(order: Order) -> str:
    return order.describe()


class Shown:
    def __call__(self, order: Order) -> str:
        return order.number


SHOWN = Shown()


class Cart:
    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines

    def __iter__(self) -> Iterator[str]:
        return iter([one.sku for one in self.lines])

    def __len__(self) -> int:
        return self.lines[0].quantity - 1

    def __getitem__(self, index: int) -> Line:
        return self.lines[index]

    def __contains__(self, sku: str) -> bool:
        return any(one.sku == sku for one in self.lines)

    def __str__(self) -> str:
        return self.lines[0].note

    def __enter__(self) -> Line:
        return self.lines[0]

    def __exit__(self, *given: object) -> None:
        return None


class Cached:
    def __init__(self, page: Page) -> None:
        self.page = page

    async def title(self) -> str:
        return (await self.page.order()).number


READERS = {"number": lambda one: one.number, "state": lambda one: one.state}
FIELDS = ("number", "state")
BUS: list[Callable[[Order], None]] = []


class Renderer:
    render = staticmethod(state_of)


@dataclass
class Column:
    name: str
    read: Callable[[Order], str]


COLUMNS = [Column("number", lambda one: one.number), Column("state", state_of)]


class Upper(Presenter):
    def shown(self) -> str:
        return self.title.upper()


class NumberMixin:
    order: Order

    def number(self) -> str:
        return self.order.number


class StateMixin:
    order: Order

    def state(self) -> str:
        return self.order.state


class Mixed(NumberMixin, StateMixin):
    def __init__(self, order: Order) -> None:
        self.order = order

    def both(self) -> str:
        return self.number() + self.state()


class Plain:
    def __init__(self, order: Order) -> None:
        self.order = order

    def text(self) -> str:
        return self.order.number


class Super(Plain):
    def text(self) -> str:
        return super().text() + self.order.state


class Held:
    _order: Any = None

    @property
    def order(self) -> Any:
        return self._order

    @order.setter
    def order(self, value: Order) -> None:
        self._order = value


def walk(order: Order) -> Iterator[str]:
    yield order.number
    yield from (one.sku for one in order.lines)


def reader_of(order):
    def read():
        return order.state
    return read


def readers_of(order):
    return (lambda: order.number), (lambda: order.state)


class Inner:
    @staticmethod
    async def of(page: Page) -> str:
        return (await page.shop.either()).number


class Describing(Protocol):
    def describe(self) -> str: ...


def by_describing(value: Describing) -> str:
    return value.describe()


def first(values: Sequence[T]) -> T:
    return values[0]


class Box(Generic[T]):
    def __init__(self, value: T) -> None:
        self.value = value

    def map(self, function: Callable[[T], Any]) -> Any:
        return function(self.value)


def maybe(value: T | None, function: Callable[[T], Any]) -> Any:
    return None if value is None else function(value)


class Decorated:
    @traced("x")
    def text(self, order: Order) -> str:
        return order.state


class Extra:
    @staticmethod
    @logged
    async def read(page: Page) -> Order:
        return await page.order()
'''
