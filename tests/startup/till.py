"""A gateway that takes writes and counts its callers, for processes that serve it."""

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


app = gateway("till", faces=[views], limits=[Limit(quota=1000)])
