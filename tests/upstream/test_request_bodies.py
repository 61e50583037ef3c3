"""Bodies that a call may send: JSON, forms, files, bytes and streams."""

import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from email import message_from_bytes
from types import SimpleNamespace
from urllib.parse import parse_qsl

import msgspec
import pytest
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from bff_core import FilePart, InvalidInput, StreamedBody, Upstream
from bff_core.events import Events
from bff_core.testing.scripted import Scripted, reply


class Shop(Upstream):
    """A service that takes any body."""

    async def send(self, **body):
        return await self.post("/things", None, **body)

    async def replace(self, **body):
        return await self.put("/things", None, **body)

    async def change(self, **body):
        return await self.patch("/things", None, **body)


async def sent(verb="send", **body):
    """Return the call that carries a body, and its Content-Type."""
    script = Scripted(reply(204))
    shop = Shop(SimpleNamespace(policy=Shop.policy, handler=script, events=Events(), steering=None))
    await getattr(shop, verb)(**body)
    [call] = script.calls
    return call, dict(call.headers).get(b"content-type", b"").decode()


async def whole(body):
    """Read a body to its end."""
    return body if isinstance(body, bytes) else b"".join([piece async for piece in body.open()])


async def pieces(*given):
    """Yield pieces, as a file or a request does."""
    for piece in given:
        yield piece


