"""Values that a call may pass: each type has one text, and other types are refused by name."""

import enum
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from http import HTTPStatus
from types import SimpleNamespace
from urllib.parse import parse_qsl, quote
from uuid import UUID

import msgspec
import pytest

from bff_core import InvalidInput, Upstream
from bff_core.events import Events
from bff_core.testing.scripted import Scripted, reply
from bff_core.upstream.request_target import encode_query, template


class Status(enum.StrEnum):
    """An enum of text."""

    SHIPPED = "shipped"


class Sort(str, enum.Enum):  # noqa: UP042 # its str() is the member's name, unlike a StrEnum's
    """The older spelling of the same."""

    NEWEST = "-placed_at"


class Level(enum.IntEnum):
    """An enum of numbers."""

    HIGH = 3


class Plain(enum.Enum):
    """Enums of other values."""

    ID = UUID(int=7)
    OPEN = True
    PAIR = (1, 2)


class Access(enum.IntFlag):
    """Flags that can be combined."""

    READ = 1
    WRITE = 2


class Loud(str):
    """Text whose `str()` is another text."""

    __slots__ = ()

    def __str__(self):
        return "LOUD"


TEXTS = [
    ("a b", "a b"),
    ("", ""),
    (Loud("quiet"), "quiet"),
    (7, "7"),
    (-0, "0"),
    (True, "true"),
    (False, "false"),
    (1.5, "1.5"),
    (1e16, "1e+16"),
    (Status.SHIPPED, "shipped"),
    (Sort.NEWEST, "-placed_at"),
    (Level.HIGH, "3"),
    (Plain.ID, "00000000-0000-0000-0000-000000000007"),
    (Plain.OPEN, "true"),
    (Access.READ | Access.WRITE, "3"),
    (HTTPStatus.NOT_FOUND, "404"),
    (UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), "6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
    (date(2026, 2, 3), "2026-02-03"),
    (datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC), "2026-02-03T04:05:06Z"),
    (datetime(2026, 2, 3, 4, 5, 6, 70, tzinfo=UTC), "2026-02-03T04:05:06.000070Z"),
    (
        datetime(2026, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        "2026-02-03T04:05:06+05:30",
    ),
    (datetime(2026, 2, 3, 4, 5, 6), "2026-02-03T04:05:06"),  # noqa: DTZ001 # a local time
    (time(4, 5), "04:05:00"),
    (timedelta(seconds=90), "PT90S"),
    (Decimal("10.50"), "10.50"),
    (Decimal("1E+2"), "100"),
    (Decimal("1E-7"), "0.0000001"),
    (Decimal("1E+999999"), "1E+999999"),
]


@pytest.mark.parametrize(("value", "text"), TEXTS)
def test_value_has_one_text_in_a_query(value, text):
    """Enums pass their value, dates their ISO form, flags true or false."""
    assert parse_qsl(encode_query({"x": value})[1:], keep_blank_values=True) == [("x", text)]


@pytest.mark.parametrize(("value", "text"), [row for row in TEXTS if row[1]])
def test_value_has_the_same_text_in_a_path(value, text):
    """A path parameter is written as a query parameter is."""
    assert template("/a/{x}").fill({"x": value}) == f"/a/{quote(text, safe='')}"


@pytest.mark.parametrize(
    "value",
    [
        Status.SHIPPED,
        Sort.NEWEST,
        Level.HIGH,
        Plain.ID,
        date(2026, 2, 3),
        datetime(2026, 2, 3, 4, 5, 6, 70, tzinfo=UTC),
        datetime(2026, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=-3))),
        time(4, 5),
        timedelta(days=1, seconds=90),
        Decimal("10.50"),
    ],
)
def test_text_is_the_one_that_a_json_body_holds(value):
    """One value looks the same wherever a call passes it."""
    written = msgspec.json.decode(msgspec.json.encode(value))

    assert dict(parse_qsl(encode_query({"x": value})[1:])) == {"x": str(written)}


@pytest.mark.parametrize(
    ("value", "query"),
    [
        ([1, 2], "?x=1&x=2"),
        (("a", Status.SHIPPED), "?x=a&x=shipped"),
        ({3, 1, 2}, "?x=1&x=2&x=3"),
        (frozenset({"b", "a"}), "?x=a&x=b"),
        ([date(2026, 1, 2), True], "?x=2026-01-02&x=true"),
        ([], ""),
        (set(), ""),
        (None, ""),
    ],
)
def test_list_repeats_the_name(value, query):
    """Lists, tuples and sets are repeated keys; a set is sorted, so that equal calls coalesce."""
    assert encode_query({"x": value}) == query


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), float("-inf"), Decimal("NaN"), Decimal("-Infinity")]
)
def test_number_that_is_none_is_the_clients_mistake(value):
    """FastAPI lets `NaN` pass as a float; a service would not know what it means."""
    with pytest.raises(InvalidInput, match="'x' is not a finite number"):
        encode_query({"x": value})
    with pytest.raises(InvalidInput, match="'x' is not a finite number"):
        template("/a/{x}").fill({"x": value})


UNSUPPORTED = [
    (b"ab", "of type bytes"),
    (bytearray(b"ab"), "of type bytearray"),
    (object(), "of type object"),
    ({"a": 1}, "of type dict"),
    (1j, "of type complex"),
    (Plain.PAIR, "of type Plain"),
    (iter("ab"), "of type str_ascii_iterator"),
]


class Shop(Upstream):
    """A service that takes any value."""

    async def find(self, value):
        return await self.get("/things", None, query={"x": value})

    async def one(self, value):
        return await self.get("/things/{x}", None, x=value)


def shop(script):
    """Return a client whose stack is nothing but a script."""
    return Shop(SimpleNamespace(policy=Shop.policy, handler=script, events=Events(), steering=None))


@pytest.mark.parametrize(("value", "kind"), UNSUPPORTED)
async def test_value_without_a_text_is_refused_by_name(value, kind):
    """The error names the service, the call, the parameter, its type and what is accepted."""
    script = Scripted(reply(204))

    with pytest.raises(TypeError, match=f"shop: GET /things: query parameter 'x' is {kind}: pass"):
        await shop(script).find(value)
    with pytest.raises(TypeError, match=f"shop: GET /things/{{x}}: path parameter 'x' is {kind}"):
        await shop(script).one(value)
    assert script.calls == []


@pytest.mark.parametrize("value", [["a", None], [["a"]], [b"a"], [{1, 2}]])
async def test_list_holds_single_values(value):
    """A list within a list, or None within one, has no obvious text."""
    with pytest.raises(TypeError, match="query parameter 'x' is"):
        await shop(Scripted(reply(204))).find(value)


@pytest.mark.parametrize("value", [None, ["a"], {"a"}])
async def test_path_parameter_is_one_value(value):
    """A path can't leave a parameter out, nor repeat it."""
    with pytest.raises(TypeError, match="path parameter 'x' is"):
        await shop(Scripted(reply(204))).one(value)
