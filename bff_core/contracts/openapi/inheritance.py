"""Which schemas extend one with a discriminator by `allOf`."""

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

from bff_core.contracts.openapi.pointers import Node, child
from bff_core.contracts.openapi.references import References, Referent, reference_in


class Inheritance:
    """The schemas of a document by those that their `allOf` refers to."""

    def __init__(self, schemas: Node, references: References) -> None:
        self._references = references
        self._schemas = schemas
        self._children: dict[str, list[Referent]] = defaultdict(list)
        self._all_children: dict[str, list[Referent]] = {}
        for name, node in schemas.items():
            if isinstance(node, dict):
                own = Referent(node, child("#/components/schemas", name))
                for base in self._bases(node):
                    self._children[base.pointer].append(own)

    def children(self, target: Referent) -> list[Referent]:
        """Return the schemas that extend one with a discriminator and no union of its own."""
        node = target.node
        if not isinstance(node, dict) or not node.get("discriminator"):
            return []
        if node.get("oneOf") or node.get("anyOf"):
            return []
        if target.pointer not in self._all_children:
            found = list(self._descendants(target.pointer, {target.pointer}))
            self._all_children[target.pointer] = found
        return self._all_children[target.pointer]

    def base_of(self, pointers: set[str]) -> tuple[Referent, bool] | None:
        """Return the base of the schemas at some pointers, and whether they are all that extend it.

        The base itself may be among them; then they are all.
        """
        for base in self._union_bases:
            children = {one.pointer for one in self.children(base)}
            if pointers - {base.pointer} <= children and pointers & children:
                return base, base.pointer in pointers or pointers == children
        return None

    @cached_property
    def _union_bases(self) -> list[Referent]:
        """The schemas that are read as the union of those that extend them."""
        named = [
            (child("#/components/schemas", name), self._schemas[name]) for name in self._schemas
        ]
        bases = [Referent(node, pointer) for pointer, node in named if pointer in self._children]
        return [base for base in bases if self.children(base)]

    def leads_back(self, target: Referent, pointer: str) -> bool:
        """Whether a schema is read as a union that contains the schema at a pointer."""
        if any(one.pointer == pointer for one in self.children(target)):
            return True
        return pointer in self.option_pointers(target.node)

    def option_pointers(self, node: object) -> set[str]:
        """Return the pointers of the schemas that a union refers to."""
        if not isinstance(node, dict):
            return set()
        options = [*(node.get("oneOf") or ()), *(node.get("anyOf") or ())]
        return {
            self._references.target(option).pointer
            for option in options
            if isinstance(option, dict) and reference_in(option)
        }

    def _descendants(self, pointer: str, met: set[str]) -> Iterator[Referent]:
        for one in self._children.get(pointer, ()):
            if one.pointer not in met:
                met.add(one.pointer)
                yield one
                yield from self._descendants(one.pointer, met)

    def _bases(self, node: Node) -> Iterator[Referent]:
        for part in node.get("allOf") or ():
            if isinstance(part, dict):
                if reference_in(part):
                    yield self._references.target(part)
                yield from self._bases(part)
