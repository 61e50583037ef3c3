"""`forwarded_request` and `ForwardedResponse`: what passes between a client and a service."""

import asyncio

import pytest
from fastapi import Request

from bff_core import ForwardedResponse, Scope, forwarded_request
from bff_core.call import Reply
from bff_core.errors import InvalidInput
from bff_core.http_exchange.request_context import SCOPE
from bff_core.reply_stream import ReplyStream
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import stream

pytestmark = pytest.mark.virtual_time


def asgi(method: str = "GET", spec: str = "2.4", scope: Scope | None = None, **headers: str):
    """Return an ASGI scope; names of headers are written with underscores."""
    fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": spec},
        "method": method,
        "path": "/a",
        "raw_path": b"/a",
        "query_string": b"",
        "headers": fields,
    } | ({SCOPE: scope} if scope is not None else {})


async def test_a_body_that_was_read_is_not_forwarded() -> None:
    """The client would get an answer that breaks off."""
    reply = await stream(b"one", b"two")(LayerRuntime("files").call())
    async for _ in reply:
        break

    with pytest.raises(RuntimeError, match="the body of this reply was read"):
        ForwardedResponse(reply, Request(asgi()))


@pytest.mark.parametrize("spec", ["2.3", "2.4"])
async def test_both_bodies_pass_whole_at_once(spec: str) -> None:
    """With a server of ASGI 2.3, the answer listens for a disconnect; the upload loses nothing."""
    pieces = [b"%d" % number for number in range(8)]
    waiting = list(pieces)

    async def receive():
        await asyncio.sleep(0.1)
        if not waiting:
            await asyncio.Event().wait()
        piece = waiting.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(waiting)}

    async def down():
        for _ in range(40):
            await asyncio.sleep(0.05)
            yield b"x"

    async def send(message) -> None:
        sent.append(message)

    sent: list[dict[str, object]] = []
    scope = asgi("POST", spec, transfer_encoding="chunked")
    request = Request(scope, receive)
    uploaded = forwarded_request(request, audience=None)
    response = ForwardedResponse(Reply(200, (), ReplyStream(down())), request)
    answering = asyncio.create_task(response(scope, receive, send))
    received = [piece async for piece in uploaded.body.open()]
    await answering

    assert received == pieces
    assert b"".join(message.get("body", b"") for message in sent) == b"x" * 40


async def test_a_client_that_leaves_after_its_upload_ends_the_answer() -> None:
    """With a server of ASGI 2.3, which does not cancel the request."""
    messages = [
        {"type": "http.request", "body": b"all", "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def receive():
        await asyncio.sleep(0.1)
        return messages.pop(0)

    async def endless():
        while True:
            await asyncio.sleep(1)
            yield b"x"

    async def send(message) -> None:
        pass

    scope = asgi("POST", "2.3", content_length="3")
    request = Request(scope, receive)
    uploaded = forwarded_request(request, audience=None)
    body = ReplyStream(endless())
    answering = asyncio.create_task(
        ForwardedResponse(Reply(200, (), body), request)(scope, receive, send)
    )
    assert [piece async for piece in uploaded.body.open()] == [b"all"]
    await asyncio.wait_for(answering, 5)

    assert body.is_over


@pytest.mark.parametrize("with_credentials", [False, True])
@pytest.mark.parametrize(
    "name",
    [
        *("authorization", "cookie", "proxy-authorization", "dpop", "x-api-key", "x-shop-key"),
        *("client-cert", "client-cert-chain", "x-forwarded-client-cert"),
    ],
)
def test_credentials_stay_at_the_gateway(name: str, with_credentials: bool) -> None:
    """Those that are known, and those that the gateway's authenticator has read."""
    scope = Scope(deadline=1.0, credential_fields=frozenset({b"x-shop-key"}))
    request = Request(asgi(scope=scope, **{name.replace("-", "_"): "secret", "x_one": "1"}))

    forwarded = forwarded_request(request, audience=None, with_credentials=with_credentials)

    names = {field for field, _ in forwarded.headers}
    assert names == {b"x-one"} | ({name.encode()} if with_credentials else set())


@pytest.mark.parametrize("length", ["5, 5", "-1", "1e3", "\u0665", " "])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    """Some servers pass it on."""
    scope = asgi("POST")
    scope["headers"] = [(b"content-length", length.encode())]

    with pytest.raises(InvalidInput, match="Content-Length"):
        forwarded_request(Request(scope), audience=None)


def test_a_204_has_no_length() -> None:
    """RFC 9110, section 8.6."""
    reply = Reply(204, ((b"content-length", b"5"), (b"x-one", b"1")))

    assert ForwardedResponse(reply, Request(asgi())).raw_headers == [(b"x-one", b"1")]
