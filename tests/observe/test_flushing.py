"""What is left is sent at shutdown, and a collector that does not answer delays nothing."""

import asyncio
import threading
import time

import pytest

from bff_core.observe import flushing
from bff_core.observe.flushing import flushed


class Sink:
    """A sink whose flush takes a time."""

    def __init__(self, seconds: float = 0.0, error: Exception | None = None) -> None:
        self.seconds = seconds
        self.error = error
        self.is_flushed = threading.Event()

    def __call__(self, event: object, /) -> None:
        """Take an event."""

    def flush(self, seconds: float, /) -> None:
        """Send what is left."""
        time.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        self.is_flushed.set()


async def test_all_sinks_are_flushed(caplog):
    """One that fails is logged, and the others are flushed."""
    good, broken = Sink(), Sink(error=LookupError("no collector"))

    async with flushed([broken, good]):
        assert not good.is_flushed.is_set()

    assert good.is_flushed.is_set()
    assert "could not be flushed" in caplog.text


@pytest.mark.slow
def test_a_sink_that_hangs_delays_neither_the_loop_nor_the_process(monkeypatch):
    """The loop ends after the limit, for all sinks together, and joins no thread."""
    monkeypatch.setattr(flushing, "FLUSH_SECONDS", 0.2)

    async def run() -> None:
        async with flushed([Sink(5.0), Sink(5.0)]):
            pass

    began = time.monotonic()
    asyncio.run(run())

    assert time.monotonic() - began < 2.0
    assert all(one.daemon for one in threading.enumerate() if one.name == "bff-flush")
