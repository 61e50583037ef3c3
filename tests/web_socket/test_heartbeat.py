"""Pings to silent peers, in virtual time."""

import asyncio

import pytest

from bff_core.web_socket.heartbeat import Heartbeat

pytestmark = pytest.mark.virtual_time


class Peer:
    """A peer that notes when it was pinged and lost."""

    def __init__(self, ping=10.0, timeout=None):
        self.loop = asyncio.get_running_loop()
        self.begun = self.loop.time()
        self.pings = []
        self.lost_at = None
        self.is_read = True
        self.waiting = 0
        self.heartbeat = Heartbeat(self, ping, timeout, self.lose, self.loop)
        self.heartbeat.start()

    @property
    def seconds(self):
        """The seconds since the begin."""
        return round(self.loop.time() - self.begun)

    def is_listening(self):
        """Whether it is read from."""
        return self.is_read

    def unsent(self):
        """How much it has not read."""
        return self.waiting

    def ping(self):
        """Note a ping."""
        self.pings.append(self.seconds)

    def lose(self):
        """Note the loss."""
        self.lost_at = self.seconds


async def test_a_silent_peer_is_pinged_and_lost():
    """After `ping` seconds each, and never pinged again."""
    peer = Peer()
    await asyncio.sleep(100)

    assert (peer.pings, peer.lost_at) == ([10], 20)


async def test_a_timeout_of_its_own():
    """The answer may have less time than a silence."""
    peer = Peer(timeout=3.0)
    await asyncio.sleep(100)

    assert (peer.pings, peer.lost_at) == ([10], 13)


async def test_a_peer_that_speaks_is_not_pinged():
    """Whatever it sends counts."""
    peer = Peer()
    for _ in range(50):
        await asyncio.sleep(2)
        peer.heartbeat.is_heard = True

    assert (peer.pings, peer.lost_at) == ([], None)


async def test_a_peer_that_answers_is_pinged_on():
    """Once in two intervals, as long as it answers."""
    peer = Peer()
    for _ in range(100):
        await asyncio.sleep(1)
        if peer.pings and peer.pings[-1] == peer.seconds - 1:
            peer.heartbeat.is_heard = True

    assert (peer.pings, peer.lost_at) == ([10, 30, 50, 70, 90], None)


async def test_a_peer_that_reads_on_is_not_lost():
    """Its pong queues behind a long message, of which it has taken a part."""
    peer = Peer()
    peer.waiting = 10_000
    for _ in range(100):
        await asyncio.sleep(1)
        peer.waiting -= 50

    assert peer.lost_at is None


async def test_a_peer_that_reads_nothing_is_lost():
    """What waits for it does not become less."""
    peer = Peer()
    peer.waiting = 10_000
    await asyncio.sleep(100)

    assert peer.lost_at == 20


async def test_a_peer_that_is_not_read_from_can_not_answer():
    """It is not pinged meanwhile, and gets the whole time afterwards."""
    peer = Peer()
    peer.is_read = False
    await asyncio.sleep(95)
    peer.is_read = True
    await asyncio.sleep(100)

    assert (peer.pings, peer.lost_at) == ([100], 110)


async def test_no_pings():
    """Without an interval nothing happens."""
    peer = Peer(ping=None)
    await asyncio.sleep(1000)

    assert (peer.pings, peer.lost_at) == ([], None)


async def test_a_heartbeat_that_stopped():
    """It pings no more."""
    peer = Peer()
    await asyncio.sleep(5)
    peer.heartbeat.stop()
    await asyncio.sleep(100)

    assert (peer.pings, peer.lost_at) == ([], None)
