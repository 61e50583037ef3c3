"""Takes what a document refers to in other documents into the document itself."""

import re
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urljoin, urlsplit

import msgspec

from bff_core.contracts.errors import ContractError
from bff_core.contracts.openapi.fetching import fetch, is_url
from bff_core.contracts.openapi.grammar import WITH_REFERENCE, members_of
from bff_core.contracts.openapi.pointers import Node, PointerError, child, last_segment
from bff_core.contracts.openapi.references import MAX_CHAIN, References, find_anchor
from bff_core.contracts.openapi.text import decode
from bff_core.contracts.openapi.type_names import unique_name

MAX_FILES: Final = 1000

_SECTIONS: Final[Mapping[str, str]] = {
    "schema": "schemas",
    "parameter": "parameters",
    "header": "headers",
    "request body": "requestBodies",
    "response": "responses",
    "example": "examples",
    "link": "links",
    "callback": "callbacks",
    "security scheme": "securitySchemes",
    "media type": "mediaTypes",
}
"""Where in `components` an object of a kind is taken to. Path items replace their references."""

_FILE: Final = re.compile(r"#|\.(json|ya?ml)\Z")

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]+:", re.IGNORECASE)


class Bundle:
    """One document, and the others that it refers to.

    `run` changes the document. An object of another one becomes a component; it gets the name that
    its pointer ends with, or that of its file.
    """

    def __init__(self, content: Node, source: str, headers: Mapping[str, str]) -> None:
        self._content = content
        self._source = source if is_url(source) else str(Path(source).resolve())
        self._headers = headers
        self._files: dict[str, object] = {self._source: content}
        self._placed: dict[tuple[str, str, str], str] = {}
        self._faults: dict[str, None] = {}
        self._own_ids: set[str] = set()
        self._visited: set[int] = set()
        self._places: deque[tuple[object, str, str, str]] = deque()

    def run(self) -> None:
        """Take all objects of other documents into this one. Raises ContractError."""
        self._collect_ids()
        self._fill_components()
        self._places.append((self._content, "document", self._source, "#"))
        while self._places:
            node, kind, base, pointer = self._places.popleft()
            if not isinstance(node, dict) or id(node) in self._visited:
                continue
            self._visited.add(id(node))
            if kind in WITH_REFERENCE and isinstance(node.get("$ref"), str):
                self._take(node, kind, base, pointer)
            if kind == "discriminator" and isinstance(node.get("mapping"), dict):
                self._take_mapping(node["mapping"], base, pointer)
            for key, value, its_kind in members_of(node, kind):
                self._places.append((value, its_kind, base, f"{pointer}/{key}"))
        if self._faults:
            raise ContractError(self._source, list(self._faults))

    def _collect_ids(self) -> None:
        """Collect the `$id` of schemas: references to them lead to no other document."""
        places: list[tuple[object, str]] = [(self._content, "document")]
        met: set[int] = set()
        while places:
            node, kind = places.pop()
            if isinstance(node, dict) and id(node) not in met:
                met.add(id(node))
                if kind == "schema" and isinstance(node.get("$id"), str):
                    self._own_ids |= {node["$id"], urljoin(self._source, node["$id"])}
                places += [(value, its_kind) for _, value, its_kind in members_of(node, kind)]

    def _fill_components(self) -> None:
        """Replace components that are nothing but a reference: they lend the object their name."""
        components = self._content.get("components")
        for key, node, kind in members_of(components or {}, "components"):
            if isinstance(node, dict) and node.keys() == {"$ref"} and kind in _SECTIONS:
                self._fill(node, kind, f"#/components/{key}")

    def _fill(self, node: Node, kind: str, pointer: str) -> None:
        found = self._locate(node["$ref"], self._source, pointer)
        if found is None or found[0] == self._source or (kind, *found) in self._placed:
            return
        target = self._copy(*found, node["$ref"], self._source, pointer)
        if isinstance(target, dict):
            self._placed[kind, *found] = pointer
            node.clear()
            node.update(target)
            self._places.append((node, kind, found[0], pointer))

    def _take(self, node: Node, kind: str, base: str, pointer: str) -> None:
        """Make a reference one within this document, or replace it if it is a path item."""
        if kind == "path item":
            self._inline(node, base, pointer)
        elif (place := self._place(node["$ref"], kind, base, pointer)) is not None:
            node["$ref"] = place

    def _take_mapping(self, mapping: Node, base: str, pointer: str) -> None:
        for value, reference in mapping.items():
            if isinstance(reference, str) and _FILE.search(reference):
                place = self._place(reference, "schema", base, f"{pointer}/mapping")
                mapping[value] = place or reference

    def _place(self, reference: str, kind: str, base: str, pointer: str) -> str | None:
        """Return the reference by which an object is found in this document.

        None if the reference may stay as it is, or if it leads nowhere.
        """
        found = self._locate(reference, base, pointer)
        if found is None:
            return None
        url, fragment = found
        if url == self._source:
            return f"#{fragment}"
        if (kind, *found) not in self._placed:
            anchor = "" if fragment.startswith("/") else fragment
            name = anchor or last_segment(f"#{fragment}") or Path(urlsplit(url).path).stem
            components = self._content.setdefault("components", {})
            section = components.setdefault(_SECTIONS[kind], {})
            name = unique_name(re.sub(r"[^\w.-]", "_", name, flags=re.ASCII), section)
            target = self._copy(url, fragment, reference, base, pointer)
            if target is None:
                return None
            self._placed[kind, *found] = child(f"#/components/{_SECTIONS[kind]}", name)
            section[name] = target
            self._places.append((target, kind, url, self._placed[kind, *found]))
        return self._placed[kind, *found]

    def _inline(self, node: Node, base: str, pointer: str) -> None:
        """Replace a path item in another document by a copy, members beside `$ref` win."""
        for _ in range(MAX_CHAIN):
            reference = node.get("$ref")
            found = self._locate(reference, base, pointer) if isinstance(reference, str) else None
            if found is None:
                break
            if found[0] == self._source:
                node["$ref"] = f"#{found[1]}"
                break
            target = self._copy(*found, str(reference), base, pointer)
            if not isinstance(target, dict):
                return
            del node["$ref"]
            node.update({**target, **node})
            base = found[0]
        for key, value, kind in members_of(node, "path item"):
            self._places.append((value, kind, base, f"{pointer}/{key}"))

    def _locate(self, reference: str, base: str, pointer: str) -> tuple[str, str] | None:
        """Return document and fragment of a reference, None if it can stay as it is."""
        address, _, fragment = reference.partition("#")
        if not address:
            return None if base == self._source else (base, fragment)
        if address in self._own_ids:
            return None
        url = self._absolute(address, base)
        if url in self._own_ids:
            return None
        if not is_url(url) and (is_url(base) or _SCHEME.match(url)):
            self._fault(base, pointer, f"{reference!r} is no address of http or https")
            return None
        return url, fragment

    def _fault(self, base: str, pointer: str, text: str) -> None:
        where = "" if base == self._source else f" (in {base})"
        self._faults[f"{pointer}/$ref{where}: {text}"] = None

    def _absolute(self, address: str, base: str) -> str:
        if is_url(address) or is_url(base):
            return urljoin(base, address)
        if _SCHEME.match(address):
            return address
        return str((Path(base).parent / unquote(address)).resolve())

    def _copy(self, url: str, fragment: str, reference: str, base: str, pointer: str) -> Any:
        """Return a copy of an object of another document, None with a fault if there is none."""
        try:
            target = self._target(url, fragment)
        except (PointerError, ContractError) as error:
            self._fault(base, pointer, f"{reference!r}: {error}")
            return None
        copy = msgspec.to_builtins(target)
        if isinstance(copy, dict):
            copy = {key: copy[key] for key in copy if key not in {"$id", "$schema"}}
        return copy

    def _target(self, url: str, fragment: str) -> object:
        if url not in self._files:
            if len(self._files) > MAX_FILES:
                raise PointerError(f"the document refers to more than {MAX_FILES} others")
            same = urlsplit(url)[:2] == urlsplit(self._source)[:2]
            self._files[url] = decode(fetch(url, self._headers if same else {}), url)
        content = self._files[url]
        if fragment and not fragment.startswith("/"):
            return find_anchor(content, fragment)
        if not isinstance(content, dict) or not fragment:
            return content
        return References(content).at(fragment)
