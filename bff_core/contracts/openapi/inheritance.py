"""Which schemas extend one with a discriminator by `allOf`."""

from collections import defaultdict
from collections.abc import Iterator

from bff_core.contracts.openapi.pointers import Node, child
from bff_core.contracts.openapi.references import References, Referent, reference_in


class Inheritance:
    """The schemas of a document by those that their `allOf` refers to."""

    def __init__(self, schemas: Node, references: References) -> None:
        self._references = references
        self._children: dict[str, list[Referent]] = defaultdict(list)
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
        return list(self._descendants(target.pointer, {target.pointer}))

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
