"""One wrong answer is worse than ten errors: what a connection of the wire may carry, and when."""

import asyncio
import contextlib
import gc
import socket
import time

import pytest

from bff_core.errors import DeadlineExceeded, TransportFailed, UpstreamError
from bff_core.policy.upstream.retry import Retry, RetryBudget
from bff_core.upstream.transport.interface import Endpoint, Load

POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON"
CLEAN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n"
TRAILED = CHUNKED[:-2] + b"X-Trailer: 1\r\n\r\n"

ENDINGS = {
    "length": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"),
    "chunked": ("GET", CHUNKED),
    "trailer": ("GET", TRAILED),
    "empty": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "no content": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
    "no content, length": ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 47\r\n\r\n"),
    "not modified": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 47\r\n\r\n"),
    "head": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 47\r\n\r\n"),
    "head, chunked": ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
}
SURPLUS = {
    "a response": POISON,
    "an interim response": b"HTTP/1.1 100 Continue\r\n\r\n" + POISON,
    "a chunk": b"6\r\nPOISON\r\n0\r\n\r\n",
    "a new line": b"\r\n",
    "new lines": b"\n\r\n\r\n\r\n",
    "many new lines": b"\r\n" * 8,
    "a line feed": b"\n",
    "a byte": b"x",
    "a zero": b"\0",
}


