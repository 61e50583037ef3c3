"""A gateway of one service, whose policy an operator may change."""

from dataclasses import dataclass

from fastapi import Depends

from bff_core import ANYONE, Composition, Policy, Upstream, Views, compose, critical, gateway


@dataclass(frozen=True)
class Member:
    """A user of the mock service, as far as it matters here."""

    id: str


class Users(Upstream):
    """Each request is a call: equal reads are not made one."""

    policy = Policy(timeout=5.0, coalesce=False)

    async def member(self, user_id: str) -> Member:
        return await self.get("/users/{id}", Member, id=user_id)


class Card(Composition):
    """What the club knows of a member."""

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
    """Return the gateway; without settings they are the environment's."""
    return gateway("club", services=[Users], faces=[views], **options)
