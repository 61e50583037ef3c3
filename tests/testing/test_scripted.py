"""The scripted upstream that users test their own layers and services with."""

import asyncio
from dataclasses import dataclass
from datetime import date

import msgspec
import pydantic
import pytest

from bff_core.errors import BadPayload, TransportFailed
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, ScriptedTransport, fail, fail_with, hang, reply
from bff_core.upstream.transport.interface import Endpoint
from tests.streamed import opened

pytestmark = pytest.mark.virtual_time


async def test_steps_are_taken_in_order_and_the_last_one_repeats() -> None:
    """A script of two steps answers a third call like the second."""
    bench, upstream = LayerRuntime(), Scripted(reply(503), reply(200))

    statuses = [(await upstream(bench.call(f"/{number}"))).status for number in range(3)]

    assert statuses == [503, 200, 200]
    assert [call.target for call in upstream.calls] == ["/0", "/1", "/2"]


async def test_a_body_that_is_not_bytes_is_sent_as_json() -> None:
    """Headers are sent in lower case, as on the wire."""
    upstream = Scripted(reply(200, {"name": "Ann"}, headers={"ETag": '"1"'}))

    received = await upstream(LayerRuntime().call())

    assert received.body == b'{"name": "Ann"}'
    assert received.header("content-type") == "application/json"
    assert received.header("etag") == '"1"'


class _Struct(msgspec.Struct, rename="camel"):
    """A reply of a service, as a Struct."""

    first_name: str


class _Model(pydantic.BaseModel):
    """A reply of a service, as a model of pydantic."""

    first_name: str = pydantic.Field(serialization_alias="firstName")


@dataclass
class _Plain:
    """A reply of a service, as a dataclass."""

    firstName: str  # noqa: N815 # the name in JSON
    born: date = date(2001, 2, 3)


@pytest.mark.parametrize("body", [_Struct("Ann"), _Model(first_name="Ann")])
async def test_typed_bodies_encode_themselves(body) -> None:
    """Alone, and within lists and dictionaries."""
    script = Scripted(reply(200, body), reply(200, {"all": [body]}))

    alone, within = [await script(LayerRuntime().call()) for _ in range(2)]

    assert alone.body == b'{"firstName": "Ann"}'
    assert within.body == b'{"all": [{"firstName": "Ann"}]}'


async def test_dates_and_the_like_are_texts() -> None:
    """As msgspec writes them; a media type of one's own replaces that of JSON."""
    kind = {"content-type": "application/vnd.shop+json"}

    received = await Scripted(reply(200, _Plain("Ann"), headers=kind))(LayerRuntime().call())

    assert received.body == b'{"firstName": "Ann", "born": "2001-02-03"}'
    assert received.headers == ((b"content-type", b"application/vnd.shop+json"),)


async def test_replies_and_failures_can_be_delayed() -> None:
    """Latency is exact in virtual time."""
    bench, upstream = LayerRuntime(), Scripted(reply(after=0.25), fail(is_sent=False, after=0.5))
    began = bench.now
    await upstream(bench.call())

    with pytest.raises(TransportFailed) as caught:
        await upstream(bench.call())

    assert not caught.value.is_sent
    assert bench.now - began == pytest.approx(0.75)


async def test_it_counts_calls_in_flight_and_cancelled_ones() -> None:
    """Tests can check that abandoned work was really stopped."""
    bench, upstream = LayerRuntime(), Scripted(hang())
    task = asyncio.create_task(upstream(bench.call()))
    await asyncio.sleep(1)
    during = repr(upstream)

    task.cancel()
    await asyncio.wait([task])

    assert during == "scripted   1 calls, 1 in flight"
    assert (upstream.in_flight, upstream.cancelled) == (0, 1)


async def test_any_error_can_be_scripted_and_the_script_changed() -> None:
    """The error is made for each call."""
    bench = LayerRuntime()
    upstream = Scripted(fail_with(lambda call: BadPayload("garbage", call=call)))
    with pytest.raises(BadPayload, match=r"users: GET /users/\{id\}: garbage"):
        await upstream(bench.call())

    upstream.then(reply(204))

    assert (await upstream(bench.call())).status == 204


async def test_a_transport_has_a_script_per_address() -> None:
    """An address without one refuses connections; closing is recorded."""
    bench, transport = (
        LayerRuntime(),
        ScriptedTransport({"10.0.0.1": Scripted(reply(200, b"rows"))}),
    )
    known, unknown = (
        transport.connect(Endpoint("http", "users", 80, address))
        for address in ("10.0.0.1", "10.0.0.2")
    )

    async with opened(known.send, bench.call()) as stream:
        received = stream.status, [chunk async for chunk in stream]
    with pytest.raises(TransportFailed):
        await unknown.send(bench.call())
    await known.aclose()

    assert received == (200, [b"rows"])
    assert (known.load.active, transport.closed) == (0, ["10.0.0.1"])
