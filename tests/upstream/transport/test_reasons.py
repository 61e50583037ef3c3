"""Why a connection failed: TLS and broken HTTP have reasons of their own, and are not repeated."""

import socket
import ssl
import threading
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import pytest
import trustme
from fastapi import Depends

from bff_core import Composition, Settings, Upstream, Views, compose, gateway, optional
from bff_core.errors import CircuitOpen, TransportFailed
from bff_core.events import Attempted
from bff_core.policy.upstream.balance import Balance
from bff_core.policy.upstream.breaker import Breaker
from bff_core.policy.upstream.connection import Connection
from bff_core.policy.upstream.policy import Policy
from bff_core.policy.upstream.retry import Retry
from bff_core.testing import running
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.upstream.stack import UpstreamStack, wire
from bff_core.upstream.transport.interface import Endpoint

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
NOW = datetime.now(UTC)

BROKEN = {
    "no HTTP": b"220 smtp.example ESMTP\r\n",
    "another version": b"HTTP/2.0 200 OK\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "a bad chunk": CHUNKED + b"zz\r\nok\r\n0\r\n\r\n",
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: x\r\n\r\nok",
    "a bad field": b"HTTP/1.1 200 OK\r\nContent Length: 2\r\n\r\nok",
    "a head too large": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 200_000 + b"\r\n\r\n",
    "unsolicited 101": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
}


@pytest.fixture(scope="module")
def authority():
    """Make an authority that the gateway trusts."""
    return trustme.CA()


@asynccontextmanager
async def stack_of(services, bench, *, authority=None, tmp_path=None, breaker=None, **connection):
    """Open the layers of an upstream at these services."""
    if authority is not None:
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        connection["ca_file"] = str(tmp_path / "ca.pem")
    policy = Policy(
        retry=Retry(attempts=3, backoff=0, budget_min=100),
        breaker=breaker,
        coalesce=False,
        balance=Balance(ejection_failures=100),
        connection=Connection(**connection),
    )
    stack = UpstreamStack(
        policy,
        [service.endpoint for service in services],
        bench.runtime,
        wire(policy, bench.runtime),
    )
    try:
        yield stack
    finally:
        await stack.aclose()


@asynccontextmanager
async def serving(kit, *contexts, script=None):
    """Run a service for each TLS context; the certificate of one may be anything."""
    async with AsyncExitStack() as running:
        yield [
            await running.enter_async_context(kit.Service(script or kit.answering(OK), context))
            for context in contexts
        ]


@dataclass(frozen=True)
class At:
    """A service at a port, called over TLS."""

    port: int

    @property
    def endpoint(self):
        """Where it listens."""
        return Endpoint("https", "localhost", self.port, "127.0.0.1")


