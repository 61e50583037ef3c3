"""A gateway that takes writes and counts its callers, for processes that serve it."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from bff_core import ANYONE, Limit, Views, gateway

views = Views(access=ANYONE)


@views.get("/price")
async def get_price() -> int:
    """Answer a read."""
    return 7


@views.post("/payments")
async def pay() -> int:
    """Answer a write."""
    return 7


@asynccontextmanager
async def report(_app: FastAPI) -> AsyncIterator[None]:
    """Print a line for each worker that has started."""
    sys.stderr.write(f"till: worker {os.getpid()} has started\n")
    yield


app = gateway("till", faces=[views], limits=[Limit(quota=1000)], lifespan=report)
