"""The interface of a face: REST views, a GraphQL schema, or another API of a gateway."""

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from fastapi import FastAPI

from bff_core.composition.composition import Composition
from bff_core.routing.access import RouteAccess
from bff_core.routing.fast_path import FastPath
from bff_core.routing.route_table import RouteTable
from bff_core.upstream.client import Upstream


class Face(Protocol):
    """One API of a gateway, such as REST views or a GraphQL schema."""

    @property
    def compositions(self) -> Iterable[type[Composition]]:
        """The screens that the face builds, as far as they are known before a request.

        The gateway has the services in their fields, and checks the screens before it starts.
        """
        ...

    def install(self, app: FastAPI, fast_path: FastPath, *, is_development: bool) -> None:
        """Add the routes of the face to an app that has not started."""

    def access(self, by: tuple[str, ...], /) -> Iterable[RouteAccess]:
        """Return access rules that belong to no route, such as those of GraphQL fields."""
        ...


@runtime_checkable
class CallsServices(Protocol):
    """A face whose routes call services themselves, without a composition."""

    def services(self, known: Sequence[type[Upstream]], /) -> Iterable[type[Upstream]]:
        """Return the services that the routes call.

        `known` are those that the gateway has anyway; routes may name them. Raises
        `ConfigurationError` for a name that none has.
        """
        ...

    def check_routes(self, table: RouteTable, /) -> None:
        """Raise `ConfigurationError` for routes that conflict with others of the table."""
        ...
