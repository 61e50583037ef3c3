"""Dependency injection: fields of a composition are filled by type; the others are inputs."""

import asyncio
from dataclasses import dataclass
from typing import Self

import pytest

from bff_core.clock import monotonic
from bff_core.composition.composition import Composition
from bff_core.composition.decorators import critical
from bff_core.composition.wiring import Wiring, shape_of
from bff_core.errors import ConfigurationError
from bff_core.events import Events
from bff_core.scope import Scope


class Users:
    """A service that can be bound."""

    def __init__(self, scope: Scope | None = None) -> None:
        self.scope = scope

    def bind(self, scope: Scope) -> Self:
        return type(self)(scope)


@dataclass(frozen=True)
class Locale:
    """A fact of the request."""

    code: str

    @classmethod
    def from_scope(cls, scope: Scope) -> Self:
        return cls(scope.header("accept-language") or "en")


class Profile(Composition):
    """A screen with a field of each kind."""

    users: Users
    locale: Locale
    user_id: str
    first: int = 10

    @critical
    async def name(self) -> str:
        return f"{self.user_id} {self.locale.code}"


def wiring(*services: Users) -> Wiring:
    loop = asyncio.get_running_loop()
    return Wiring(services, loop=loop, clock=monotonic, events=Events())


def test_fields_are_services_facts_or_inputs():
    """Services and facts are recognised by their types, everything else is an input."""
    shape = shape_of(Profile)

    assert shape.services == (("users", Users),)
    assert shape.facts == (("locale", Locale),)
    assert [(one.name, one.is_required) for one in shape.inputs] == [
        ("user_id", True),
        ("first", False),
    ]


async def test_services_are_bound_to_the_request():
    """The services of a screen make their calls for its request."""
    scope = Scope(deadline=monotonic() + 1, headers=((b"accept-language", b"de"),))

    screen = wiring(Users()).build(Profile, scope, {"user_id": "7"})

    assert screen.users.scope is scope
    assert await screen.name() == "7 de"
    assert scope.vary == ["accept-language"]


async def test_missing_service_is_named():
    """The error says which screen needs which service."""
    with pytest.raises(ConfigurationError, match=r"Profile\.users needs Users"):
        wiring().build(Profile, Scope(deadline=monotonic() + 1), {"user_id": "7"})
