"""`bulk_answer`: for each item of a bulk write a status, and its result or a problem."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from bff_core.composition.bulk import ItemResult, NotAttempted
from bff_core.edge.problem_details import members_of
from bff_core.rest.openapi import later

T = TypeVar("T")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class BulkItem(Generic[T]):
    """The outcome of one item: the status of a single request, and a problem as in RFC 9457."""

    index: int
    key: str
    status: int
    result: T | None
    problem: dict[str, Any] | None

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Return the schema of an item, whose problem is that of an error response."""
        made = handler(schema)
        problem = {"anyOf": [later("Problem"), {"type": "null"}]}
        handler.resolve_ref_schema(made)["properties"]["problem"] = problem
        return made


@dataclass(frozen=True, slots=True)
class BulkAnswer(Generic[T]):
    """The outcomes of all items, in the order of the request; the route's status is 207."""

    done: int
    failed: int
    not_attempted: int
    items: Sequence[BulkItem[T]]


def bulk_answer(results: Sequence[ItemResult[V]], present: Callable[[V], T]) -> BulkAnswer[T]:
    """Return the answer of a bulk write; `present` maps the result of an item for the client."""
    items = [_item(one, present) for one in results]
    done = sum(one.is_done for one in results)
    skipped = sum(isinstance(one.error, NotAttempted) for one in results)
    return BulkAnswer(done, len(items) - done - skipped, skipped, items)


def _item(one: ItemResult[V], present: Callable[[V], T]) -> BulkItem[T]:
    if one.error is None:
        value: V = one.value  # type: ignore[assignment]  # set if there is no error
        return BulkItem(one.index, one.key, 200, present(value), None)
    problem = members_of(one.error)
    return BulkItem(one.index, one.key, int(str(problem["status"])), None, problem)