def parts(kind, body):
    """Parse a multipart body as a service does."""
    message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    return [
        (
            part.get_param("name", header="content-disposition"),
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in message.get_payload()
    ]


@pytest.mark.parametrize("verb", ["send", "replace", "change"])
async def test_form_is_encoded_as_browsers_do(verb):
    """Fields take the values of queries: lists repeat the name, None leaves one out."""
    form = {"a": "x y&z", "n": 1, "d": date(2026, 1, 2), "t": ["b", "ä"], "no": None}

    call, kind = await sent(verb, form=form)

    assert kind == "application/x-www-form-urlencoded"
    assert call.body == b"a=x+y%26z&n=1&d=2026-01-02&t=b&t=%C3%A4"
    assert parse_qsl(call.body.decode())[-1] == ("t", "ä")


async def test_empty_form_is_a_form():
    """A form without fields still says what it is."""
    call, kind = await sent(form={})

    assert (call.body, kind) == (b"", "application/x-www-form-urlencoded")


async def test_files_go_with_their_fields():
    """Each file has its name and type; several may share a field."""
    files = {
        "photo": FilePart("a.jpg", b"\xff\xd8\r\n--", "image/jpeg"),
        "extra": [FilePart("ä.txt", b"one", "text/plain"), FilePart("b", b"")],
    }

    call, kind = await sent(form={"title": "Ünder", "tag": ["x", "y"]}, files=files)

    assert kind.startswith("multipart/form-data; boundary=")
    assert b'filename="\xc3\xa4.txt"' in call.body
    found = parts(kind, call.body)
    assert [(one[0], one[2], one[3]) for one in found] == [
        ("title", "text/plain", "Ünder".encode()),
        ("tag", "text/plain", b"x"),
        ("tag", "text/plain", b"y"),
        ("photo", "image/jpeg", b"\xff\xd8\r\n--"),
        ("extra", "text/plain", b"one"),
        ("extra", "application/octet-stream", b""),
    ]
    assert [one[1] for one in found][3] == "a.jpg"


async def test_name_of_a_file_can_not_forge_a_header():
    """Quotes and line ends of a client's file name are escaped as browsers escape them."""
    name = 'a"\r\nContent-Type: text/html\r\n\r\n'

    call, _ = await sent(files={'f"\n': FilePart(name, b"x")})

    head = call.body.partition(b"\r\n\r\n")[0]
    assert head.count(b"\r\n") == 2
    assert b'name="f%22%0A"; filename="a%22%0D%0AContent-Type: text/html%0D%0A%0D%0A"' in head


@pytest.mark.parametrize("kind", ["image/png\r\nx: y", "image", "", "a b/c", "image/ü"])
async def test_type_of_a_file_is_a_media_type(kind):
    """The type may come from a client's upload."""
    with pytest.raises(InvalidInput, match="the type of file 'f' is not a media type"):
        await sent(files={"f": FilePart("a", b"", kind)})


async def test_streamed_file_makes_a_streamed_body():
    """Nothing is collected; the length is known where that of each file is."""
    known = StreamedBody(pieces(b"ab", b"c"), 3)

    call, kind = await sent(files={"f": FilePart("a", known), "g": FilePart("b", b"d")})
    other, _ = await sent(files={"f": FilePart("a", pieces(b"ab"))})

    body = await whole(call.body)
    assert call.body.length == len(body)
    assert [one[3] for one in parts(kind, body)] == [b"abc", b"d"]
    assert other.body.length is None


async def test_streamed_files_can_be_sent_again_if_each_can():
    """A function makes a new iterator for each attempt; an iterator is read once."""
    again, _ = await sent(files={"f": FilePart("a", lambda: pieces(b"ab"))})
    once, _ = await sent(
        files={"f": FilePart("a", lambda: pieces(b"ab")), "g": FilePart("b", pieces(b"c"))}
    )

    first, second = await whole(again.body), await whole(again.body)
    await whole(once.body)
    assert first == second
    assert (again.can_be_sent_again, once.can_be_sent_again) == (True, False)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"abc", b"abc"),
        (b"", b""),
        (lambda: pieces(b"a", b"", b"bc"), b"abc"),
        (StreamedBody(lambda: pieces(b"abc"), 3), b"abc"),
    ],
)
async def test_content_is_sent_as_it_is(content, expected):
    """Bytes and streams are octets unless the call says what they are."""
    call, kind = await sent(content=content)
    _, own = await sent(content=content, headers={"Content-Type": "text/csv"})

    assert (await whole(call.body), kind, own) == (
        expected,
        "application/octet-stream",
        "text/csv",
    )


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"content": "text"}, "content is of type str: pass bytes"),
        ({"content": bytearray(b"a")}, "content is of type bytearray"),
        ({"content": ["a"]}, "is of type list: pass an async iterator"),
        ({"content": b"", "form": {}}, "content= is the whole body"),
        ({"content": b"", "files": {}}, "content= is the whole body"),
        ({"json": 1, "form": {}}, "json= is the whole body"),
        ({"json": 1, "content": b""}, "json= is the whole body"),
        ({"form": {"a": b"b"}}, "form field 'a' is of type bytes"),
        ({"files": {"a": b"b"}}, "file 'a' is of type bytes: pass FilePart"),
        ({"files": {"a": ("n", b"b")}}, "file 'a' is of type str: pass FilePart"),
        ({"files": {}, "headers": {"Content-type": "a/b"}}, "files= sets the Content-Type"),
    ],
)
async def test_body_that_can_not_be_meant_is_refused_by_name(body, fault):
    """The error says what to pass."""
    with pytest.raises(TypeError, match=f"shop: POST /things: .*{fault}"):
        await sent(**body)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"json": {"note": "a\ud83d"}}, "at /note"),
        ({"json": {"lines": [{"n": "a"}, {"n": "\udc00"}]}}, "at /lines/1/n"),
        ({"json": {"a/b": {"~": "\ud83d"}}}, "at /a~1b/~0"),
        ({"json": "\ud83d"}, "at /"),
        ({"json": {"a": {"\ud83d": 1}}}, "at /a"),
        ({"form": {"note": "\ud83d"}}, "form field 'note' holds half"),
        ({"form": {"note": "\ud83d"}, "files": {}}, "form field 'note' holds half"),
        ({"form": {"\ud83d": "a"}, "files": {}}, "the name of a form field or file holds half"),
        ({"files": {"f": FilePart("\ud83d", b"")}}, "the name of a form field or file holds half"),
    ],
)
async def test_half_a_surrogate_pair_in_a_body_is_the_clients_mistake(body, place):
    """What JavaScript makes of half an emoji is a 422 that says where it stands."""
    with pytest.raises(InvalidInput, match=f"{place}") as caught:
        await sent(**body)
    assert caught.value.status == 422
    assert str(caught.value).isascii()


