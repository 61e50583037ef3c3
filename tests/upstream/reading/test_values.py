"""Values as services write them: whole numbers, dates, zones, decoders, pydantic's models."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime
from enum import Enum, IntEnum
from ipaddress import IPv4Address
from math import inf
from typing import Annotated, Generic, Literal, NamedTuple, NewType, TypedDict, TypeVar

import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic.alias_generators import to_camel

from bff_core import ConfigurationError, Policy
from bff_core.call import Call, Reply
from bff_core.errors import BadPayload
from bff_core.upstream.decoding import decoding
from bff_core.upstream.reading.options import ReadingOptions, reading_options
from bff_core.upstream.reading.reply_types import ReplyType
from bff_core.upstream.reading.tolerant import FallbackDecoder

CALL = Call("users", "GET", "/users/7", "GET /users/{id}", inf)


def read(model, body, *, decoders=None, **policy):
    """Return the typed value of a reply, read by a policy."""
    options = reading_options(Policy(**policy), decoders or {})
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decoding(model, options).value(Reply(200, (), content), CALL)


class Level(IntEnum):
    """A number with a name."""

    LOW = 1


class Pair(NamedTuple):
    """A list of two."""

    count: int
    name: str


class Typed(TypedDict):
    """A dictionary with known names."""

    count: int


class Cat(msgspec.Struct, tag="cat"):
    """One of two kinds."""

    lives: int


class Dog(msgspec.Struct, tag="dog"):
    """The other kind."""

    tricks: float


class Renamed(msgspec.Struct, rename="camel"):
    """Written otherwise."""

    item_count: int


class Row(msgspec.Struct, array_like=True):
    """Written as a list."""

    count: int
    name: str


class Maybe(msgspec.Struct):
    """May be absent, which is not null."""

    count: int | msgspec.UnsetType = msgspec.UNSET


T = TypeVar("T")


class Page(msgspec.Struct, Generic[T]):
    """Items of any type."""

    items: list[T]
    total: int = 0


UserId = NewType("UserId", int)


class Tree(msgspec.Struct):
    """Holds itself."""

    count: int
    below: "list[Tree]" = []


WHOLE = [
    (int, b"1.0", 1), (int, b"1e3", 1000), (int, b"1E+3", 1000), (int, b"-0.0", 0),
    (int, b"100e-2", 1), (int, b"9007199254740991.0", 2**53 - 1), (int | None, b"2.0", 2),
    (list[int], b"[1.0, 2]", [1, 2]), (dict[str, int], b'{"a": 1.0}', {"a": 1}),
    (tuple[int, str], b'[1.0, "a"]', (1, "a")), (set[int], b"[1.0]", {1}),
    (frozenset[int], b"[1.0]", frozenset({1})), (tuple[int, ...], b"[1.0, 2.0]", (1, 2)),
    (Level, b"1.0", Level.LOW), (Literal[1, "a"], b"1.0", 1), (Pair, b'[1.0, "a"]', Pair(1, "a")),
    (Typed, b'{"count": 1.0}', {"count": 1}), (Cat | Dog, b'{"type": "cat", "lives": 9.0}', Cat(9)),
    (Renamed, b'{"itemCount": 1.0}', Renamed(1)), (Row, b'[1.0, "a"]', Row(1, "a")),
    (Tree, b'{"count": 1.0, "below": [{"count": 2.0, "below": []}]}', Tree(1, [Tree(2)])),
    (list[dict[str, list[int | None]]], b'[{"a": [1.0, null]}]', [{"a": [1, None]}]),
    (Annotated[int, msgspec.Meta(ge=1)], b"1.0", 1), (int | str, b"1.0", 1),
    (Maybe, b'{"count": 1.0}', Maybe(1)), (Maybe, b"{}", Maybe()), (list[UserId], b"[1.0]", [1]),
    (Page[int], b'{"items": [1.0], "total": 1.0}', Page([1], 1)),
    (Page[Maybe], b'{"items": [{"count": 1.0}]}', Page([Maybe(1)])),
    (Sequence[int], b"[1.0]", [1]), (Mapping[str, int], b'{"a": 1.0}', {"a": 1}),
    (dict[int, int], b'{"1": 1.0}', {1: 1}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "body", "value"), WHOLE, ids=lambda one: str(one)[:40])
def test_a_whole_number_is_an_int_however_it_is_written(model, body, value):
    """PHP and pandas write 1.0; JSON and JavaScript know one kind of number."""
    assert read(model, body) == value
    assert type(read(model, body)) is type(value)


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (int, b"1.5"), (int, b"1e400"), (int, b"9007199254740992.0"), (int, b"1e16"),
        (int, b"4503599627370497.2"), (int, b"1e-999999999"), (int, b"1e999999999999999999999"),
        (int, b'"1.0"'), (int, b"true"), (bool, b"1.0"), (str, b"1.0"),
        (Annotated[int, msgspec.Meta(ge=2)], b"1.0"), (Level, b"2.0"), (list[int], b"[1.0, 1.5]"),
    ],
)  # fmt: skip
def test_a_number_that_is_not_an_integer_is_refused(model, body):
    """Fractions, what a double can't hold exactly, texts and flags are a bad payload."""
    with pytest.raises(BadPayload):
        read(model, body)


