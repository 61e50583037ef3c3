"""The overloaded gateway: the benchmark's screen, critical and sheddable."""

from typing import Annotated

from fastapi import Depends

from bench.peers.bff.app import Orders, Recommendations, Screen, ScreenView, Users, get_screen
from bff_core import Views, compose, gateway

views = Views()
views.get("/screen/{user_id}")(get_screen)


@views.get("/shelf/{user_id}", criticality="sheddable")
async def get_shelf(screen: Annotated[Screen, Depends(compose(Screen))]) -> ScreenView:
    """Answer like the screen, with the criticality sheddable."""
    return await get_screen(screen)


app = gateway("overload", services=[Users, Orders, Recommendations], faces=[views])
