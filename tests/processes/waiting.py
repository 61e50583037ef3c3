"""Waits for the state of another process, with a timeout."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from tests.processes.gateway import Gateway

HELD = ("requests", "streams", "flights", "permits", "queued", "active", "waiting")
"""The counters that are 0 in an idle gateway."""


async def until(condition: Callable[[], bool], within: float = 5.0) -> None:
    """Poll a condition; fail when it does not come true."""
    ends = time.monotonic() + within
    while not condition():
        assert time.monotonic() < ends, f"it did not come true within {within} s"
        await asyncio.sleep(0.002)


async def settled(gateway: Gateway, within: float = 2.0) -> dict[str, Any]:
    """Return the state of a gateway as soon as it is idle, or after `within` seconds."""
    ends = time.monotonic() + within
    while True:
        found = gateway.look()
        if not any(found[one] for one in HELD) or time.monotonic() > ends:
            return found
        await asyncio.sleep(0.02)
