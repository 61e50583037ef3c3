"""Factories of gateways, and functions that look like factories."""

import functools
from typing import Annotated

from bff_core import Gateway, Settings, Views, gateway


def app() -> Gateway:
    """Return a gateway without services."""
    return gateway("depot", settings=Settings(env="development"))


def with_a_default(name: str = "depot") -> Gateway:
    """Return a gateway whose name has a default."""
    return gateway(name, settings=Settings(env="development"))


def makes_a_factory() -> object:
    """Return the factory, not what it returns."""
    return app


VIEWS = Views()
lazily = functools.cache(app)
NAMED = functools.partial(with_a_default, "named")


class Shop:
    """A place for a factory."""

    app = staticmethod(app)


def needs_settings(settings: Settings) -> Gateway:
    """Return a gateway for settings that are never passed."""
    return gateway("depot", settings=settings)


async def opens_later() -> Gateway:
    """Return a gateway, once it is awaited."""
    return app()


def forgets() -> None:
    """Make a gateway and return nothing."""
    app()


def counts() -> Annotated[int, ["seats"]]:
    """Return something that is not an application, of a type that is not hashable."""
    return 1


async def plain(scope, receive, send) -> None:
    """Serve nothing."""


async def any_arguments(*arguments) -> None:
    """Serve nothing, whatever the arguments."""


class _Callable:
    async def __call__(self, scope, receive, send) -> None:
        """Serve nothing."""


CALLABLE = _Callable()
