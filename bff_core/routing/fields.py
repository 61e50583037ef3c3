"""Faces whose views are no routes, such as the fields of a GraphQL schema."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable


@runtime_checkable
class HasFields(Protocol):
    """A face whose views are no routes, such as GraphQL."""

    def fields(self) -> Iterable[tuple[str, str, str]]:
        """Return the label of each, its screen and the text of its objective, or empty texts."""
        ...
