"""The customer, as shown beside orders and on the dashboard."""

from dataclasses import dataclass
from typing import Self

from bffs.compositions.shelf import Shelf
from bffs.services.users import Loyalty, User

SHARE = 8
"""The portrait is an eighth of the window wide."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Who is signed in, with one portrait that fits."""

    id: str
    name: str
    email: str
    avatar: str
    loyalty: Loyalty

    @classmethod
    def of(cls, user: User, shelf: Shelf) -> Self:
        """Show what the shop knows of its customer."""
        return cls(
            id=user.id,
            name=user.name.full,
            email=user.email,
            avatar=user.avatar.url(shelf.display.width // SHARE),
            loyalty=user.loyalty,
        )
