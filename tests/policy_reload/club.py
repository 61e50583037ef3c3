"""A gateway with one service, whose policy an operator changes."""

from dataclasses import dataclass

from fastapi import Depends

from bff_core import ANYONE, Composition, Policy, Upstream, Views, compose, critical, gateway


@dataclass(frozen=True)
class Member:
    """A user of the mock service."""

    id: str


class Users(Upstream):
    """A service without coalescing, so that each request is a call."""

    policy = Policy(timeout=5.0, coalesce=False)

    async def member(self, user_id: str) -> Member:
        return await self.get("/users/{id}", Member, id=user_id)


class Card(Composition):
    """The answer of the gateway."""

    users: Users
    user_id: str

    @critical
    async def member(self) -> Member:
        """Return the member."""
        return await self.users.member(self.user_id)


views = Views(access=ANYONE)


@views.get("/members/{user_id}")
async def get_member(card: Card = Depends(compose(Card))) -> Member:  # noqa: B008 - FastAPI's form
    """Show a member."""
    return await card.member()


def make(**options):
    """Return the gateway; without settings, the environment configures it."""
    return gateway("club", services=[Users], faces=[views], **options)
