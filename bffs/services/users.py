"""Users: who the customers are."""

from dataclasses import dataclass

from bff_core import Cache, Policy, Upstream
from bffs.services.values import Image


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name, in parts and as it is written."""

    given: str
    full: str


@dataclass(frozen=True, slots=True)
class Loyalty:
    """What the shop thinks of a customer."""

    tier: str
    points: int
    points_to_next: int | None


@dataclass(frozen=True, slots=True)
class User:
    """A customer."""

    id: str
    email: str
    name: Name
    avatar: Image
    loyalty: Loyalty


class Users(Upstream):
    """Profiles of customers."""

    policy = Policy(timeout=1.5, critical=True, cache=Cache(error=3600))

    async def profile(self, user_id: str) -> User:
        """Return one customer."""
        return await self.get("/users/{id}", User, id=user_id)