@contextlib.contextmanager
def listening():
    """Listen by hand, so that a test decides what the kernel holds at which moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = listener.getsockname()[1]
        yield listener, Endpoint("http", "127.0.0.1", port, "127.0.0.1")


async def answer_next(listener):
    """Accept one connection, read its request, send the clean answer; return the socket."""
    loop = asyncio.get_running_loop()
    accepted, _ = await loop.sock_accept(listener)
    accepted.setblocking(False)
    await loop.sock_recv(accepted, 4096)
    accepted.send(CLEAN)
    return accepted


@pytest.mark.parametrize("surplus", SURPLUS)
@pytest.mark.parametrize("ending", ENDINGS)
async def test_surplus_never_meets_the_next_request(kit, ending, surplus):
    """Bytes after the end of a response cost the connection, whatever they are."""
    method, response = ENDINGS[ending]
    script = kit.answering(response + SURPLUS[surplus], CLEAN)

    async with kit.Service(script) as service, kit.wired(service) as pool:
        first = await pool.send(kit.calling(method))
        second = await pool.send(kit.calling())

    assert first.body == (b"first" if b"first" in response else b"")
    assert (second.body, service.accepted) == (b"clean", 2)


@pytest.mark.parametrize("ending", ENDINGS)
async def test_an_exact_end_leaves_the_connection_reusable(kit, ending):
    """The same responses without surplus share one connection."""
    method, response = ENDINGS[ending]

    async with kit.Service(kit.answering(response, CLEAN)) as service, kit.wired(service) as pool:
        await pool.send(kit.calling(method))
        second = await pool.send(kit.calling())

    assert (second.body, service.accepted) == (b"clean", 1)


@pytest.mark.parametrize("surplus", SURPLUS)
async def test_bytes_while_idle_close_the_connection(kit, surplus):
    """An unsolicited response is never the answer to a later call."""

    async def script(peer):
        while True:
            await peer.request()
            await peer.send(CLEAN)
            await may_send.wait()
            await peer.send(SURPLUS[surplus])

    may_send = asyncio.Event()

    async with kit.Service(script) as service, kit.wired(service) as pool:
        await pool.send(kit.calling())
        may_send.set()
        await service.until(lambda: pool.load == Load(0, 0, 0))
        may_send.clear()
        reply = await pool.send(kit.calling())

    assert (reply.body, service.accepted) == (b"clean", 2)


@pytest.mark.parametrize("poison", [POISON, b"\r\n", None], ids=["response", "new line", "end"])
@pytest.mark.parametrize("loop", ["asyncio", pytest.param("uvloop", marks=pytest.mark.uvloop)])
async def test_a_connection_with_unread_bytes_is_not_used(kit, loop, poison):
    """What reached the kernel but not yet the event loop is noticed before a request is written.

    The call is a POST: it must not be tried on the bad connection at all.
    """
    loop = asyncio.get_running_loop()
    with listening() as (listener, endpoint):
        async with kit.wired(endpoint) as pool:
            first = asyncio.create_task(answer_next(listener))
            await pool.send(kit.calling())
            with await first as bad:
                second = asyncio.create_task(answer_next(listener))
                bad.send(poison) if poison else bad.shutdown(socket.SHUT_WR)
                reply = await pool.send(kit.calling("POST"))  # no turn of the loop in between
                with contextlib.suppress(ConnectionResetError):
                    assert await loop.sock_recv(bad, 4096) == b""
            (await second).close()

    assert reply.body == b"clean"


async def test_a_service_that_speaks_first_is_not_listened_to(kit):
    """A connection with unsolicited bytes carries no request."""
    loop = asyncio.get_running_loop()
    with listening() as (listener, endpoint):
        async with kit.wired(endpoint) as pool:
            call = asyncio.create_task(pool.send(kit.calling()))
            peer, _ = await loop.sock_accept(listener)
            with peer:
                peer.send(POISON)
                with pytest.raises(TransportFailed) as caught:
                    await call

    assert not caught.value.is_sent


async def test_an_end_while_idle_closes_the_connection(kit):
    """A service may close an idle connection; the gateway notices and drops it."""

    async def script(peer):
        await peer.request()
        await peer.send(CLEAN)

    async with kit.Service(script) as service, kit.wired(service) as pool:
        await pool.send(kit.calling())
        await service.until(lambda: pool.load == Load(0, 0, 0))
        await pool.send(kit.calling("POST"))

    assert service.accepted == 2


def dying(*, after: int, by_reset: bool = False):
    """Answer so many requests on each connection, then read one more and die."""

    async def script(peer):
        for _ in range(after):
            await peer.request()
            await peer.send(CLEAN)
        await peer.request()
        if by_reset:
            peer.reset()

    return script


@pytest.mark.parametrize("by_reset", [False, True])
@pytest.mark.parametrize(
    "call", [{"method": "GET"}, {"method": "POST", "headers": ((b"idempotency-key", b"1"),)}]
)
async def test_a_stale_connection_is_replaced_once(kit, call, by_reset):
    """A call that may be sent twice survives a keep-alive that the service just gave up."""
    script = dying(after=1, by_reset=by_reset)

    async with kit.Service(script) as service, kit.wired(service) as pool:
        await pool.send(kit.calling())
        reply = await pool.send(kit.calling(**call))

    assert (reply.body, service.accepted, len(service.requests)) == (b"clean", 2, 3)


async def test_replacing_stale_connections_is_within_the_budget(kit):
    """A service that resets every request gets no second attempt per idle connection."""
    budget = RetryBudget(Retry(budget_ratio=0, budget_min=1))
    script = dying(after=1, by_reset=True)

    async with kit.Service(script) as service, kit.wired(service, budget=budget) as pool:
        await pool.send(kit.calling())
        replaced = kit.calling()
        await pool.send(replaced)
        with pytest.raises(TransportFailed, match="without an answer") as caught:
            await pool.send(kit.calling())

    assert caught.value.is_sent
    assert len(replaced.trail) == 1
    assert len(service.requests) == 4


@pytest.mark.parametrize("by_reset", [False, True])
async def test_a_call_that_is_not_idempotent_is_sent_once(kit, by_reset):
    """An order that may have been placed is not placed again."""
    script = dying(after=1, by_reset=by_reset)

    async with kit.Service(script) as service, kit.wired(service) as pool:
        await pool.send(kit.calling())
        with pytest.raises(TransportFailed) as caught:
            await pool.send(kit.calling("POST", body=b"order"))

    assert caught.value.is_sent
    assert len(service.requests) == 2


async def test_a_new_connection_that_dies_is_not_replaced(kit):
    """Only a keep-alive can be stale; trying again otherwise is the retry layer's decision."""
    async with kit.Service(dying(after=0)) as service, kit.wired(service) as pool:
        with pytest.raises(TransportFailed) as caught:
            await pool.send(kit.calling())

    assert caught.value.is_sent
    assert len(service.requests) == 1


async def test_a_call_is_sent_again_only_once(kit):
    """When the replacement dies, too, the call fails."""
    still_answers = [True]

    async def script(peer):
        await peer.request()
        if still_answers.pop() if still_answers else False:
            await peer.send(CLEAN)
            await peer.request()

    async with kit.Service(script) as service, kit.wired(service) as pool:
        await pool.send(kit.calling())
        with pytest.raises(TransportFailed):
            await pool.send(kit.calling())

    assert len(service.requests) == 3


