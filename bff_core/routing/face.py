"""The interface of a face: REST views, a GraphQL schema, or another way to call a gateway."""

from collections.abc import Iterable
from typing import Protocol

from fastapi import FastAPI

from bff_core.composition.composition import Composition
from bff_core.routing.access import RouteAccess
from bff_core.routing.fast_path import FastPath


class Face(Protocol):
    """One way in which clients call a gateway: REST views, a GraphQL schema."""

    @property
    def compositions(self) -> Iterable[type[Composition]]:
        """The screens that the face is known to need; checked before the gateway starts."""
        ...

    def install(self, app: FastAPI, fast_path: FastPath, *, is_development: bool) -> None:
        """Add the face's routes to an app that has not started."""

    def access(self, by: tuple[str, ...], /) -> Iterable[RouteAccess]:
        """Return the access rules of what has no route of its own, such as fields of GraphQL."""
        ...
