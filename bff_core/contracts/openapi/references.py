"""Resolves `$ref`: pointers, anchors and `$id`, and says what is wrong with one that is not."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin

from bff_core.contracts.errors import MAX_SHOWN_FAULTS
from bff_core.contracts.openapi.pointers import (
    Node,
    PointerError,
    child,
    near_miss,
    segments,
    step,
)

MAX_CHAIN: Final = 100


def reference_in(node: Node) -> str:
    """Return the text of a node's reference, or an empty one."""
    found = node.get("$ref", node.get("$dynamicRef"))
    return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class Referent:
    """What a reference refers to, and its pointer in the document."""

    node: object
    pointer: str


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """A part of the document that has a URL of its own: the document, or a schema with `$id`."""

    url: str
    root: object
    pointer: str = "#"


class References:
    """The references of a document, resolved once for each text of a `$ref`."""

    def __init__(self, content: Node) -> None:
        self.document = Resource("", content)
        self.resources = {"": self.document}
        self.anchors: dict[tuple[str, str], Referent] = {}
        self._misses = 0
        self._resolved: dict[tuple[str, str], Referent] = {}
        self._by_node: dict[int, Referent] = {}

    def enter(self, node: Node, pointer: str, resource: Resource) -> Resource:
        """Record `$id` and anchors of a schema; return the resource of what is in it."""
        if isinstance(own := node.get("$id"), str) and own.strip("#"):
            resource = Resource(urljoin(resource.url, own).rstrip("#"), node, pointer)
            self.resources[resource.url] = resource
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(anchor := node.get(keyword), str):
                self.anchors.setdefault((resource.url, anchor), Referent(node, pointer))
        return resource

    def bind(self, node: Node, reference: str, resource: Resource) -> Referent:
        """Resolve the reference of a node, and remember it. Raises PointerError."""
        key = (resource.url, reference)
        if key not in self._resolved:
            self._resolved[key] = self._resolve(reference, resource)
        self._by_node[id(node)] = found = self._resolved[key]
        return found

    def target(self, node: Node) -> Referent:
        """Return what a node with `$ref` refers to, once `bind` resolved it."""
        return self._by_node[id(node)]

    def end(self, node: Node, pointer: str) -> tuple[Node, str]:
        """Follow references from a node until there is none; return the node and its pointer."""
        for _ in range(MAX_CHAIN):
            if not reference_in(node):
                break
            target = self.target(node)
            if not isinstance(target.node, dict):
                break
            node, pointer = target.node, target.pointer
        return node, pointer

    def named(self, reference: str) -> Referent:
        """Return what the value of a discriminator's mapping refers to. Raises PointerError."""
        if "/" in reference or "#" in reference:
            return self._resolve(reference, self.document)
        return self._resolve(child("#/components/schemas", reference), self.document)

    def at(self, fragment: str) -> object:
        """Return the node at a pointer of the document. Raises PointerError."""
        return self._walk(segments(fragment), self.document).node

    def _resolve(self, reference: str, resource: Resource) -> Referent:
        address, _, fragment = reference.partition("#")
        if address:
            url = urljoin(resource.url, address)
            if url not in self.resources:
                raise PointerError(
                    f"refers to another document, {address}; load this one from its file or URL"
                )
            resource = self.resources[url]
        if fragment and not fragment.startswith("/"):
            return self._anchor(fragment, resource)
        try:
            return self._walk(segments(fragment), resource)
        except PointerError:
            if resource is self.document:
                raise
            return self._walk(segments(fragment), self.document)

    def _anchor(self, name: str, resource: Resource) -> Referent:
        found = self.anchors.get((resource.url, name)) or self.anchors.get(("", name))
        if found is None:
            raise PointerError(f"there is no schema with $anchor {name!r}")
        return found

    def _walk(self, keys: list[str], resource: Resource) -> Referent:
        node, pointer = resource.root, resource.pointer
        for key in keys:
            node, pointer = self._through(node, key, pointer)
            try:
                node = step(node, key)
            except LookupError:
                self._misses += 1
                search = self._misses <= MAX_SHOWN_FAULTS  # which takes long among many names
                raise PointerError(near_miss(node, key, pointer, search=search)) from None
            pointer = child(pointer, key)
        return Referent(node, pointer)

    def _through(self, node: object, key: str, pointer: str) -> tuple[object, str]:
        """Follow a reference on the way of a pointer, as resolvers of others do."""
        for _ in range(MAX_CHAIN):
            if not isinstance(node, dict) or key in node or not reference_in(node):
                break
            found = self._resolve(reference_in(node), self.document)
            node, pointer = found.node, found.pointer
        return node, pointer


def find_anchor(content: object, name: str) -> object:
    """Return the object of a document that has an anchor. Raises PointerError."""
    places = [content]
    while places:
        node = places.pop()
        if isinstance(node, dict):
            if name in (node.get("$anchor"), node.get("$dynamicAnchor")):
                return node
            places += node.values()
        elif isinstance(node, list):
            places += node
    raise PointerError(f"there is no schema with $anchor {name!r}")
