"""Tolerant reading: what does not fit is left out where something may be, and is reported."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from math import inf
from typing import Annotated, Literal, TypedDict

import msgspec
import pydantic
import pytest
from pydantic.alias_generators import to_camel

from bff_core import Policy
from bff_core.call import Call, Reply
from bff_core.errors import BadPayload
from bff_core.upstream.decoding import decoding
from bff_core.upstream.reading.options import reading_options
from bff_core.upstream.reading.tolerant import Reduced

CALL = Call("shop", "GET", "/orders", "GET /orders", inf)


class Status(Enum):
    """The members that the tests know."""

    OPEN = "open"
    SHIPPED = "shipped"


@dataclass(frozen=True)
class Line:
    """A field without a default, and fields with one."""

    sku: str
    count: Annotated[int, msgspec.Meta(ge=1)] = 1
    note: str = ""


@dataclass(frozen=True)
class Order:
    """What the tests decode."""

    id: str
    status: Status = Status.OPEN
    lines: tuple[Line, ...] = ()
    kind: Literal["web", "shop"] = "web"
    totals: dict[str, int] = field(default_factory=dict)
    at: datetime | None = None


class Loose(TypedDict, total=False):
    """Names that may be absent."""

    count: int
    status: Status


class Person(pydantic.BaseModel):
    """A model of pydantic's."""

    name: str


class Team(pydantic.BaseModel):
    """A model with defaults, aliases and other models in it."""

    model_config = pydantic.ConfigDict(alias_generator=to_camel)

    name: str
    status: Status = Status.OPEN
    room_number: int = 1
    people: list[Person] = []
    lead: Person | None = None


def read(model, body, **policy):
    """Return the value of a reply by tolerant reading, and what was left out."""
    options = reading_options(Policy(reading="tolerant", **policy), {})
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    value = decoding(model, options).value(Reply(200, (), content), CALL)
    return (value.value, list(value.lost)) if isinstance(value, Reduced) else (value, [])


LEFT_OUT = [
    (Order, {"id": "1", "status": None}, Order("1"), ["$.status: null"]),
    (Order, {"id": "1", "lines": None}, Order("1"), ["$.lines: null"]),
    (Order, {"id": "1", "status": "lost"}, Order("1"), ["$.status: an unknown member"]),
    (Order, {"id": "1", "kind": "fax"}, Order("1"), ["$.kind: an unknown member"]),
    (
        Order,
        {"id": "1", "totals": {"a": 1, "b": "x"}},
        Order("1", totals={"a": 1}),
        ["$.totals[...]: does not fit"],
    ),
    (Order, {"id": "1", "at": "yesterday"}, Order("1"), ["$.at: does not fit"]),
    (
        Order,
        {
            "id": "1",
            "lines": [
                {"sku": "a"},
                {"count": 2},
                {"sku": "c", "count": None},
                {"sku": "d", "count": 0},
            ],
        },
        Order("1", lines=(Line("a"), Line("c"), Line("d"))),
        ["$.lines[1]: does not fit", "$.lines[2].count: null", "$.lines[3].count: does not fit"],
    ),
    (
        list[Order],
        [{"id": "1"}, {"id": 2}, None, 7, {"id": "3"}],
        [Order("1"), Order("3")],
        ["$[1]: does not fit", "$[2]: null", "$[3]: does not fit"],
    ),
    (
        list[Status],
        ["open", "lost", "shipped"],
        [Status.OPEN, Status.SHIPPED],
        ["$[1]: an unknown member"],
    ),
    (set[int], [1, "x"], {1}, ["$[1]: does not fit"]),
    (dict[Status, int], {"open": 1, "lost": 2}, {Status.OPEN: 1}, ["$[...]: an unknown key"]),
    (
        list[list[int]],
        [[1, "x"], "y", [2]],
        [[1], [2]],
        ["$[0][1]: does not fit", "$[1]: does not fit"],
    ),
    (
        Loose,
        {"count": None, "status": "lost"},
        {},
        ["$.count: null", "$.status: an unknown member"],
    ),
    (
        list[Person],
        [{"name": "Ada"}, {}, {"name": 7}],
        [Person(name="Ada")],
        ["$[1]: does not fit", "$[2]: does not fit"],
    ),
]


