"""Parts in interfaces, unions, generic and derived types, with annotations that are strings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

import strawberry
from strawberry.federation.schema_directives import Shareable

from bff_core import ANYONE, Composition, access, critical, loader, optional
from bff_core.graphql import Info, ShapeOf, each, part, screen, value

if TYPE_CHECKING:
    from part_kinds import WebFish

T = TypeVar("T")


@dataclass(frozen=True)
class Animal:
    """Something of a zoo."""

    name: str


@dataclass(frozen=True)
class Dog(Animal):
    """It barks."""

    barks: bool = True


@dataclass(frozen=True)
class Fish(Animal):
    """It swims."""

    friends: tuple[Fish, ...] = ()


@dataclass(frozen=True)
class Cage:
    """What holds animals."""

    animals: tuple[Dog | Fish, ...]
    first: Dog | Fish | None


class Zoo(Composition):
    """A screen."""

    town: str = "Ulm"

    @critical
    async def dogs(self, first: int = 2) -> Sequence[Dog]:
        """Return the dogs."""
        return [Dog(f"{self.town} {n}") for n in range(first)]

    @optional
    async def fish(self) -> Fish:
        """Return a fish."""
        return Fish("Nemo", friends=(Fish("Dory"),))

    @critical
    async def cage(self) -> Cage:
        """Return a cage."""
        dog, fish = Dog("Rex"), Fish("Nemo")
        return Cage((dog, fish), fish)


class LargeZoo(Zoo):
    """A screen that overrides a part of another."""

    @critical
    async def dogs(self, first: int = 2) -> Sequence[Dog]:
        """Return the dogs."""
        return [Dog(f"large {n}") for n in range(first)]


class ManyZoos(Zoo):
    """A screen with an input of its own, and with the parts of another."""

    number: int


class TownHall(Composition):
    """A loader whose screen has inputs, so that the parent must hold it."""

    town: str = "Ulm"

    @loader(missing=None)
    async def mayor(self, towns: tuple[str, ...]) -> Mapping[str, str]:
        """Return the mayors."""
        return {town: f"mayor of {town}, {self.town}" for town in towns}


@strawberry.interface(name="Animal")
class WebAnimal(ShapeOf[Animal]):
    """What all animals have."""

    name: str
    loud: str = value(Animal, lambda animal: animal.name.upper())


@strawberry.type(name="Dog")
class WebDog(WebAnimal, ShapeOf[Dog]):
    """A dog."""

    barks: bool


@strawberry.type(name="Fish")
class WebFish(WebAnimal, ShapeOf[Fish]):
    """A fish, with fish."""

    friends: list[Annotated[WebFish, strawberry.lazy("part_kinds")]]


@strawberry.type(name="Either")
class WebEither(ShapeOf[Dog | Fish]):
    """A shape of several classes."""

    name: str
    kind: str = value(Animal, lambda animal: type(animal).__name__)


Pet = Annotated[WebDog | WebFish, strawberry.union("Pet")]


@strawberry.type(name="Cage")
class WebCage(ShapeOf[Cage]):
    """A list of a union."""

    animals: list[Pet]
    first: Pet | None


@strawberry.type
class Paged(Generic[T]):
    """A generic type that holds a screen."""

    zoo: strawberry.Private[Zoo]
    items: list[T] = part(Zoo.dogs, each(WebDog.of))  # type: ignore[assignment]  # T is WebDog
    total: int = part(Zoo.dogs, len)


@strawberry.type
class Sight:
    """A type with a part, which others extend."""

    zoo: strawberry.Private[Zoo]
    dogs: list[WebDog] = part(Zoo.dogs, each(WebDog.of), directives=[Shareable()])


@strawberry.type
class LargeSight(Sight):
    """It holds a screen that is derived, and a second one."""

    hall: strawberry.Private[TownHall]
    town: strawberry.Private[str]
    cage: WebCage = part(Zoo.cage, WebCage.of)
    either: WebEither = part(Zoo.cage, lambda cage: WebEither.of(cage.animals[0]))
    fish: WebFish | None = part(Zoo.fish, WebFish.of)
    mayor: str | None = part(TownHall.mayor, key="town")

    @strawberry.field
    def pages(self) -> Paged[WebDog]:
        return Paged(zoo=self.zoo)

    @strawberry.field
    async def pet(self) -> WebAnimal:
        return WebDog.of((await self.zoo.dogs())[0])


@access(ANYONE)
@strawberry.federation.type(extend=False)
class Query:
    """What can be read."""

    sight: Sight = screen(Zoo, lambda zoo: Sight(zoo=zoo))
    inherited: WebCage = screen(ManyZoos.cage, WebCage.of)

    @strawberry.field
    def large(self, info: Info) -> LargeSight:
        hall = info.context.compose(TownHall, town="Bonn")
        return LargeSight(zoo=info.context.compose(LargeZoo), hall=hall, town="Ulm")


SCHEMA = strawberry.federation.Schema(Query, types=[WebFish])
