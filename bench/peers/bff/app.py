"""The benchmark's screen on this framework, with everything on that a gateway has by default."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from bff_core import Composition, Upstream, Views, compose, critical, gateway, gather, optional


@dataclass(frozen=True, slots=True)
class User:
    """The user that the screen greets."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the list shows it."""

    id: int
    total: float
    status: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A product as the shelf shows it."""

    id: int
    title: str
    price: float


@dataclass(frozen=True, slots=True)
class ScreenView:
    """The whole screen."""

    user: User
    orders: Sequence[Order]
    recommendations: Sequence[Recommendation]


class Users(Upstream):
    """The user."""

    async def profile(self, user_id: int) -> User:
        """Return one user."""
        return await self.get("/users/{id}", User, id=user_id)


class Orders(Upstream):
    """The user's orders."""

    async def of(self, user_id: int) -> list[Order]:
        """Return a user's orders."""
        return await self.get("/orders/{id}", list[Order], id=user_id)


class Recommendations(Upstream):
    """Recommendations for the user."""

    async def for_user(self, user_id: int) -> list[Recommendation]:
        """Return products for a user."""
        return await self.get("/recommendations/{id}", list[Recommendation], id=user_id)


class Screen(Composition):
    """A user with orders and recommendations."""

    users: Users
    orders_service: Orders
    recommendations_service: Recommendations
    user_id: int

    @critical
    async def user(self) -> User:
        """Fail the screen when the service fails."""
        return await self.users.profile(self.user_id)

    @optional(fallback=())
    async def orders(self) -> Sequence[Order]:
        """Show none when the service fails."""
        return await self.orders_service.of(self.user_id)

    @optional(fallback=())
    async def recommendations(self) -> Sequence[Recommendation]:
        """Show none when the service fails."""
        return await self.recommendations_service.for_user(self.user_id)


views = Views()


@views.get("/screen/{user_id}")
async def get_screen(screen: Annotated[Screen, Depends(compose(Screen))]) -> ScreenView:
    """Answer with the three parts."""
    user, orders, recommendations = await gather(
        screen.user(), screen.orders(), screen.recommendations()
    )
    return ScreenView(user, orders, recommendations)


app = gateway("bench", services=[Users, Orders, Recommendations], faces=[views])