@pytest.mark.parametrize(("model", "body", "value", "lost"), LEFT_OUT)
def test_values_that_do_not_fit_are_omitted_and_listed(model, body, value, lost):
    """Null in place of a default, an unknown member, one bad item: the rest is returned."""
    assert read(model, body) == (value, lost)


TEAMS = [
    ({"name": "a", "status": None}, Team(name="a"), ["$.status: null"]),
    ({"name": "a", "status": "lost"}, Team(name="a"), ["$.status: an unknown member"]),
    ({"name": "a", "roomNumber": "x"}, Team(name="a"), ["$.roomNumber: does not fit"]),
    ({"name": "a", "lead": {}}, Team(name="a"), ["$.lead: does not fit"]),
    (
        {"name": "a", "people": [{"name": "b"}, {}, {"name": 7}, None, {"name": "c"}]},
        Team(name="a", people=[Person(name="b"), Person(name="c")]),
        ["$.people[1]: does not fit", "$.people[2]: does not fit", "$.people[3]: null"],
    ),
    ({"name": "a", "people": {}}, Team(name="a"), ["$.people: does not fit"]),
]


@pytest.mark.parametrize(("body", "value", "lost"), TEAMS)
def test_tolerant_reading_reaches_into_pydantic_models(body, value, lost):
    """By itself, in a list, and as a field of a dataclass."""
    deeper = [one.replace("$", "$[0]") for one in lost]

    assert read(Team, body) == (value, lost)
    assert read(Team | None, body) == (value, lost)
    assert read(list[Team], [body]) == ([value], deeper)


@pytest.mark.parametrize("body", [{}, {"name": None}, [], None, {"name": "a"} | {"name": 7}])
def test_a_pydantic_model_without_what_it_requires_is_refused(body):
    """By itself; in a list it is the item that is left out."""
    with pytest.raises(BadPayload):
        read(Team, body)
    assert read(list[Team], [body])[0] == []


@pytest.mark.parametrize(("model", "body"), [row[:2] for row in LEFT_OUT])
def test_strict_reading_omits_nothing(model, body):
    """It is the default."""
    with pytest.raises(BadPayload):
        decoding(model).value(Reply(200, (), json.dumps(body).encode()), CALL)


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (Order, {"id": None}), (Order, {}), (Order, []), (Status, "lost"), (int, "x"),
        (tuple[int, str], [1, 2]), (Line, {"sku": 7, "count": 1}), (list[int], {"a": 1}),
        (list[int], b"[1, "), (Annotated[list[int], msgspec.Meta(min_length=2)], [1, "x"]),
        (Order, b'{"id": "1", "id": "2"}'), (dict[str, int], None),
    ],
)  # fmt: skip
def test_values_that_can_not_be_omitted_are_refused(model, body):
    """A required field, the whole, JSON that is broken or ambiguous."""
    with pytest.raises(BadPayload):
        read(model, body)


@pytest.mark.parametrize(
    "body", [{"id": "1"}, {"id": "1", "lines": [{"sku": "a", "count": 2}], "unknown": None}]
)
def test_a_reply_that_fits_has_no_omissions(body):
    """Nothing is reported where nothing was left out."""
    value, lost = read(Order, body)

    assert (value.id, lost) == ("1", [])


def test_coerced_integers_and_dates_are_not_omissions():
    """These values are converted without loss."""
    body = (
        b'{"id": "1", "lines": [{"sku": "a", "count": 2.0}], "at": "9999-12-31T23:59:59.9999999Z"}'
    )
    value, lost = read(Order, body)

    assert (value.lines, value.at.year, lost) == ((Line("a", 2),), 9999, [])


def test_a_datetime_without_a_zone_is_left_out_where_it_is_refused():
    """The other orders stay."""
    body = [{"id": "1", "at": "2024-01-01T00:00:00"}, {"id": "2", "at": "2024-01-01T00:00:00Z"}]
    value, lost = read(list[Order], body, naive_datetimes="refuse")

    assert [one.at is None for one in value] == [True, False]
    assert lost == ["$[0].at: without a zone"]


def test_omitted_values_are_not_quoted():
    """Paths and reasons hold nothing of the reply, not even the names of a dictionary."""
    body = {"id": "1", "status": "hunter2", "totals": {"hunter2": "hunter2"}, "at": "hunter2"}
    _, lost = read(Order, body)

    assert len(lost) == 3
    assert "hunter2" not in str(lost)
