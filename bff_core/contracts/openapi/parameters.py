"""Reads parameters of operations, headers of responses, and examples."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from bff_core.contracts.document import HttpParameter, Place
from bff_core.contracts.openapi.notes import Notes
from bff_core.contracts.openapi.objects import examples_of
from bff_core.contracts.openapi.pointers import Node, child
from bff_core.contracts.openapi.references import References, reference_in
from bff_core.contracts.openapi.schemas import SchemaReader
from bff_core.contracts.types import Json, Scalar

PLACES: Final[Mapping[str, Place]] = {
    "path": "path",
    "query": "query",
    "header": "header",
    "cookie": "cookie",
}

_STYLES: Final[Mapping[str, str]] = {
    "path": "simple",
    "query": "form",
    "header": "simple",
    "cookie": "form",
}

_NO_PARAMETERS: Final = frozenset({"accept", "content-type", "authorization"})
"""Headers that OpenAPI describes elsewhere; a parameter of this name is ignored."""


class ParameterReader:
    """Reads the parameters of one checked document."""

    def __init__(
        self, content: Node, references: References, schemas: SchemaReader, notes: Notes
    ) -> None:
        self._overrides = not str(content["openapi"]).startswith("3.0")
        self._references = references
        self._schemas = schemas
        self._notes = notes
        self._parameters: dict[tuple[str, str], HttpParameter | None] = {}

    def end(self, node: Node, pointer: str) -> tuple[Node, str]:
        """Follow references from an object until there is none; return it and its pointer.

        Since 3.1 a description beside the reference replaces that of the object.
        """
        end, place = self._references.end(node, pointer)
        if self._overrides and reference_in(node):
            own = {key: node[key] for key in ("summary", "description") if node.get(key)}
            end = {**end, **own} if own else end
        return end, place

    def listed(self, node: Node, pointer: str) -> dict[tuple[str, str], HttpParameter]:
        """Return the parameters of a path or an operation, by place and name."""
        found: dict[tuple[str, str], HttpParameter] = {}
        for index, one in enumerate(node.get("parameters") or ()):
            end, place = self.end(one, f"{pointer}/parameters/{index}")
            key = (place, text_of(end, "description"))
            if key not in self._parameters:
                self._parameters[key] = self._parameter(end, place)
            parameter = self._parameters[key]
            if parameter is not None:
                found[parameter.place, parameter.name] = parameter
        return found

    def _parameter(self, node: Node, pointer: str) -> HttpParameter | None:
        name, place = str(node["name"]), str(node["in"])
        if place not in PLACES:
            self._notes.add(pointer, f"a parameter in {place!r} is not represented")
            return None
        if place == "header" and name.lower() in _NO_PARAMETERS:
            self._notes.add(pointer, f"OpenAPI ignores a parameter for the header {name}")
            return None
        return self.described(node, name, PLACES[place], pointer)

    def described(self, node: Node, name: str, place: Place, pointer: str) -> HttpParameter:
        """Return a parameter, or a header of a response."""
        style = text_of(node, "style") or _STYLES[place]
        explode = node.get("explode")
        media_type, schema, where = "", node.get("schema"), f"{pointer}/schema"
        examples = [*examples_of(node), *self.examples(node).values()]
        if node.get("content"):
            media_type, content = next(iter(node["content"].items()))
            content, end = self.end(content, child(f"{pointer}/content", media_type))
            schema, where = content.get("schema"), f"{end}/schema"
            examples += [*examples_of(content), *self.examples(content).values()]
        default = self._schemas.annotations.find(schema, "default", refers=True)
        return HttpParameter(
            name=name,
            place=place,
            type=self._schemas.type_of(True if schema is None else schema, where),
            is_required=place == "path" or node.get("required") is True,
            description=text_of(node, "description")
            or self._schemas.annotations.text(schema, "description"),
            style=style,
            is_exploded=style in {"form", "deepObject"} if explode is None else explode,
            media_type=media_type,
            has_default=bool(default),
            default=default[0] if default else None,
            examples=tuple(examples) or examples_of(schema),
            is_deprecated=node.get("deprecated") is True,
            pointer=pointer,
        )

    def of_path(
        self, path: str, parameters: Mapping[tuple[str, str], HttpParameter], pointer: str
    ) -> Iterator[HttpParameter]:
        """Yield the parameters of an operation: those in the path as its template has them."""
        names = dict.fromkeys(re.findall(r"\{([^{}]+)\}", path))
        for name in names:
            if ("path", name) not in parameters:
                self._notes.add(pointer, f"the path's {name!r} has no parameter; it is a text")
                yield HttpParameter(
                    name,
                    "path",
                    Scalar("string"),
                    is_required=True,
                    style="simple",
                    is_exploded=False,
                    pointer=pointer,
                )
        for (place, name), parameter in parameters.items():
            if place == "path" and name not in names:
                self._notes.add(pointer, f"the path has no place for its parameter {name!r}")
            else:
                yield parameter

    def examples(self, node: Node) -> dict[str, Json]:
        """Return the examples of `examples` by name; those at other addresses are left out."""
        found: dict[str, Json] = {}
        for name, example in (node.get("examples") or {}).items():
            end, _ = self.end(example or {}, "")
            for key in ("value", "dataValue"):
                if key in end:
                    found[name] = end[key]
        return found


def text_of(node: Node, key: str) -> str:
    """Return a member that is a text, or an empty one."""
    found = node.get(key)
    return "" if found is None else str(found)
