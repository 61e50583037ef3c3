"""Replies of real sockets become typed values, however a service writes them."""

import gzip
import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime

import pydantic
import pytest

from bff_core.call import find_header
from bff_core.errors import BadPayload
from bff_core.upstream.decoding import decoding


@dataclass(frozen=True)
class Order:
    """What the tests decode."""

    id: int
    name: str
    at: datetime


class Model(pydantic.BaseModel):
    """The same, as pydantic has it."""

    id: int
    name: str
    at: datetime


TEXT = '{"id": 7.0, "name": "Zoë", "at": "9999-12-31T23:59:59.9999999Z"}'
VALUES = (7, "Zoë", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC))

REPLIES = {
    "a byte order mark": (TEXT.encode("utf-8-sig"), "application/json", None),
    "UTF-16": (TEXT.encode("utf-16"), "application/json", None),
    "UTF-16 that is declared": (
        TEXT.encode("utf-16-be"),
        "application/json;charset=utf-16be",
        None,
    ),
    "UTF-32": (TEXT.encode("utf-32"), "text/json", None),
    "ISO-8859-1": (TEXT.encode("latin-1"), "application/json; charset=ISO-8859-1", None),
    "windows-1252": (TEXT.encode("cp1252"), 'application/json; charset="windows-1252"', None),
    "gzip": (gzip.compress(TEXT.encode("utf-8-sig")), "application/json", "x-gzip, identity"),
    "deflate": (zlib.compress(TEXT.encode("latin-1")), "a/b;charset=latin1", "deflate"),
    "no coding": (TEXT.encode(), "application/json", "utf-8"),
}


async def received(kit, connected, response):
    """Return the reply to a call."""
    async with kit.Service(kit.answering(response)) as service, connected(service) as connector:
        return await connector.send(kit.calling())


@pytest.mark.parametrize("model", [Order, Model, Order | None, Model | None])
@pytest.mark.parametrize("how", REPLIES)
async def test_a_reply_becomes_a_typed_value(kit, connected, how, model):
    """Whatever the charset, the coding and the form of numbers and dates."""
    body, content_type, coding = REPLIES[how]
    fields = [f"Content-Type: {content_type}"] + [f"Content-Encoding: {coding}"] * bool(coding)

    reply = await received(kit, connected, kit.http(body, *fields))
    value = decoding(model).value(reply, kit.calling())

    assert find_header(reply.headers, b"content-type") == content_type.encode()
    assert (value.id, value.name, value.at) == VALUES


@pytest.mark.parametrize(
    "body",
    [
        TEXT.replace("7.0", "7.5").encode(),
        TEXT.replace('"id"', '"id": 1, "i\\u0064"').encode(),
        TEXT.encode("latin-1"),
        TEXT.encode("utf-8-sig")[:-1],
    ],
)
async def test_a_reply_that_does_not_fit_names_its_type_and_status(kit, connected, body):
    """What a log needs to tell a wrong answer from a wrong address."""
    response = kit.http(body, "Content-Type: application/json")
    reply = await received(kit, connected, response)

    with pytest.raises(BadPayload, match=r"\(status 200, Content-Type application/json") as caught:
        decoding(Order).value(reply, kit.calling())

    assert caught.value.reply is reply


async def test_a_large_reply_of_another_charset_is_read(kit, connected):
    """Of some megabytes, in many segments."""
    body = json.dumps(["é" * 50] * 20_000, ensure_ascii=False).encode("cp1252")
    response = kit.http(body, "Content-Type: application/json; charset=windows-1252")
    reply = await received(kit, connected, response)

    assert decoding(list[str]).value(reply, kit.calling()) == ["é" * 50] * 20_000
