"""RFC 6455 through the proxy, in both directions: a tester, the proxy, and an echo behind it."""

import asyncio

import pytest

from bff_core.policy.upstream.policy import Policy
from bff_core.policy.upstream.retry import Retry
from tests.proxy.sockets.conformance import SECTIONS, Case, Step
from tests.proxy.sockets.proxying import proxying
from tests.proxy.sockets.wire import CLOSE, PING, PONG, Line, Peer, echo, frame, serving

pytestmark = pytest.mark.uvloop

PATIENT = Policy(breaker=None, retry=Retry(attempts=1))
"""Most cases fail: no circuit may open."""


def rendered(step: Step, *, masked: bool) -> bytes:
    """Return the bytes of a frame."""
    is_masked = masked != step.is_masked_wrongly
    return frame(step.opcode, step.payload, fin=step.fin, rsv=step.rsv, masked=is_masked)


def segments(case: Case, frames: list[bytes]) -> list[bytes]:
    """Return what is sent at once."""
    whole = b"".join(frames)
    if case.chop == "frames":
        return frames
    size = 1 if case.chop == "octets" else case.chop or len(whole) or 1
    return [whole[at : at + size] for at in range(0, len(whole), size)]


async def played(case: Case, line: Line, *, masked: bool) -> str:
    """Play a case at one end of the proxy; return what was wrong, empty if nothing was."""
    frames = [rendered(step, masked=masked) for step in case.steps]
    if not case.fails and not any(step.opcode == CLOSE for step in case.steps):
        collecting = asyncio.create_task(collected(case, line))
        await sent(case, frames, line)
        messages, pongs, close = await collecting
        if close is None:
            line.send(frame(CLOSE, b"\x03\xe8", masked=masked))
            close = await line.close()
    else:
        await sent(case, frames, line)
        messages, pongs, close = await collected(case, line)
    return judged(case, messages, pongs, close)


async def sent(case: Case, frames: list[bytes], line: Line) -> None:
    """Send the segments of a case."""
    for segment in segments(case, frames):
        line.send(segment)
        if case.chop:
            await asyncio.sleep(0)


async def collected(case, line):
    """Read frames up to the close frame, or up to all that is expected of a case without one."""
    messages, pongs, begun = [], [], None
    is_open = not case.fails and not any(step.opcode == CLOSE for step in case.steps)
    while True:
        is_complete = len(messages) == len(case.messages) and len(pongs) == len(case.pongs)
        if is_open and is_complete:
            return messages, pongs, None
        one = await line.frame()
        if one is None or one.opcode == CLOSE:
            return messages, pongs, one
        if one.opcode == PONG:
            pongs.append(one.payload)
        elif one.opcode != PING:
            begun = (
                (one.opcode, one.payload) if begun is None else (begun[0], begun[1] + one.payload)
            )
            if one.fin:
                messages.append(begun)
                begun = None


def judged(case, messages, pongs, close) -> str:
    """Return what was wrong about the answers."""
    if close is None:
        return f"{case.id}: no close frame"
    if close.code != case.code:
        return f"{case.id}: closed with {close.code} {close.reason!r}, not {case.code}"
    if case.reason and close.payload[2:] != case.reason:
        return f"{case.id}: the reason is {close.payload[2:]!r}"
    expected = list(case.messages)
    if case.fails:
        return "" if messages == expected[: len(messages)] else f"{case.id}: {messages[:3]!r}"
    if messages != expected or pongs != list(case.pongs):
        return f"{case.id}: {len(messages)} messages, pongs {pongs!r}"
    return ""


@pytest.mark.parametrize("section", SECTIONS)
async def test_a_client_is_answered_as_the_rfc_says(section):
    """The tester is a client; the echo is the service."""
    wrong = []
    async with serving(echo) as service, proxying(service.url, policy=PATIENT) as proxy:
        for case in SECTIONS[section]():
            async with await proxy.open() as client:
                wrong.append(await played(case, client, masked=True))
        await proxy.rest()

    assert [one for one in wrong if one] == []


@pytest.mark.parametrize("section", SECTIONS)
async def test_a_service_is_answered_as_the_rfc_says(section):
    """The tester is a service; the echo is the client."""
    cases, wrong = list(SECTIONS[section]()), []
    waiting = iter(cases)

    async def play(peer: Peer) -> None:
        wrong.append(await played(next(waiting), peer, masked=False))

    async with serving(play) as service, proxying(service.url, policy=PATIENT) as proxy:
        for _ in cases:
            async with await proxy.open() as client:
                while (one := await client.message()) is not None:
                    client.send(frame(one.opcode, one.payload))
                    if one.opcode == CLOSE:
                        break
                await client.is_closed()
        await proxy.rest()

    assert [one for one in wrong if one] == []
    assert len(wrong) == len(cases)


def test_there_are_enough_cases():
    """No section is empty, and no case is there twice."""
    names = [f"{section}: {case.id}" for section in SECTIONS for case in SECTIONS[section]()]

    assert len(names) == len(set(names))
    assert len(names) >= 300