@pytest.mark.parametrize(
    ("model", "body", "value"),
    [
        (tuple[int, float], b"[1.0, 1.0]", (1, 1.0)),
        (tuple[int, Decimal], b"[1.0, 1.10]", (1, Decimal("1.10"))),
        (
            tuple[int, int],
            b"[1.0, 123456789012345678901234567890]",
            (1, 123456789012345678901234567890),
        ),
        (tuple[int, object], b"[1.0, [1.0, 0.1]]", (1, [1.0, 0.1])),
        (
            tuple[int, Decimal],
            b"[1.0, 1.00000000000000000001]",
            (1, Decimal("1.00000000000000000001")),
        ),
        (tuple[int, int | float], b"[1.0, 1.0]", (1, 1.0)),
        (tuple[int, msgspec.Raw], b"[1.0, 1.50]", (1, msgspec.Raw(b"1.50"))),
    ],
    ids=lambda one: str(one).partition(" object at")[0],
)
def test_coercing_an_integer_changes_no_other_value(model, body, value):
    """No digit of a decimal and no type of an untyped value changes because of its neighbour."""
    got = read(model, body)

    assert got == value
    assert [type(one) for one in got] == [type(one) for one in value]


EDGES = {
    "9999-12-31T23:59:59.9999999Z": datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
    "9999-12-31T23:59:59.9999999": datetime(9999, 12, 31, 23, 59, 59, 999999),  # noqa: DTZ001 - as sent
    "9999-12-31T23:59:59.9999999+14:00": datetime(
        9999, 12, 31, 23, 59, 59, 999999, timezone(timedelta(hours=14))
    ),
    "9999-12-31T23:59:59-14:00": datetime(
        9999, 12, 31, 23, 59, 59, 0, timezone(-timedelta(hours=14))
    ),
    "0001-01-01T00:00:00Z": datetime(1, 1, 1, tzinfo=UTC),
    "0001-01-01T00:00:00+14:00": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
    "0001-01-01T00:00:00": datetime(1, 1, 1),  # noqa: DTZ001 - as sent
    "2024-01-01T24:00:00Z": datetime(2024, 1, 2, tzinfo=UTC),
    "2024-12-31T24:00:00.000+01:00": datetime(2025, 1, 1, tzinfo=timezone(timedelta(hours=1))),
    "2016-12-31T23:59:60Z": datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC),
    "2016-12-31T23:59:60.25Z": datetime(2016, 12, 31, 23, 59, 59, 250000, UTC),
    "2017-01-01T05:29:60+05:30": datetime(
        2017, 1, 1, 5, 29, 59, tzinfo=timezone(timedelta(hours=5, minutes=30))
    ),
    "2024-01-01t00:00:00.1234567z": datetime(2024, 1, 1, 0, 0, 0, 123457, UTC),
}


@pytest.mark.parametrize("text", EDGES)
def test_dates_at_the_edge_of_what_python_holds_are_read(text):
    """Minimum and maximum of .NET, midnight as 24:00, leap seconds."""
    assert read(datetime, text) == EDGES[text]
    assert read(datetime, text).utcoffset() == EDGES[text].utcoffset()
    assert read(list[dict[str, datetime | None]], [{"a": text}]) == [{"a": EDGES[text]}]


