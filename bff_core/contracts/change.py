"""`Change`: one difference between two versions of a contract, and how severe it is."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["breaking", "warning", "info"]
"""`breaking`: a client that follows the contract fails. `warning`: it may fail."""


@dataclass(frozen=True, slots=True)
class Change:
    """A difference between a contract and its successor.

    `rule` names the kind of change, such as `response-property-removed`. `operation` is
    "GET /pets/{id}", a GraphQL type, or empty. `place` is where in the operation it is, and
    `field` the path of the property: ("items", "[]", "price"); "[]" is an item of a list, "{}" a
    value of a map. `status` is that of the response. `loops` are for types that contain
    themselves: at a position of the path, these steps may stand any number of times; "**" at their
    end stands for any steps.
    """

    rule: str
    level: Level
    text: str
    operation: str = ""
    place: Literal["operation", "parameter", "request", "response", "security", "type"] = (
        "operation"
    )
    field: tuple[str, ...] = ()
    status: str = ""
    pointer: str = ""
    loops: tuple[tuple[int, tuple[str, ...]], ...] = ()