def tls(authority, *names, **issued):
    """Make the context of a service with such a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names, **issued).configure_cert(context)
    return context


def expired(authority):
    return tls(authority, "localhost", not_after=NOW - timedelta(days=1))


def not_yet_valid(authority):
    return tls(authority, "localhost", not_before=NOW + timedelta(days=1))


def wrong_host(authority):
    return tls(authority, "elsewhere.example")


def unknown_issuer(_):
    return tls(trustme.CA(), "localhost")


@contextmanager
def demanding(authority):
    """Run a server that demands a certificate, and says so by an alert; return its port."""
    context = tls(authority, "localhost")
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    listening = socket.create_server(("127.0.0.1", 0))

    def refuse():
        with suppress(OSError):
            while True:
                peer, _ = listening.accept()
                with peer, suppress(OSError):
                    with suppress(ssl.SSLError):
                        context.wrap_socket(peer.dup(), server_side=True)
                    peer.shutdown(socket.SHUT_WR)
                    while peer.recv(65536):
                        continue

    thread = threading.Thread(target=refuse)
    thread.start()
    yield listening.getsockname()[1]
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


REASONS = {
    "tls_certificate_expired": (expired, "has expired"),
    "tls_certificate_not_yet_valid": (not_yet_valid, "not valid yet"),
    "tls_wrong_host": (wrong_host, "another host"),
    "tls_unknown_issuer": (unknown_issuer, "ca_file"),
}


@pytest.mark.parametrize("code", REASONS)
async def test_a_failure_of_tls_says_what_is_wrong_and_with_whom(kit, authority, tmp_path, code):
    """Its code is the reason, its message names the host; the same service is not tried again."""
    context, text = REASONS[code]
    bench = LayerRuntime("shop")
    trust = {"authority": authority, "tmp_path": tmp_path}
    async with (
        serving(kit, context(authority)) as services,
        stack_of(services, bench, **trust) as stack,
    ):
        with pytest.raises(TransportFailed, match=text) as failed:
            await stack.handler(bench.call(method="POST"))

    assert (failed.value.code, failed.value.is_sent, failed.value.attempts) == (code, False, 1)
    assert "TLS with localhost" in str(failed.value)
    assert [one.outcome for one in bench.events_of(Attempted)] == [code]
    assert services[0].requests == []


@pytest.mark.parametrize("loop", ["asyncio", pytest.param("uvloop", marks=pytest.mark.uvloop)])
async def test_a_service_that_demands_a_certificate_has_received_nothing(authority, tmp_path, loop):
    """With TLS 1.3 it refuses after the handshake: a write was not done, and is not tried again."""
    bench = LayerRuntime("shop")
    trust = {"authority": authority, "tmp_path": tmp_path}
    with demanding(authority) as port:
        async with stack_of((At(port),), bench, **trust) as stack:
            with pytest.raises(TransportFailed, match="client_cert") as failed:
                await stack.handler(bench.call(method="POST"))

    assert (failed.value.code, failed.value.is_sent) == ("tls_client_certificate", False)
    assert [one.outcome for one in bench.events_of(Attempted)] == ["tls_client_certificate"]


async def test_a_service_without_tls_has_its_own_reason(kit, authority, tmp_path):
    """TLS with a port that speaks plain HTTP has a reason of its own."""
    bench = LayerRuntime("shop")
    trust = {"authority": authority, "tmp_path": tmp_path}

    async def script(peer):
        await peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await peer.left()

    async with (
        kit.Service(script) as service,
        stack_of((At(service.port),), bench, **trust) as stack,
    ):
        with pytest.raises(TransportFailed, match=r"TLS with localhost:\d+ ") as failed:
            await stack.handler(bench.call())

    assert (failed.value.code, failed.value.is_sent) == ("tls_failed", False)
    assert service.accepted == 1


async def test_a_refused_connection_is_retried(kit):
    """What may pass is tried again, three times as the policy says."""
    bench = LayerRuntime("shop")
    async with serving(kit, None) as services:
        pass
    async with stack_of(services, bench) as stack:
        with pytest.raises(TransportFailed) as failed:
            await stack.handler(bench.call())

    assert (failed.value.code, failed.value.attempts) == ("unavailable", 3)


async def test_another_endpoint_may_have_a_better_certificate(kit, authority, tmp_path):
    """A write that never left is tried elsewhere, and never twice at the endpoint that failed."""
    bench = LayerRuntime("shop")
    contexts = (expired(authority), tls(authority, "localhost"))
    trust = {"authority": authority, "tmp_path": tmp_path}
    async with serving(kit, *contexts) as services, stack_of(services, bench, **trust) as stack:
        replies = [await stack.handler(bench.call(method="POST")) for _ in range(8)]

    assert {reply.status for reply in replies} == {200}


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_reply_that_breaks_the_protocol_is_not_fetched_twice(kit, broken):
    """The same service would break it again: one request, one failure with its reason."""
    bench = LayerRuntime("shop")
    async with (
        serving(kit, None, script=kit.answering(BROKEN[broken])) as services,
        stack_of(services, bench, max_header_bytes=65536) as stack,
    ):
        with pytest.raises(TransportFailed) as failed:
            await stack.handler(bench.call())

    assert (failed.value.code, failed.value.attempts) == ("protocol_error", 1)
    assert len(services[0].requests) == 1


@pytest.mark.parametrize(("method", "sent"), [("GET", 2), ("PUT", 2), ("POST", 1)])
async def test_another_endpoint_may_speak_better(kit, method, sent):
    """With two that break it each is tried once, a write that may have happened only one."""
    bench = LayerRuntime("shop")
    script = kit.answering(BROKEN["two lengths"])
    async with (
        serving(kit, None, None, script=script) as services,
        stack_of(services, bench) as stack,
    ):
        with pytest.raises(TransportFailed):
            await stack.handler(bench.call(method=method))

    assert sum(len(service.requests) for service in services) == sent
    assert max(len(service.requests) for service in services) == 1


async def test_an_endpoint_that_broke_the_protocol_is_avoided_to_the_end(kit):
    """The third attempt goes to the one that answered 503, not to the one that spoke no HTTP."""
    bench = LayerRuntime("shop")
    busy = b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"
    for _ in range(6):
        async with (
            kit.Service(kit.answering(BROKEN["no HTTP"])) as mute,
            kit.Service(kit.answering(busy)) as slow,
            stack_of((mute, slow), bench) as stack,
        ):
            reply = await stack.handler(bench.call())

        assert reply.status == 503
        assert len(mute.requests) <= 1


async def test_replies_that_break_the_protocol_open_the_circuit(kit):
    """They count as failures of the service."""
    bench = LayerRuntime("shop")
    breaker = Breaker(minimum_calls=2)
    async with (
        serving(kit, None, script=kit.answering(BROKEN["no HTTP"])) as services,
        stack_of(services, bench, breaker=breaker) as stack,
    ):
        for _ in range(2):
            with pytest.raises(TransportFailed):
                await stack.handler(bench.call())
        with pytest.raises(CircuitOpen):
            await stack.handler(bench.call())

    assert len(services[0].requests) == 2


@pytest.mark.parametrize("cut", [b"HTTP/1.1 200 OK\r\nContent-Le", CHUNKED + b"2\r\no"])
async def test_a_reply_that_is_cut_is_fetched_again(kit, cut):
    """A connection that breaks amid a reply is an outage, and no breach of the protocol."""
    bench = LayerRuntime("shop")

    async def script(peer):
        await peer.request()
        await peer.send(cut)

    async with (
        serving(kit, None, script=script) as services,
        stack_of(services, bench) as stack,
    ):
        with pytest.raises(TransportFailed) as failed:
            await stack.handler(bench.call())

    assert (failed.value.code, len(services[0].requests)) == ("unavailable", 3)


async def test_every_transport_has_the_same_reasons(kit, connected, authority):
    """Through a client of httpx a failure has the code that it has over our own connections."""
    codes = []
    for script, context in (
        (kit.answering(OK), tls(authority, "localhost")),
        (kit.answering(BROKEN["a bad field"]), None),
    ):
        async with kit.Service(script, context) as service, connected(service) as connector:
            with pytest.raises(TransportFailed) as failed:
                await connector.send(kit.calling())
        codes.append((failed.value.code, failed.value.is_lasting, failed.value.is_sent))

    assert codes == [("tls_unknown_issuer", True, False), ("protocol_error", True, True)]


class Vault(Upstream):
    """A service whose certificate has expired."""

    async def opinion(self) -> str:
        return await self.get("/opinion", str)


class Page(Composition):
    """A page that can do without it."""

    vault: Vault

    @optional(fallback="none")
    async def opinion(self) -> str:
        return await self.vault.opinion()


async def test_an_answer_says_that_a_certificate_has_expired(kit, authority, tmp_path):
    """The reason of a part distinguishes an expired certificate from an outage."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    Vault.policy = Policy(connection=Connection(ca_file=str(tmp_path / "ca.pem")))
    views = Views()

    @views.get("/page")
    async def page(page: Annotated[Page, Depends(compose(Page))]) -> str:
        return await page.opinion()

    async with kit.Service(kit.answering(OK), expired(authority)) as service:
        settings = Settings(env="development", upstreams={"vault": (service.endpoint.url,)})
        app = gateway("shop", services=[Vault], faces=[views], settings=settings)
        async with running(app) as client:
            answer = await client.get("/page")

    reason = "tls_certificate_expired"
    assert answer.headers["part-status"] == f"opinion=fallback;reason={reason}"
