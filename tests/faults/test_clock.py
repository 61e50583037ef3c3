"""The time of day jumps: timers use another clock, so no request is affected."""

import asyncio
import glob
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.faults.conftest import FAULT_GATEWAY, FaultSite
from tests.faults.limits import CALL_TIMEOUT
from tests.processes.client import Answer, ask
from tests.processes.gateway import Gateway
from tests.processes.waiting import until

pytestmark = pytest.mark.needs("faketime")

HOUR = 3600.0
SLOW = {"kind": "latency", "distribution": {"name": "constant", "seconds": 3.0}}
LIBRARIES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")


class Wall:
    """The time of day as a gateway sees it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def jump(self, seconds: float) -> None:
        """Put it so many seconds off."""
        changed = self.path.with_suffix(".new")
        changed.write_text(f"{seconds:+g}")
        changed.replace(self.path)


@pytest.fixture(scope="module")
def wall(tmp_path_factory: pytest.TempPathFactory) -> Wall:
    """Begin with the right time."""
    wall = Wall(tmp_path_factory.mktemp("wall") / "offset")
    wall.jump(0)
    return wall


@pytest.fixture(scope="module")
def clocked(started: FaultSite, wall: Wall) -> Iterator[Gateway]:
    """Serve a gateway whose time of day comes from the file; its monotonic clock is left alone."""
    (library,) = [path for pattern in LIBRARIES for path in glob.glob(pattern)][:1]  # noqa: PTH207
    environ = started.environ(
        LD_PRELOAD=library,
        FAKETIME_TIMESTAMP_FILE=str(wall.path),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )
    with started.site.serving(FAULT_GATEWAY, environ) as gateway:
        yield gateway


@pytest.mark.parametrize("hours", [1, -1])
async def test_clock_jump_1_h(fault_site, clocked, wall, hours):
    """Requests under way, connections, deadlines: all go on as if nothing had happened."""
    wall.jump(0)
    before = [await ask(clocked.port, f"/v1/products/{number}") for number in range(1, 20)]
    idle = clocked.look()["idle"]
    with fault_site.reviews.fault("latency", distribution={"name": "constant", "seconds": 0.15}):
        under_way = asyncio.create_task(ask(clocked.port, "/v1/products/50"))
        await asyncio.sleep(0.05)
        wall.jump(hours * HOUR)
        interrupted = await under_way
    moved = await logged_at(clocked, interrupted) - await logged_at(clocked, before[-1])
    after = [await ask(clocked.port, f"/v1/products/{number}") for number in range(1, 20)]
    held = clocked.look()["idle"]
    with fault_site.catalog.fault(**SLOW):
        late = await ask(clocked.port, "/v1/products/51")
    state = clocked.look()

    assert abs(moved - hours * HOUR) < 60
    assert {answer.status for answer in (*before, interrupted, *after)} == {200}
    assert interrupted.parts == {"product": "ok", "reviews": "ok"}
    assert late.status == 504
    assert CALL_TIMEOUT * 0.9 <= late.seconds <= CALL_TIMEOUT + 0.3
    assert held >= idle > 0
    assert (state["requests"], state["flights"], state["active"]) == (0, 0, 0)


async def logged_at(gateway: Gateway, answer: Answer) -> float:
    """Return the time of day at which a gateway says that it gave an answer."""

    def found() -> list[str]:
        wanted = answer.headers["x-request-id"]
        lines = gateway.events("request.answered")
        return [line["time"] for line in lines if line["request_id"] == wanted]

    await until(lambda: bool(found()))
    return datetime.fromisoformat(found()[0]).timestamp()
