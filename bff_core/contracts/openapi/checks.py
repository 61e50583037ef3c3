"""Checks the structure of a document before it is read: all faults at once, each with its place.

Afterwards a reader may rely on the kinds of all members in `GRAMMAR`, and on `References.target`.
"""

from typing import Final

from bff_core.contracts.openapi.grammar import (
    GRAMMAR,
    REQUIRED,
    TYPE_NAMES,
    VALUES,
    WITH_EXTENSIONS,
    WITH_REFERENCE,
    MemberRule,
)
from bff_core.contracts.openapi.pointers import Node, PointerError, child
from bff_core.contracts.openapi.references import References, Resource, reference_in

MAX_DEPTH: Final = 200
"""Levels of nesting in a document."""

_Place = tuple[object, str, str, Resource]
"""A node, its kind, its pointer, the resource that it is in."""


def found(value: object) -> str:
    """Say what a value is, in the words of JSON."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return repr(value if len(value) <= 40 else f"{value[:39]}…")
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case _:
            return "an object"


class StructureCheck:
    """One walk over a document by its grammar, and over all that its references refer to."""

    def __init__(self, content: Node) -> None:
        self.references = References(content)
        self.faults: list[str] = []
        self._visited: set[tuple[int, str]] = set()
        self._bound: list[tuple[Node, str, str, Resource]] = []
        self._places: list[_Place] = [(content, "document", "#", self.references.document)]

    def run(self) -> list[str]:
        """Return all faults of the document."""
        while self._places:
            while self._places:
                place = self._places.pop()
                count = len(self._places)
                self._check(*place)
                self._places[count:] = reversed(self._places[count:])  # in the document's order
            self._resolve()
        return self.faults

    def _fault(self, pointer: str, value: object, expected: str) -> None:
        self.faults.append(f"{pointer}: found {found(value)}, expected {expected}")

    def _check(self, node: object, kind: str, pointer: str, resource: Resource) -> None:
        if not isinstance(node, dict):
            self._check_other(node, kind, pointer)
            return
        if (id(node), kind) in self._visited:
            return
        self._visited.add((id(node), kind))
        if pointer.count("/") > MAX_DEPTH:
            self.faults.append(f"{pointer}: nested deeper than {MAX_DEPTH} levels")
            return
        if kind == "schema":
            resource = self.references.enter(node, pointer, resource)
        if kind in WITH_REFERENCE and self._is_reference(node, kind, pointer, resource):
            return
        self._check_members(node, kind, pointer, resource)

    def _check_members(self, node: Node, kind: str, pointer: str, resource: Resource) -> None:
        members = GRAMMAR[kind]
        for key, value in node.items():
            member = members.get(key)
            if member is not None and value is not None:
                self._member(member, value, child(pointer, key), resource)
        for key in REQUIRED.get(kind, ()):
            if node.get(key) is None:
                self.faults.append(f"{pointer}: has no {key!r}, which a {kind} needs")
        if kind == "callback":
            self._callback(node, pointer, resource)
        elif kind == "security requirement":
            self._requirement(node, pointer)

    def _check_other(self, node: object, kind: str, pointer: str) -> None:
        if kind == "schema" and isinstance(node, bool):
            return
        if kind == "discriminator" and isinstance(node, str):  # Swagger 2.0
            return
        article = "an" if kind[0] in "aeiou" else "a"
        self._fault(pointer, node, f"an object ({article} {kind})")

    def _is_reference(self, node: Node, kind: str, pointer: str, resource: Resource) -> bool:
        """Whether a node is nothing but a reference; note one for later."""
        reference = node.get("$ref", node.get("$dynamicRef") if kind == "schema" else None)
        if reference is None:
            return False
        if not isinstance(reference, str):
            self._fault(child(pointer, "$ref"), reference, "a text")
            return True
        self._bound.append((node, kind, pointer, resource))
        return kind not in {"schema", "path item"}

    def _resolve(self) -> None:
        """Resolve all references that the walk met; what they refer to is walked next."""
        bound, self._bound = self._bound, []
        for node, kind, pointer, resource in bound:
            keyword = "$ref" if "$ref" in node else "$dynamicRef"
            try:
                target = self.references.bind(node, node[keyword], resource)
            except PointerError as error:
                self.faults.append(f"{child(pointer, keyword)}: {node[keyword]!r}: {error}")
                continue
            self._places.append((target.node, kind, target.pointer, self.references.document))
        for node, _, pointer, *_ in bound:
            self._refuse_circle(node, pointer)

    def _refuse_circle(self, node: Node, pointer: str) -> None:
        met: set[int] = set()
        while reference_in(node):
            if id(node) in met:
                text = f"{pointer}: refers to itself, through references only"
                if text not in self.faults:
                    self.faults.append(text)
                return
            met.add(id(node))
            try:
                target = self.references.target(node)
            except KeyError:  # not resolved, or not yet
                return
            if not isinstance(target.node, dict):
                return
            node = target.node

    def _member(self, member: MemberRule, value: object, pointer: str, resource: Resource) -> None:
        match member.shape:
            case "value":
                self._value(value, member.types, member.expected, pointer)
            case "one":
                self._places.append((value, member.kind, pointer, resource))
            case "list or one" if not isinstance(value, list):
                self._element(value, member.kind, pointer, resource)
            case "list or flag" if not isinstance(value, list):
                self._value(value, (bool,), member.expected, pointer)
            case "list" | "list or one" | "list or flag":
                self._list(member.kind, value, pointer, resource)
            case "map":
                self._map(member.kind, value, pointer, resource)

    def _list(self, kind: str, value: object, pointer: str, resource: Resource) -> None:
        if not isinstance(value, list):
            self._fault(pointer, value, f"a list ({kind}s)")
            return
        for index, item in enumerate(value):
            self._element(item, kind, f"{pointer}/{index}", resource)

    def _map(self, kind: str, value: object, pointer: str, resource: Resource) -> None:
        if not isinstance(value, dict):
            self._fault(pointer, value, f"an object with a {kind} per name")
            return
        for key, item in value.items():
            is_extension = kind in WITH_EXTENSIONS and key.startswith("x-")
            if item is not None and not is_extension:
                self._element(item, kind, child(pointer, key), resource)

    def _element(self, value: object, kind: str, pointer: str, resource: Resource) -> None:
        if kind not in VALUES:
            self._places.append((value, kind, pointer, resource))
            return
        types, expected = VALUES[kind]
        fits = self._value(value, types, expected, pointer)
        if fits and kind == "type name" and value not in TYPE_NAMES:
            self._fault(pointer, value, f"one of {', '.join(TYPE_NAMES[:-1])}")

    def _value(self, value: object, types: tuple[type, ...], expected: str, pointer: str) -> bool:
        fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
        if not fits:
            self._fault(pointer, value, expected)
        return fits

    def _callback(self, node: Node, pointer: str, resource: Resource) -> None:
        for key, value in node.items():
            if not key.startswith("x-"):
                self._places.append((value, "path item", child(pointer, key), resource))

    def _requirement(self, node: Node, pointer: str) -> None:
        for key, value in node.items():
            if not isinstance(value, list):
                self._fault(child(pointer, key), value, "a list of scopes")
