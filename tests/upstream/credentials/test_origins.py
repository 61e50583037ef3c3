"""Credentials over real sockets: they reach the configured address, and no other."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from msgspec import structs

from bff_core.oauth.tokens import token_sources
from bff_core.policy.upstream.credentials import ApiKey, Relay
from bff_core.policy.upstream.policy import Policy
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.upstream.credentials.factory import CredentialFactory
from bff_core.upstream.stack import open_stack, wire
from bff_core.upstream.transport.httpx_transport import HttpxTransport
from tests.streamed import opened
from tests.upstream.credential_stubs import SECRET_VALUE, VIEWER, ScriptedToken


@asynccontextmanager
async def listening(answer: bytes):
    """Serve one answer to all requests; yields the port and the received heads."""
    heads: list[bytes] = []

    async def serve(reader, writer):
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heads


def answer(status: str, *fields: str) -> bytes:
    """Return an answer without a body."""
    return "\r\n".join([f"HTTP/1.1 {status}", "content-length: 0", *fields, "", ""]).encode()


@pytest.mark.parametrize("road", ["whole", "stream"])
@pytest.mark.parametrize("transport", ["wire", "httpx"])
@pytest.mark.parametrize("credentials", [Relay(), ApiKey(secret="gateway")], ids=["relay", "key"])
async def test_a_redirect_to_another_origin_takes_nothing_there(transport, credentials, road):
    """However the service answers, and by whichever transport and road it was called."""
    async with listening(answer("200 OK")) as (elsewhere, stolen), httpx.AsyncClient() as client:
        location = f"location: http://127.0.0.1:{elsewhere}/"
        async with listening(answer("302 Found", location)) as (port, heads):
            make = wire if transport == "wire" else lambda *_: HttpxTransport(client)
            factory = CredentialFactory({"gateway": SECRET_VALUE}.__getitem__, token_sources(dict))
            bench = LayerRuntime("orders")
            runtime = replace(bench.runtime, credential=factory.open)
            stack = open_stack(
                Policy(credentials=credentials), [f"http://127.0.0.1:{port}"], runtime, make
            )
            call = structs.replace(
                bench.call("//evil.example/x", audience=VIEWER), token=ScriptedToken()
            )
            if road == "whole":
                status = (await stack.handler(call)).status
            else:
                async with opened(stack.handler, call) as streamed:
                    status = streamed.status
            await stack.aclose()

    assert (status, stolen, len(heads)) == (302, [], 1)
    assert b"viewer-1" in heads[0] or SECRET_VALUE.encode() in heads[0]
    assert heads[0].startswith(b"GET //evil.example/x HTTP/1.1\r\n")
    assert f"host: 127.0.0.1:{port}".encode() in heads[0].lower()
