"""What a schema with `allOf` or a reference consists of, and the one schema that it amounts to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from bff_core.contracts.errors import ContractError
from bff_core.contracts.openapi.inheritance import Inheritance
from bff_core.contracts.openapi.merging import UNIONS, merged
from bff_core.contracts.openapi.notes import Notes
from bff_core.contracts.openapi.plain_types import says_more
from bff_core.contracts.openapi.pointers import Node
from bff_core.contracts.openapi.references import References, Referent, reference_in

UNION_KEYS: Final = frozenset({"oneOf", "anyOf", UNIONS, "discriminator"})

MAX_MERGES: Final = 10_000
"""Schemas of `allOf` and unions that are merged for one document."""

_NOT_INHERITED: Final = ("nullable", "example", "examples", "title", "description", "default")


@dataclass(frozen=True, slots=True)
class SchemaPart:
    """A reference of a schema, or the keywords that it has itself; `source` is the schema."""

    source: Node
    keywords: Node
    target: Referent | None = None


class Extension:
    """Takes schemas with `allOf` apart, and merges them."""

    def __init__(
        self, references: References, inheritance: Inheritance, notes: Notes, openapi: str
    ) -> None:
        self._references = references
        self._inheritance = inheritance
        self._notes = notes
        self._merges = 0
        self._ignores_siblings = openapi.startswith("3.0")

    def parts(self, node: Node) -> Iterator[SchemaPart]:
        """Yield the parts of a schema and of its `allOf`, in their order."""
        own = {key: node[key] for key in node if key not in {"allOf", "$ref", "$dynamicRef"}}
        if reference_in(node):
            yield SchemaPart(node, {}, self._references.target(node))
            if self._ignores_siblings:
                own = {key: own[key] for key in own if not says_more({key: own[key]})}
                own.pop("type", None)
        for part in node.get("allOf") or ():
            if isinstance(part, dict):
                yield from self.parts(part)
        if own:
            yield SchemaPart(node, own)

    def whole(self, node: Node, pointer: str) -> Node:
        """Return one schema that says what a schema and all that it extends say."""
        return self.merge(self.flat(node, frozenset({pointer})), pointer)

    def flat(self, node: Node, passed: frozenset[str] = frozenset()) -> list[Node]:
        """Return the keywords of a schema and of all that it extends."""
        found: list[Node] = []
        met: set[str] = set()
        for part in self.parts(node):
            found += self._inherited(part.target, passed, met) if part.target else [part.keywords]
        return found

    def merge(self, parts: list[Node], pointer: str) -> Node:
        """Return one schema that says what some schemas say; note what got lost.

        Raises ContractError if schemas within each other multiply without bounds.
        """
        self._merges += 1
        if self._merges > MAX_MERGES:
            raise ContractError("", [f"{pointer}: more than {MAX_MERGES:,} schemas are combined"])
        return merged(parts, lambda text: self._notes.add(pointer, text))

    def _inherited(self, target: Referent, passed: frozenset[str], met: set[str]) -> list[Node]:
        """Return what a schema gives to one that extends it, unless another part gave it."""
        if target.pointer in passed:
            self._notes.add(target.pointer, "its allOf contains itself")
            return []
        if target.pointer in met or not isinstance(target.node, dict):
            return []
        met.add(target.pointer)
        passed |= {target.pointer}
        found: list[Node] = []
        for part in self.parts(target.node):
            if part.target:
                found += self._inherited(part.target, passed, met)
                continue
            dropped: set[Any] = {*_NOT_INHERITED}
            if self._inheritance.option_pointers(part.keywords) & passed:  # of those that extend it
                dropped |= UNION_KEYS
            found.append({key: part.keywords[key] for key in part.keywords if key not in dropped})
        return found
