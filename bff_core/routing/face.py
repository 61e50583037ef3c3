"""What a gateway asks of a face: REST views, a GraphQL schema, whatever else clients see it by."""

from collections.abc import Iterable
from typing import Protocol

from fastapi import FastAPI

from bff_core.composition.composition import Composition
from bff_core.routing.access import RouteAccess
from bff_core.routing.fast_path import FastPath


class Face(Protocol):
    """One way in which clients see a gateway: REST views, a GraphQL schema."""

    @property
    def compositions(self) -> Iterable[type[Composition]]:
        """The screens that the face is known to need; checked before the gateway starts."""
        ...

    def install(self, app: FastAPI, lane: FastPath, *, is_development: bool) -> None:
        """Add the face's routes to an app that has not started."""

    def access(self, by: tuple[str, ...], /) -> Iterable[RouteAccess]:
        """Tell who may ask for what is no route of its own."""
        ...
