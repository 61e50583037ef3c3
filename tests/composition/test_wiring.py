"""Dependency injection: fields of a composition are filled by type; the others are inputs."""

import asyncio
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

import pytest
from typing_extensions import TypeAliasType

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


T = TypeVar("T")

Plain = TypeAliasType("Plain", T, type_params=(T,))
Maybe = TypeAliasType("Maybe", T | None, type_params=(T,))


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


def test_generic_aliases_stand_for_types_with_their_arguments():
    """A service and a fact of the request are found behind them as well."""

    class Aliased(Composition):
        users: Plain[Users]
        locale: Plain[Locale]
        count: Plain[int]

    shape = shape_of(Aliased)

    assert shape.services == (("users", Users),)
    assert shape.facts == (("locale", Locale),)
    assert [one.name for one in shape.inputs] == ["count"]


def test_generic_alias_of_a_fact_is_no_input():
    """A client could send it."""

    class Hidden(Composition):
        locale: Maybe[Locale]

    with pytest.raises(ConfigurationError, match="write locale: Locale"):
        shape_of(Hidden)


def test_a_field_has_the_arguments_of_the_class_that_declares_it():
    """A subclass may declare it anew, with a type variable of its own."""

    class Base(Composition, Generic[T]):
        first: T
        second: T

    class Lists(Base[int], Generic[T]):
        first: list[T]

    class Screen(Lists[str]):
        pass

    annotations = {one.name: one.annotation for one in shape_of(Screen).inputs}

    assert annotations == {"first": list[str], "second": int}


def test_type_that_only_type_checkers_import_is_named():
    """The gateway fills fields by their types, so that it has to know them."""

    class Unknown(Composition):
        users: "NoSuchService"  # noqa: F821 # that is the mistake

    with pytest.raises(ConfigurationError, match=r"Unknown: name 'NoSuchService' .* run time"):
        shape_of(Unknown)


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
