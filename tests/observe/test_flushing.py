"""What is left is sent at shutdown, and a collector that does not answer delays nothing."""

import asyncio
import threading

from bff_core.observe.flushing import flushed


class Sink:
    """A sink whose flush waits until it may go on, and then may fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.is_flushed = threading.Event()

    def __call__(self, event: object, /) -> None:
        """Take an event."""

    def flush(self, seconds: float, /) -> None:
        """Send what is left."""
        self.may_go_on.wait(20)
        if self.error is not None:
            raise self.error
        self.is_flushed.set()


async def test_all_sinks_are_flushed(caplog):
    """One that fails is logged, and the others are flushed."""
    good, broken = Sink(), Sink(LookupError("no collector"))

    async with flushed([broken, good]):
        assert not good.is_flushed.is_set()

    assert good.is_flushed.is_set()
    assert "could not be flushed" in caplog.text


def test_a_sink_that_hangs_delays_neither_the_loop_nor_the_process():
    """The loop ends after the limit, for all sinks together, and joins no thread."""
    hanging = [Sink(), Sink()]
    for one in hanging:
        one.may_go_on.clear()

    async def run() -> None:
        async with flushed(hanging, seconds=0.05):
            pass

    asyncio.run(run())
    flushing = [one for one in threading.enumerate() if one.name == "bff-flush"]
    is_daemon = [one.daemon for one in flushing]
    for one in hanging:
        one.may_go_on.set()
    for thread in flushing:
        thread.join()

    assert is_daemon == [True, True]
    assert all(one.is_flushed.is_set() for one in hanging)
