"""Headers of calls: those of a call replace the class's, which replace the framework's."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar
from uuid import UUID

import pytest

from bff_core import ConfigurationError, InvalidInput, Scope, Upstream
from bff_core.events import Events
from bff_core.testing.scripted import Scripted, reply


@dataclass
class Patch:
    """A body."""

    note: str


class Carts(Upstream):
    """A service without headers of its own."""

    async def read(self, **headers):
        return await self.get("/c", None, headers=headers)

    async def change(self, **headers):
        return await self.patch("/c", None, json=Patch("a"), headers=headers)

    async def events(self, **options):
        return [event async for event in self.sse("/c", **options)]

    async def lines(self, **options):
        return [line async for line in self.ndjson("/c", str, **options)]


class Versioned(Carts):
    """A service that wants headers with every call."""

    headers: ClassVar = {
        "X-Api-Version": 3,
        "Accept": "application/vnd.api+json",
        "User-Agent": "shop/1",
    }


async def sent(kind, call, *, keyed=False):
    """Return the headers of a call, in wire order."""
    script = Scripted(reply(204))
    stack = SimpleNamespace(policy=kind.policy, handler=script, events=Events(), steering=None)
    client = kind(stack, clock=lambda: 0.0)
    if keyed:
        client = client.bind(Scope(deadline=10.0, idempotency_key="a-key"))
    await call(client)
    return [(name.decode(), value.decode("latin-1")) for name, value in script.calls[0].headers]


JSON = "application/json"


@pytest.mark.parametrize("name", ["content-type", "Content-Type", "CONTENT-TYPE"])
async def test_content_type_of_a_call_replaces_ours(name):
    """A merge patch has one Content-Type, whatever the case of its name."""
    merge = "application/merge-patch+json"

    headers = await sent(Carts, lambda carts: carts.change(**{name: merge}))

    assert headers == [("accept", JSON), ("content-type", merge)]


@pytest.mark.parametrize("name", ["accept", "Accept"])
async def test_accept_of_a_call_replaces_ours(name):
    """A call accepts the type that it names, and no other."""
    headers = await sent(Carts, lambda carts: carts.change(**{name: "text/plain"}))

    assert headers == [("content-type", JSON), ("accept", "text/plain")]


async def test_names_that_differ_in_case_are_one_header():
    """The last of them is sent."""
    headers = await sent(Carts, lambda carts: carts.read(**{"X-A": "1", "x-a": "2"}))

    assert headers == [("accept", JSON), ("x-a", "2")]


async def test_key_of_a_call_replaces_the_derived_one():
    """A method may choose the Idempotency-Key."""
    headers = await sent(
        Carts, lambda carts: carts.change(**{"Idempotency-Key": "mine"}), keyed=True
    )

    assert [value for name, value in headers if name == "idempotency-key"] == ["mine"]


async def test_class_has_headers_for_every_call():
    """They are sent with each verb; a class that inherits may replace them."""

    class Newer(Versioned):
        headers: ClassVar = {**Versioned.headers, "x-api-version": 4}

    read = await sent(Versioned, lambda carts: carts.read())
    change = await sent(Newer, lambda carts: carts.change())

    assert read == [
        ("x-api-version", "3"),
        ("accept", "application/vnd.api+json"),
        ("user-agent", "shop/1"),
    ]
    assert dict(change)["x-api-version"] == "4"
    assert dict(change)["content-type"] == JSON


async def test_call_replaces_a_header_of_its_class():
    """The most particular word counts; None leaves it to the class."""
    headers = await sent(
        Versioned, lambda carts: carts.read(**{"x-api-version": 5, "user-agent": None})
    )

    assert sorted(headers) == [
        ("accept", "application/vnd.api+json"),
        ("user-agent", "shop/1"),
        ("x-api-version", "5"),
    ]


async def test_forms_and_files_have_their_own_content_type():
    """A class may say what its JSON is called; a form and a file are what they are."""

    class Api(Carts):
        headers: ClassVar = {"Content-Type": "application/vnd.api+json"}

    json = dict(await sent(Api, lambda carts: carts.change()))
    form = dict(await sent(Api, lambda carts: carts.post("/c", None, form={"a": 1})))
    own = dict(
        await sent(
            Api, lambda carts: carts.post("/c", None, content=b"", headers={"Content-type": "a/b"})
        )
    )

    assert json["content-type"] == "application/vnd.api+json"
    assert form["content-type"] == "application/x-www-form-urlencoded"
    assert own["content-type"] == "a/b"


async def test_streams_have_the_headers_of_the_class_and_their_own_accept():
    """A stream accepts its own type, whatever the class accepts; the call may say otherwise."""
    events = dict(await sent(Versioned, lambda carts: _failing(carts.events())))
    lines = dict(await sent(Versioned, lambda carts: carts.lines(headers={"ACCEPT": "a/b"})))

    assert (events["accept"], events["x-api-version"]) == ("text/event-stream", "3")
    assert (lines["accept"], lines["x-api-version"]) == ("a/b", "3")


async def _failing(events):
    await events


async def test_request_has_the_headers_of_the_class():
    """The verb for any call leaves nothing out."""
    headers = await sent(Versioned, lambda carts: carts.request("OPTIONS", "/c"))

    assert dict(headers)["x-api-version"] == "3"


async def test_values_of_headers_are_those_of_queries():
    """Numbers, UUIDs and flags have their usual text; None leaves a header out."""
    given = {"x-a": UUID(int=1), "x-b": True, "x-c": None, "x-d": 7, "x-e": " b ", "x-f": "é"}

    headers = await sent(Carts, lambda carts: carts.read(**given))

    assert headers[1:] == [
        ("x-a", str(UUID(int=1))),
        ("x-b", "true"),
        ("x-d", "7"),
        ("x-e", "b"),
        ("x-f", "é"),
    ]


@pytest.mark.parametrize("value", [b"a", ["a"], object()])
async def test_header_value_without_a_text_is_refused_by_name(value):
    """Several values of one header are a text that the author joins."""
    with pytest.raises(TypeError, match="carts: GET /c: header 'x-a' is of type"):
        await sent(Carts, lambda carts: carts.read(**{"x-a": value}))


UNSENDABLE = ["a\r\nHost: evil", "a\nb", "a\rb", "a\0b", "\x7f", "\x01", "ключ", "\ud83d", "👍"]


@pytest.mark.parametrize("value", UNSENDABLE)
async def test_text_that_no_header_can_carry_is_the_clients_mistake(value):
    """A client's text ends in a 422 that names the header; nothing is sent."""
    with pytest.raises(InvalidInput, match="header 'X-Note'") as caught:
        await sent(Carts, lambda carts: carts.read(**{"X-Note": value}))
    assert caught.value.status == 422


