"""What a gateway serves, view by view: the label, the screen and the objective of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bff_core.objective import Objective


@dataclass(frozen=True, slots=True)
class ServedView:
    """A route, or a field of the query or mutation of a GraphQL schema.

    `label` is "GET /v1/home" or "query home". `screen` names its composition; it is empty if that
    is not known before a request. `objective` is None for a view without one.
    """

    label: str
    screen: str = ""
    objective: Objective | None = None


@runtime_checkable
class HasFields(Protocol):
    """A face whose views are no routes, such as GraphQL."""

    def fields(self) -> Iterable[tuple[str, str, str]]:
        """Return the label of each, its screen and the text of its objective, or empty texts."""
        ...