@pytest.mark.parametrize(
    "text",
    [
        "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "9999-12-31T24:00:00Z",
        "2024-01-01T24:00:01Z", "2024-01-01T12:00:60Z", "2024-01-01T23:59:61Z",
        "2024-02-30T00:00:00Z", "2024-01-01T00:00:00+25:00", "2024-01-01", "٢٠٢٤-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_a_date_that_python_can_not_hold_is_a_bad_payload(text):
    """With the place where it stands."""
    with pytest.raises(BadPayload, match=r"\$\[0\]"):
        read(list[datetime], [text])


@pytest.mark.parametrize("policy", [{}, {"naive_datetimes": "accept"}])
def test_a_datetime_without_a_zone_stays_without_by_default(policy):
    """It may be a local time, such as when a shop opens."""
    assert read(datetime, "2024-07-01T08:00:00", **policy) == datetime(2024, 7, 1, 8)  # noqa: DTZ001


ZONES = [
    ("UTC", "2024-07-01T08:00:00", "2024-07-01T08:00:00+00:00"),
    ("Europe/Berlin", "2024-07-01T08:00:00", "2024-07-01T08:00:00+02:00"),
    ("Europe/Berlin", "2024-01-01T08:00:00.5", "2024-01-01T08:00:00.500000+01:00"),
    ("Europe/Berlin", "0001-01-01T00:00:00", "0001-01-01T00:00:00+00:53"),
    ("UTC", "9999-12-31T23:59:59.9999999", "9999-12-31T23:59:59.999999+00:00"),
    ("Asia/Tokyo", "2024-01-01T08:00:00Z", "2024-01-01T08:00:00+00:00"),
]


@pytest.mark.parametrize(("zone", "text", "meant"), ZONES)
def test_a_zone_is_assumed_where_the_policy_names_one(zone, text, meant):
    """In fields, keys, lists and optionals; a zone that is written stays."""
    expected = datetime.fromisoformat(meant)

    assert read(datetime, text, naive_datetimes=zone) == expected
    assert read(dict[datetime, int], {text: 1}, naive_datetimes=zone) == {expected: 1}
    (found,) = read(list[datetime | None], [text], naive_datetimes=zone)
    assert found.utcoffset() == expected.utcoffset()


@pytest.mark.parametrize("text", [zone[1] for zone in ZONES[:-1]] + ["2024\\u002d07-01T08:00:00"])
def test_a_datetime_without_a_zone_is_refused_where_the_policy_says_so(text):
    """Escapes hide nothing; the place is named."""
    with pytest.raises(BadPayload, match=r"without a zone - at `\$\[0\]`"):
        read(list[datetime], f'["{text}"]'.encode(), naive_datetimes="refuse")


def test_text_that_looks_like_a_date_is_not_zoned():
    """Only where a datetime is declared."""
    body = {"name": "2024-07-01T08:00:00", "on": "2024-07-01"}

    assert read(dict[str, str], body, naive_datetimes="refuse") == body
    assert read(list[date], ["2024-07-01"], naive_datetimes="refuse") == [date(2024, 7, 1)]


def test_zones_hold_for_later_replies_as_for_the_first():
    """Nothing is sampled there."""
    for _ in range(1500):
        with pytest.raises(BadPayload):
            read(datetime, b'"2024-07-01T08:00:00"', naive_datetimes="refuse")


def epoch(value: object) -> datetime:
    """Read seconds since 1970."""
    if not isinstance(value, int | float):
        raise ValueError("no number")  # noqa: TRY004 - as a decoder says it
    return datetime.fromtimestamp(value, UTC)


def rfc1123(value: object) -> datetime:
    """Read a date as HTTP writes it."""
    return parsedate_to_datetime(str(value))


def microsoft(value: object) -> datetime:
    """Read /Date(1700000000000)/."""
    match = re.fullmatch(r"/Date\((-?\d+)\)/", str(value))
    return datetime.fromtimestamp(int(match[1]) / 1000, UTC)


MOMENT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("decoder", "written"),
    [
        (epoch, 1700000000), (epoch, 1700000000.0), (rfc1123, "Tue, 14 Nov 2023 22:13:20 GMT"),
        (microsoft, "/Date(1700000000000)/"),
    ],
)  # fmt: skip
def test_an_upstreams_decoder_reads_dates_in_its_form(decoder, written):
    """Wherever the type is declared, and beside dates that need no decoder."""
    decoders = {datetime: decoder}

    assert read(datetime, written, decoders=decoders) == MOMENT
    assert read(datetime | None, written, decoders=decoders) == MOMENT
    mixed = [None, written, "2023-11-14T22:13:20Z"]
    assert read(list[datetime | None], mixed, decoders=decoders) == [None, MOMENT, MOMENT]
    assert read(dict[str, tuple[datetime, ...]], {"a": [written]}, decoders=decoders) == {
        "a": (MOMENT,)
    }


def test_policy_holds_for_dates_without_a_zone_that_a_decoder_makes():
    """A decoder that forgets the zone does not get round what the policy says of such dates."""

    def german(value: object) -> datetime:
        return datetime.fromisoformat("-".join(reversed(str(value).split("."))))

    options = {"decoders": {datetime: german}}

    assert read(datetime, "14.11.2023", **options) == german("14.11.2023")
    found = read(datetime, "14.11.2023", naive_datetimes="UTC", **options)
    assert found == datetime(2023, 11, 14, tzinfo=UTC)
    with pytest.raises(BadPayload, match="without a zone"):
        read(datetime, "14.11.2023", naive_datetimes="refuse", **options)


@pytest.mark.parametrize("written", ["soon", 1e300, [], {}, -1e18])
@pytest.mark.parametrize("decoder", [epoch, rfc1123, microsoft])
def test_a_value_that_a_decoder_refuses_is_a_bad_payload(decoder, written):
    """Whatever it raises over a value is the service's fault, with the place."""
    with pytest.raises(BadPayload, match=r"\$\[0\]"):
        read(list[datetime], [written], decoders={datetime: decoder})


def test_a_decoder_makes_types_that_json_does_not_know():
    """Such as addresses; a value that does not fit is reported with its place."""
    decoders = {IPv4Address: lambda value: IPv4Address(str(value))}

    assert read(list[IPv4Address], ["10.0.0.1"], decoders=decoders) == [IPv4Address("10.0.0.1")]
    with pytest.raises(BadPayload, match=r"\$\[0\]"):
        read(list[IPv4Address], ["ten"], decoders=decoders)


@pytest.mark.parametrize("error", [KeyError, OverflowError, AttributeError, OSError, TypeError])
def test_whatever_a_decoder_raises_is_a_bad_payload(error):
    """For a type that JSON does not know as for one that it does."""

    def decode(value: object) -> object:
        raise error(str(value))

    for model in (IPv4Address, datetime):
        with pytest.raises(BadPayload):
            read(list[model], ["x"], decoders={model: decode})


class Color(Enum):
    """What the tests know of colours."""

    RED = "red"


def test_a_decoder_may_stand_for_an_enum():
    """For members that a service spells in its own way."""
    decoders = {Color: lambda value: Color(str(value).lower())}

    assert read(list[Color], ["red", "RED"], decoders=decoders) == [Color.RED, Color.RED]


class Address(pydantic.BaseModel):
    """A model with aliases, a default and a validator."""

    model_config = pydantic.ConfigDict(alias_generator=to_camel)

    street_name: str
    house_number: int = 0

    @pydantic.field_validator("street_name")
    @classmethod
    def trim(cls, value: str) -> str:
        return value.strip()


class StrictOrder(pydantic.BaseModel, strict=True):
    """A model that converts nothing by itself but what JSON can't say."""

    at: datetime
    total: Decimal


class Company(pydantic.BaseModel):
    """Another model."""

    vat: str


@dataclass(frozen=True)
class Customer:
    """A dataclass with a model in it."""

    home: Address
    others: tuple[Address, ...] = ()


@pydantic.dataclasses.dataclass
class Checked:
    """One of pydantic's dataclasses."""

    name: Annotated[str, pydantic.StringConstraints(to_upper=True)] = field(default="")


WALL = {"streetName": " Wall St ", "houseNumber": 1}
HOME = Address(streetName="Wall St", houseNumber=1)


@pytest.mark.parametrize(
    ("model", "body", "value"),
    [
        (Address, WALL, HOME),
        (Address | None, WALL, HOME),
        (Address | None, None, None),
        (list[Address], [WALL], [HOME]),
        (dict[str, Address], {"a": WALL}, {"a": HOME}),
        (tuple[Address, ...], [WALL], (HOME,)),
        (dict[str, list[Address | None]], {"a": [WALL, None]}, {"a": [HOME, None]}),
        (Address | Company, {"vat": "1"}, Company(vat="1")),
        (list[Address | Company], [WALL, {"vat": "1"}], [HOME, Company(vat="1")]),
        (Customer, {"home": WALL, "others": [WALL]}, Customer(HOME, (HOME,))),
        (list[Customer], [{"home": WALL}], [Customer(HOME)]),
        (Checked, {"name": "ada"}, Checked("ADA")),
        (
            StrictOrder,
            b'{"at": "2024-01-01T00:00:00Z", "total": "1.10"}',
            StrictOrder(at=datetime(2024, 1, 1, tzinfo=UTC), total=Decimal("1.10")),
        ),
    ],
    ids=lambda one: str(one)[:30],
)
def test_a_pydantic_model_is_decoded_by_its_validator(model, body, value):
    """Its aliases, defaults and validators hold, however deep it stands in the type."""
    assert read(model, body) == value


@pytest.mark.parametrize(
    ("model", "body", "place"),
    [
        (Address, {"streetName": 7}, "`$.streetName`"),
        (Address, {}, "`$.streetName`"),
        (list[Address], [WALL, {"streetName": "x", "houseNumber": "secret"}], "`$[1].houseNumber`"),
        (Customer, {"home": {"streetName": None}}, "`$.home`"),
    ],
)
def test_a_value_that_a_pydantic_model_refuses_is_a_bad_payload(model, body, place):
    """With the place, and without the value."""
    with pytest.raises(BadPayload) as caught:
        read(model, body)

    assert place in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_pydantic_model_is_read_in_any_charset_and_without_repeated_names():
    """What holds for replies holds for those."""
    options = ReadingOptions()
    body = b"\xff\xfe" + json.dumps(WALL).encode("utf-16-le")

    assert decoding(Address, options).value(Reply(200, (), body), CALL) == HOME
    with pytest.raises(BadPayload, match="two members"):
        read(Address, b'{"streetName": "a", "streetName": "b"}')


class Plain:
    """A class that no library knows how to make of JSON."""


@dataclass
class HoldsPlain:
    """A dataclass with such a field."""

    plain: Plain


@dataclass
class HoldsChecked:
    """A plain dataclass around one of pydantic's, whose validators msgspec would pass over."""

    checked: Checked


@pytest.mark.parametrize(
    "model",
    [Plain, list[Plain], Plain | None, dict[str, tuple[Plain, ...]], HoldsPlain, HoldsChecked],
)
def test_a_type_that_json_does_not_become_is_refused_before_a_call(model):
    """It is the author's mistake, and no service's."""
    with pytest.raises(ConfigurationError, match=r"Plain|Checked"):
        decoding(model)


def test_an_unknown_member_is_not_quoted():
    """What a service wrote is no matter for errors and logs."""
    with pytest.raises(BadPayload, match=r"unknown enum member - at `\$\[0\]`") as caught:
        read(list[Color], ["hunter2"])

    assert "hunter2" not in str(caught.value)


def test_a_reply_too_long_to_be_mended_says_so():
    """Its values would be looked at one by one, which takes the loop's time."""
    body = b"[" + b"1.0," * 300_000 + b"1]"

    with pytest.raises(BadPayload, match="over 1048576 characters are not coerced"):
        read(list[int], body)


class Mixed(msgspec.Struct):
    """All kinds of fields."""

    number: int
    ratio: float | None
    names: dict[str, int]
    at: datetime | None = None
    color: Color = Color.RED
    below: "list[Mixed]" = []
    pair: Pair | None = None
    raw: object = None


MIXED = st.builds(
    Mixed,
    number=st.integers(-(2**80), 2**80),
    ratio=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    names=st.dictionaries(st.text(max_size=4), st.integers(), max_size=3),
    at=st.none() | st.datetimes(timezones=st.just(UTC)),
    below=st.lists(st.builds(Mixed, st.integers(), st.none(), st.just({})), max_size=2),
    pair=st.none() | st.builds(Pair, st.integers(), st.text(max_size=3)),
    raw=st.none()
    | st.text(max_size=4)
    | st.lists(st.floats(allow_nan=False, allow_infinity=False)),
)


@settings(max_examples=150, deadline=None)
@given(MIXED, st.booleans())
def test_fast_and_fallback_decoder_agree(value, is_tolerant):
    """The fallback decoder returns the same values for replies that fit."""
    options = ReadingOptions(is_tolerant=is_tolerant, naive="UTC")
    known = ReplyType(Mixed, options)
    slow = FallbackDecoder(known, options, may_be_empty=False)

    assert slow.read(msgspec.json.encode(value), b"") == value