@pytest.mark.parametrize("value", UNSENDABLE)
async def test_last_event_id_that_no_header_can_carry_is_the_clients_mistake(value):
    """The id of the last event comes from a client, too."""
    with pytest.raises(InvalidInput, match="header 'last-event-id'"):
        await sent(Carts, lambda carts: carts.events(last_event_id=value))


FRAMING = [
    "Host",
    "content-length",
    "Transfer-Encoding",
    "connection",
    "te",
    "upgrade",
    "expect",
    "traceparent",
    "request-timeout",
]


@pytest.mark.parametrize("name", FRAMING)
async def test_header_that_frames_a_request_can_not_be_set(name):
    """Two lengths, or two hosts, would be two requests to a proxy on the way."""
    with pytest.raises(ConfigurationError, match=f"header '{name}' follows from the call"):
        await sent(Carts, lambda carts: carts.read(**{name: "1"}))


@pytest.mark.parametrize("name", ["", "a b", "a:b", "é", "a\r\nb"])
async def test_name_of_a_header_is_a_token(name):
    """A name that no header can have is a mistake in the code."""
    with pytest.raises(ConfigurationError, match="not a header name"):
        await sent(Carts, lambda carts: carts.read(**{name: "1"}))


@pytest.mark.parametrize(
    ("headers", "fault"),
    [
        ({"x-a": "a\nb"}, "can't hold line breaks"),
        ({"x-a": b"a"}, "is of type bytes"),
        ({"host": "a"}, "can't be set"),
        ({"a b": "a"}, "not a header name"),
        (["x-a"], "must be a mapping"),
        (lambda self: {}, "must be a mapping"),
    ],
)
def test_wrong_headers_of_a_class_are_refused_when_it_is_made(headers, fault):
    """The error names the class, and comes before any request."""
    with pytest.raises(ConfigurationError, match=rf"Broken\.headers.*{fault}"):
        type("Broken", (Upstream,), {"headers": headers})