@dataclass
class Line:
    """A line of an order."""

    quantity: float
    note: str | None = None


class Struct(msgspec.Struct):
    """The same, of msgspec's kind."""

    quantity: float
    price: Decimal = Decimal(1)
    large: int = 2**70


class Model(BaseModel):
    """The same, of pydantic's kind."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    unit_price: float
    sold_on: date = date(2026, 1, 2)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("make", "place"),
    [
        (lambda x: {"quantity": x}, "/quantity"),
        (lambda x: [None, 1.0, x], "/2"),
        (lambda x: [Line(1.0), Line(x)], "/1/quantity"),
        (Struct, "/quantity"),
        (lambda x: Model(unit_price=x), "/unitPrice"),
        (lambda x: x, "/"),
    ],
)
async def test_number_that_is_none_is_not_sent_as_null(make, place, number):
    """A service would take NaN for a value that was left out."""
    with pytest.raises(InvalidInput, match=f"a number that is not finite at {place}$"):
        await sent(json=make(number))


@pytest.mark.parametrize(
    "value",
    [None, [None, 1.5], {"note": "null"}, Line(1.5), Struct(2.5), msgspec.Raw(b"null"), 1e308],
)
async def test_null_is_sent_where_it_was_meant(value):
    """A value without such a number is sent as msgspec writes it."""
    call, kind = await sent(json=value)

    assert (call.body, kind) == (msgspec.json.encode(value), "application/json")


async def test_pydantic_models_are_sent_by_their_aliases():
    """A model, wherever it stands in the body, is written as FastAPI writes it."""
    call, _ = await sent(json={"lines": [Model(unit_price=1.5)]})

    assert call.body == b'{"lines":[{"unitPrice":1.5,"soldOn":"2026-01-02"}]}'


async def test_body_without_a_json_form_is_a_mistake_in_the_code():
    """Its type is named."""
    with pytest.raises(TypeError, match="json= holds a value of type object"):
        await sent(json={"a": object()})


async def test_streamed_body_needs_a_method_that_changes_something():
    """Reads are coalesced and cached by their bodies."""
    shop = Shop(
        SimpleNamespace(policy=Shop.policy, handler=Scripted(), events=Events(), steering=None)
    )

    with pytest.raises(TypeError, match="a GET can't have a streamed body"):
        await shop.request("GET", "/things", body=pieces(b"a"))


async def test_body_is_closed_where_reading_ends_early():
    """A file behind it does not stay open."""
    closed = []

    async def source():
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append(True)

    body = StreamedBody(source()).open()
    await anext(body)
    await body.aclose()

    assert closed == [True]


@pytest.mark.parametrize(
    ("given", "length", "fault"),
    [
        ((b"ab",), 3, "less than the 3 bytes"),
        ((), 1, "less than the 1 bytes"),
        ((b"ab", b"cd"), 3, "more than the 3 bytes"),
    ],
)
async def test_body_of_another_length_is_a_mistake(given, length, fault):
    """What was announced must come, or the service takes the next request for the rest."""
    with pytest.raises(ValueError, match=fault):
        await whole(StreamedBody(pieces(*given), length))


async def test_pieces_are_bytes():
    """Text has no encoding yet."""
    with pytest.raises(TypeError, match="a piece of a body is of type str"):
        await whole(StreamedBody(pieces("a")))


async def test_body_that_was_read_is_not_read_again():
    """A second reading would send an empty body."""
    body = StreamedBody(pieces(b"a"))
    await whole(body)

    with pytest.raises(RuntimeError, match="can be read once"):
        await whole(body)
