"""What type checkers accept, and what they refuse: the lines that end in `# refused`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import strawberry

from bff_core import ANYONE, Composition, Require, critical, loader, optional
from bff_core.graphql import ListSize, ShapeOf, each, part, screen, value


@dataclass(frozen=True)
class User:
    """A value of a service."""

    name: str
    age: int


@dataclass(frozen=True)
class Pet:
    """Another."""

    name: str


class Home(Composition):
    """A screen with parts of all kinds."""

    user_id: str = ""

    @critical
    async def profile(self) -> User:
        """Not None."""
        return User("", 1)

    @critical(timeout=1.0)
    async def owner(self) -> User:
        """Not None, with options."""
        return User("", 1)

    @optional
    async def friend(self) -> User:
        """None if it fails."""
        return User("", 1)

    @optional(fallback=())
    async def friends(self, first: int = 3) -> Sequence[User]:
        """Never None."""
        return [User("", first)]

    @optional
    async def fans(self, *, limit: int = 3) -> Sequence[User]:
        """None if it fails."""
        return [User("", limit)]

    @critical
    async def gaps(self) -> Sequence[User | None]:
        """With items that are None."""
        return []

    @optional(fallback=0)
    async def count(self) -> int:
        """Return a number."""
        return 1

    @loader(missing=None, fallback=None)
    async def user(self, ids: tuple[str, ...]) -> Mapping[str, User]:
        """None if there is none."""
        return {}

    @loader
    async def pet(self, ids: tuple[str, ...]) -> Mapping[str, Pet]:
        """Not None."""
        return {}


@strawberry.type
class WebUser(ShapeOf[User]):
    """A shape."""

    name: str
    age: int


@strawberry.type
class WebPet(ShapeOf[Pet]):
    """Another."""

    name: str


def initial(user: User) -> str:
    """Return a letter."""
    return user.name[0]


def initial_or_none(user: User | None) -> str:
    """Return a letter, whatever happens."""
    return user.name[0] if user else "?"


@strawberry.type
class Right(ShapeOf[Home]):
    """Fields that fit."""

    profile: WebUser = part(Home.profile, WebUser.of)
    owner: WebUser | None = part(Home.owner, WebUser.of, access=ANYONE, name="owned")
    friend: WebUser | None = part(Home.friend, WebUser.of, description="A friend.")
    friends: list[WebUser] = part(Home.friends, each(WebUser.of), most=20)
    fans: list[WebUser] | None = part(Home.fans, each(WebUser.of), most=20)
    gaps: list[WebUser | None] = part(Home.gaps, each(WebUser.of))
    count: int = part(Home.count)
    bare: WebUser = part(Home.profile, WebUser.of, access=Require("a", "b"))
    age: int = part(Home.profile, lambda user: user.age)
    name: str | None = part(Home.friend, lambda user: user.name)
    letter: str = part(Home.profile, initial)
    letters: list[str] = part(Home.friends, each(initial), arguments={"first": "most"})
    other: str | None = part(Home.friend, initial_or_none)
    loaded: WebUser | None = part(Home.user, WebUser.of, key="user_id")
    pet: WebPet = part(Home.pet, WebPet.of, key="user_id")
    raw: int = part(Home.pet, lambda pet: len(pet.name), key="user_id", directives=[ListSize()])
    user_id: str = value(Home, lambda home: home.user_id)
    home: "Right" = screen(Home, lambda home: Right.of(home))  # noqa: PLW0108 # not defined yet
    one: WebUser = screen(Home.profile, WebUser.of, arguments={"user_id": "id"})
    two: WebUser | None = screen(Home.friend, WebUser.of)
    three: list[WebUser] = screen(Home.friends, each(WebUser.of), most=3)


NAME: str = WebUser.of(User("", 1)).source.name
LETTERS: list[str] = each(initial)([User("", 1)])


@strawberry.type
class Wrong(ShapeOf[Home]):
    """Fields that do not fit."""

    field: WebPet = part(Home.profile, WebUser.of)  # refused
    shape: WebPet = part(Home.profile, WebPet.of)  # refused
    none: WebUser = part(Home.friend, WebUser.of)  # refused
    none_list: list[WebUser] = part(Home.fans, each(WebUser.of))  # refused
    none_item: list[WebUser] = part(Home.gaps, each(WebUser.of))  # refused
    none_bare: User = part(Home.friend)  # refused
    none_picked: str = part(Home.friend, lambda user: user.name)  # refused
    none_passed: str = part(Home.friend, initial_or_none)  # refused
    none_loaded: WebUser = part(Home.user, WebUser.of, key="user_id")  # refused
    no_list: WebUser = part(Home.friends, WebUser.of)  # refused
    items: list[WebPet] = part(Home.friends, each(WebPet.of))  # refused
    count: str = part(Home.count)  # refused
    attribute: str = part(Home.profile, lambda user: user.nane)  # refused
    picked: int = part(Home.profile, lambda user: user.name)  # refused
    most: WebUser = part(Home.profile, WebUser.of, most=20)  # refused
    most_bare: int = part(Home.count, most=20)  # refused
    most_type: list[WebUser] = part(Home.friends, each(WebUser.of), most="20")  # refused
    most_loaded: WebUser | None = part(Home.user, WebUser.of, key="user_id", most=3)  # refused
    option: WebUser = part(Home.profile, WebUser.of, acess=ANYONE)  # refused
    rule: WebUser = part(Home.profile, WebUser.of, access="admin")  # refused
    no_key: WebUser | None = part(Home.user, WebUser.of)  # refused
    key: WebUser = part(Home.profile, WebUser.of, key="user_id")  # refused
    no_part: WebUser = part(Home, WebUser.of)  # refused
    no_screen: WebUser = screen(User, WebUser.of)  # refused
    screen_shape: WebUser = screen(Home, WebUser.of)  # refused
    screen_none: WebUser = screen(Home.friend, WebUser.of)  # refused
    source: str = value(User, lambda user: user.age)  # refused
    source_option: str = value(User, initial, most=3)  # refused


AGE: int = WebUser.of(User("", 1)).name  # refused
TYPO = WebUser.of(User("", 1)).nane  # refused
PET = WebUser.of(Pet(""))  # refused
