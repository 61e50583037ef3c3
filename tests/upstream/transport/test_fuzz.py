"""Whatever a service sends, a call ends in time with its own reply or one of our errors.

`BFF_FUZZ=100` searches a hundred times as long, by chance; what it finds belongs into `corpus`.
"""

import asyncio
import time

import httptools
import pytest
from h11_reader import by_h11, by_wire
from hypothesis import given
from hypothesis import strategies as st
from malformed import Move, adversarial, bent, corpus, damaged, effort, moves, packets, sound

from bff_core.errors import UpstreamError
from tests.streamed import opened

ON_BOTH_LOOPS = pytest.mark.parametrize(
    "loop", ["asyncio", pytest.param("uvloop", marks=pytest.mark.uvloop)]
)
WITHIN = 0.05
LATE = 0.5
"""How much later than its deadline a call may end, on a busy machine."""

DECODED = {"cut-gzip", "hollow-gzip", "not-gzip", "unknown-coding"}
"""Responses of the corpus whose framing is sound: they are refused when they are decoded."""


def each_file(folder):
    """Run a test for each response of the corpus."""
    return pytest.mark.parametrize("path", corpus(folder), ids=lambda path: path.stem)


def method_of(path):
    """Tell which request a response of the corpus answers."""
    return "HEAD" if path.stem.startswith("head.") else "GET"


async def take(kit, pool, move, target):
    """Make the call of a move; return the body, or one of our errors."""
    call = kit.calling(move.method, target, within=WITHIN)
    try:
        if not move.is_streamed:
            return (await pool.send(call)).body
        async with opened(pool.send, call) as reply:
            return b"".join([piece async for piece in reply])
    except UpstreamError as error:
        return error


async def play(kit, moves, connections=1):
    """Let a service make its moves; after each the same pool makes a call with its own canary."""
    is_over = [asyncio.Event() for _ in moves]

    async def script(peer):
        while True:
            request = await peer.request()
            target = request.split(b" ")[1]
            if target.startswith(b"/canary/"):
                await peer.send(kit.http(target))
                continue
            number = int(target[1:])
            try:
                await peer.send(*moves[number].packets)
                if moves[number].after == "reset":
                    peer.reset()
                if moves[number].after != "keep":
                    return
            finally:
                is_over[number].set()

    outcomes = []
    async with (
        kit.Service(script) as service,
        kit.wired(service, max_connections=connections, stream_idle_timeout=WITHIN) as pool,
    ):
        for number, move in enumerate(moves):
            started = time.monotonic()
            outcomes.append(await take(kit, pool, move, f"/{number}"))
            assert time.monotonic() - started < 2 * WITHIN + LATE
            if isinstance(outcomes[-1], bytes):  # after an error the connection is closed anyway
                await is_over[number].wait()
            canary = f"/canary/{number}"
            assert (await pool.send(kit.calling(target=canary))).body == canary.encode()
            assert (pool.load.active, pool.load.waiting) == (0, 0)
            assert pool.load.idle == len(pool._held) <= connections
        await service.until(lambda: service.open_connections == pool.load.idle)
    return outcomes


def whole_and_streamed(raw, method):
    """Return the moves that answer by some bytes and close."""
    return [Move([raw], "close", method, is_streamed) for is_streamed in (False, True)]


@pytest.mark.alone
@each_file("read")
async def test_corpus_of_valid_responses_is_read(kit, path):
    """Each sound or odd response of the corpus is read as h11 reads it, whole and streamed."""
    raw, method = path.read_bytes(), method_of(path)

    outcomes = await play(kit, whole_and_streamed(raw, method))

    assert outcomes == [by_h11(raw, method=method).plain] * 2


@pytest.mark.alone
@each_file("refused")
async def test_corpus_of_ambiguous_responses_is_refused(kit, path):
    """Each response of the corpus that two readers could read differently is no reply."""
    whole, streamed = await play(kit, whole_and_streamed(path.read_bytes(), method_of(path)))

    assert isinstance(whole, UpstreamError)
    assert isinstance(streamed, UpstreamError)


@pytest.mark.parametrize(
    "path",
    [path for path in corpus("refused") if path.stem not in DECODED],
    ids=lambda path: path.stem,
)
def test_the_framing_refuses_what_two_readers_could_read_differently(path):
    """Without a socket: smuggled, folded, doubled or cut responses are no replies."""
    assert by_wire(path.read_bytes(), method=method_of(path)) is None


@pytest.mark.parametrize("path", [*corpus("read"), *corpus("refused")], ids=lambda path: path.stem)
def test_a_byte_at_a_time_reads_the_same(path):
    """The finest cut there is."""
    raw, method = path.read_bytes(), method_of(path)
    single = (raw[at : at + 1] for at in range(len(raw)))

    assert by_wire(*single, method=method) == by_wire(raw, method=method)


@pytest.mark.slow
@pytest.mark.parametrize("grammar", [bent(), damaged(), sound()], ids=["bent", "damaged", "sound"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_another_reader_reads_the_same(grammar, method):
    """What the wire takes for a reply h11 takes for the same one, and it ends where h11 ends it.

    The wire may refuse what h11 reads: one wrong answer is worse than ten errors.
    """

    @effort(250)
    @given(grammar)
    def agree(raw):
        own = by_wire(raw, method=method)
        other = by_h11(raw, method=method)

        assert own is None or other is not None
        assert own is None or (own.status, own.body) == (other.status, other.body)
        is_old = raw.startswith(b"HTTP/1.0")  # h11 always closes those
        assert own is None or not own.ends_here or other.ends_here or is_old

    agree()


@effort(300)
@given(sound())
def test_valid_responses_are_never_refused(raw):
    """No response that follows the RFC is refused."""
    assert by_wire(raw) == by_h11(raw)


@pytest.mark.slow
@effort(300)
@given(adversarial, st.data())
def test_any_cut_reads_the_same(raw, data):
    """However a network cuts a response, the same comes out, and the same verdict on reuse."""
    assert by_wire(*data.draw(packets(raw))) == by_wire(raw)


@pytest.mark.alone
@ON_BOTH_LOOPS
@effort(60)
@given(plan=st.lists(moves(), min_size=1, max_size=5), connections=st.integers(1, 2))
async def test_no_service_can_harm_another_call(kit, loop, plan, connections):
    """A series of moves over one pool: each ends in time, and each canary comes home.

    In the end no connection is held that is not idle, on either side.
    """
    outcomes = await play(kit, plan, connections)

    assert all(isinstance(outcome, bytes | UpstreamError) for outcome in outcomes)


def test_the_parser_is_as_strict_as_it_was():
    """What is left to the parser is still refused by the version that is installed."""
    for head in (
        b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
        b"A: 1\nB: 2\n\n",
        b"A: 1\r\n folded\r\n\r\n",
    ):
        parser = httptools.HttpResponseParser(object())
        with pytest.raises(httptools.HttpParserError):
            parser.feed_data(b"HTTP/1.1 200 OK\r\n" + head)