async def test_a_call_whose_response_had_begun_is_not_sent_again(kit):
    """One byte of an answer proves that the service took the request."""

    async def script(peer):
        await peer.request()
        await peer.send(CLEAN)
        await peer.request()
        await peer.send(b"H")

    async with kit.Service(script) as service, kit.wired(service) as pool:
        await pool.send(kit.calling())
        with pytest.raises(TransportFailed):
            await pool.send(kit.calling())

    assert len(service.requests) == 2


REFUSED = {
    "length, chunked": "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked, length": "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "list of lengths": "Content-Length: 3, 3\r\n\r\nabc",
    "signed length": "Content-Length: +3\r\n\r\nabc",
    "negative length": "Content-Length: -3\r\n\r\nabc",
    "length in hex": "Content-Length: 0x3\r\n\r\nabc",
    "length with underscore": "Content-Length: 0_3\r\n\r\nabc",
    "endless length": "Content-Length: 99999999999999999999999\r\n\r\nabc",
    "no length": "Content-Length:\r\n\r\nabc",
    "chunked twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked in a list": "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "unknown transfer coding": "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "not chunked in the end": "Transfer-Encoding: identity\r\n\r\nabc",
    "line feeds": "X-One: 1\nContent-Length: 0\n\n",
    "folded": "X-One: 1\r\n 2\r\nContent-Length: 0\r\n\r\n",
    "nul": "X-One: a\0b\r\nContent-Length: 0\r\n\r\n",
    "carriage return": "X-One: a\rb\r\nContent-Length: 0\r\n\r\n",
    "space before colon": "X-One : 1\r\nContent-Length: 0\r\n\r\n",
    "nameless": ": 1\r\nContent-Length: 0\r\n\r\n",
    "chunk with line feeds": "Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
    "negative chunk": "Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n",
    "chunk in 0x": "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
    "endless chunk": "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "chunk too long": "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("head", REFUSED)
async def test_ambiguous_framing_is_refused(kit, head):
    """A response that two readers could read differently is no reply; its connection is closed."""
    response = b"HTTP/1.1 200 OK\r\n" + REFUSED[head].encode("latin-1")

    async with kit.Service(kit.answering(response)) as service, kit.wired(service) as pool:
        with pytest.raises(TransportFailed, match=r"malformed|transfer coding"):
            await pool.send(kit.calling())
        load = pool.load

    assert load == Load(0, 0, 0)


@pytest.mark.parametrize(
    "line",
    [
        "HTTP/2.0 200 OK",
        "HTTP/0.9 200 OK",
        "HTTP/1.2 200 OK",
        "RTSP/1.0 200 OK",
        "ICE/1.0 200 OK",
        "HTTP/1.1 099 Low",
        "HTTP/1.1 600 High",
        "HTTP/1.1 2000 Long",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket",
        "HTTP/1.1 101 Switching Protocols",
        "\r\nHTTP/1.1 200 OK",
        "\r\n\r\nHTTP/1.1 200 OK",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked",
    ],
)
async def test_only_http_1_with_a_final_status_is_an_answer(kit, line):
    """Other protocols and versions, switched protocols and odd statuses are refused."""
    response = f"{line}\r\n\r\n".encode()

    async with kit.Service(kit.answering(response)) as service, kit.wired(service) as pool:
        with pytest.raises(TransportFailed):
            await pool.send(kit.calling())


@pytest.mark.parametrize(
    "flood",
    [
        b"HTTP/1.1 200 OK\r\nX-Endless: " + b"x" * 5000,
        b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 5000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 5000,
        b"HTTP/1.1 103 Early\r\nX: "
        + b"x" * 1900
        + b"\r\n\r\nHTTP/1.1 200 OK\r\nX: "
        + b"x" * 1900,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * 300_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 300_000,
    ],
    ids=["field", "fields", "interim", "interim and head", "trailer", "extension"],
)
async def test_framing_without_end_is_cut(kit, flood):
    """A head, a trailer or an extension that never ends is refused at its cap, not at the end."""

    async def script(peer):
        await peer.request()
        for start in range(0, len(flood), 700):
            await peer.send(flood[start : start + 700])
        await peer.left()

    async with kit.Service(script) as service, kit.wired(service, max_header_bytes=2048) as pool:
        with pytest.raises(TransportFailed, match=r"larger|fields|unexpected|framing"):
            await pool.send(kit.calling(within=5))


@pytest.mark.parametrize(
    ("line", "field", "connections"),
    [
        ("HTTP/1.1", "X: 1", 1),
        ("HTTP/1.1", "Connection: close", 2),
        ("HTTP/1.1", "Connection: Keep-Alive, Close", 2),
        ("HTTP/1.0", "X: 1", 2),
        ("HTTP/1.0", "Connection: keep-alive", 1),
    ],
)
async def test_the_service_may_ask_to_close(kit, line, field, connections):
    """Persistence follows the version and the Connection field."""
    response = f"{line} 200 OK\r\n{field}\r\nContent-Length: 2\r\n\r\nok".encode()

    async with kit.Service(kit.answering(response)) as service, kit.wired(service) as pool:
        replies = [await pool.send(kit.calling()) for _ in range(2)]

    assert [reply.body for reply in replies] == [b"ok", b"ok"]
    assert service.accepted == connections


async def test_an_answer_to_half_a_request_ends_the_connection(kit):
    """A service that refuses a large body early gets no second request in the middle of it."""

    async def script(peer):
        await peer.reader.readuntil(b"\r\n\r\n")
        await peer.send(kit.http(b"no", status="413 Content Too Large"))
        await peer.left()

    async with kit.Service(script) as service, kit.wired(service) as pool:
        reply = await pool.send(kit.calling("POST", body=bytes(20_000_000)))
        load = pool.load

    assert (reply.status, load) == (413, Load(0, 0, 0))


@pytest.mark.alone
@pytest.mark.parametrize(("before", "within"), [(5.0, 0.05), (0.3, 0.4)])
async def test_each_call_has_its_own_deadline_on_a_shared_timer(kit, before, within):
    """The call before may have had more time, or less: neither shortens nor lengthens this one."""

    async def script(peer):
        while True:
            if b"/slow" not in await peer.request():
                await peer.send(CLEAN)

    async with kit.Service(script) as service, kit.wired(service) as pool:
        await pool.send(kit.calling(within=before))
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            await pool.send(kit.calling(target="/slow", within=within))
        took = time.monotonic() - started

    assert service.accepted == 1
    assert within - 0.01 < took < within + 0.3


@pytest.mark.alone
async def test_a_timer_that_fires_while_idle_has_no_effect(kit):
    """The deadline of a call that was answered long ago ends nothing."""
    async with kit.Service(kit.answering(CLEAN)) as service, kit.wired(service) as pool:
        await pool.send(kit.calling(within=0.03))
        await service.until(lambda: pool._idle[0]._timer is None)
        await pool.send(kit.calling())

    assert service.accepted == 1


async def test_a_body_until_close_is_the_last_of_its_connection(kit):
    """What ended with its connection leaves none behind, not even for a moment."""

    async def script(peer):
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")

    async with kit.Service(script) as service, kit.wired(service) as pool:
        reply = await pool.send(kit.calling())
        load = pool.load

    assert (reply.body, load) == (b"all of it", Load(0, 0, 0))


async def test_a_reply_that_meets_a_cancel_frees_its_connection(kit):
    """When the reply and the caller's cancel come in one turn of the loop, both are honoured."""
    loop = asyncio.get_running_loop()
    with listening() as (listener, endpoint):
        async with kit.wired(endpoint) as pool:
            call = asyncio.create_task(pool.send(kit.calling()))
            peer, _ = await loop.sock_accept(listener)
            with peer:
                peer.setblocking(False)
                await loop.sock_recv(peer, 4096)
                peer.send(CLEAN)
                loop.call_soon(call.cancel)  # runs first in the turn that reads the reply
                await asyncio.gather(call, return_exceptions=True)
                load = pool.load

    assert call.cancelled()
    assert load == Load(1, 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "response",
    [
        CLEAN,
        CHUNKED,
        CLEAN + POISON,
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\ngarbage",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\ncut",
        b"",
    ],
    ids=["length", "chunked", "surplus", "garbage", "no gzip", "until close", "cut", "nothing"],
)
async def test_exchanges_leave_no_cycles(kit, response):
    """Memory is freed as calls end, well or badly: the cyclic collector finds nothing of ours."""

    async def script(peer):
        is_reusable = response in {CLEAN, CHUNKED}
        while await peer.request():
            await peer.send(response)
            if not is_reusable:
                return

    async def call_often(pool):
        for _ in range(30):
            with contextlib.suppress(UpstreamError):
                await pool.send(kit.calling())

    async with kit.Service(script) as service, kit.wired(service) as pool:
        await call_often(pool)
        gc.collect()
        gc.disable()
        try:
            await call_often(pool)
            found = {type(each) for each in _unreachable()}
        finally:
            gc.enable()

    assert [kind for kind in found if kind.__module__.startswith("bff_core")] == []


def _unreachable():
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        return list(gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
