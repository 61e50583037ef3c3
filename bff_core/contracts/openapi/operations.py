"""Reads the operations of a document: parameters, bodies, responses, security."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bff_core.contracts.document import (
    Body,
    Content,
    HttpOperation,
    HttpParameter,
    Place,
    Response,
    Security,
)
from bff_core.contracts.openapi.grammar import METHODS
from bff_core.contracts.openapi.notes import Notes
from bff_core.contracts.openapi.objects import examples_of
from bff_core.contracts.openapi.pointers import Node, child
from bff_core.contracts.openapi.references import References, reference_in
from bff_core.contracts.openapi.schemas import SchemaReader
from bff_core.contracts.openapi.shapes import is_binary
from bff_core.contracts.types import Anything, Array, Json, Scalar, Type

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


class OperationReader:
    """Reads the paths of one checked document."""

    def __init__(
        self, content: Node, references: References, schemas: SchemaReader, notes: Notes
    ) -> None:
        self._references = references
        self._schemas = schemas
        self._notes = notes
        self._security = _security(content)
        self._schemes = (content.get("components") or {}).get("securitySchemes") or {}
        self._parameters: dict[str, HttpParameter | None] = {}
        self._responses: dict[tuple[str, str], Response] = {}
        self._ids: dict[str, str] = {}

    def read(self, paths: Node) -> Iterator[HttpOperation]:
        """Yield the operations of paths, in the order of the document."""
        for path, item in paths.items():
            if path.startswith("x-") or item is None:
                continue
            place = child("#/paths", path)
            yield from self._path(path, *self._references.end(item, place))

    def _path(self, path: str, item: Node, pointer: str) -> Iterator[HttpOperation]:
        if item.get("servers"):
            self._notes.add(pointer, "servers of a path are not represented")
        shared = self._parameter_list(item, pointer)
        found = [(name, item[name], child(pointer, name)) for name in item if name in METHODS]
        for name, node in (item.get("additionalOperations") or {}).items():
            found.append((name, node, child(f"{pointer}/additionalOperations", name)))
        for method, node, place in found:
            if node is not None:
                yield self._operation(method.upper(), path, node, shared, place)

    def _operation(
        self,
        method: str,
        path: str,
        node: Node,
        shared: Mapping[tuple[str, str], HttpParameter],
        pointer: str,
    ) -> HttpOperation:
        for key in ("servers", "callbacks"):
            if node.get(key):
                self._notes.add(pointer, f"{key} of an operation are not represented")
        body = node.get("requestBody")
        own = self._parameter_list(node, pointer)
        security = _security(node)
        return HttpOperation(
            method=method,
            path=path,
            id=self._id(node, f"{method} {path}", pointer),
            summary=_text(node, "summary"),
            description=_text(node, "description"),
            tags=tuple(str(tag) for tag in node.get("tags") or ()),
            parameters=tuple(self._of_path(path, {**shared, **own}, pointer)),
            body=None if body is None else self._body(body, f"{pointer}/requestBody"),
            responses=tuple(self._response_list(node.get("responses") or {}, pointer)),
            is_deprecated=node.get("deprecated") is True,
            security=self._security if security is None else self._known(security, pointer),
            extensions={key: value for key, value in node.items() if key.startswith("x-")},
            pointer=pointer,
        )

    def _id(self, node: Node, name: str, pointer: str) -> str:
        found = _text(node, "operationId")
        if found and self._ids.setdefault(found, name) != name:
            self._notes.add(pointer, f"{self._ids[found]} has the same operationId, {found}")
        return found

    def _known(self, security: Security, pointer: str) -> Security:
        for name in {name for alternative in security for name in alternative}:
            if name not in self._schemes:
                self._notes.add(pointer, f"there is no security scheme {name!r}")
        return security

    # Parameters

    def _parameter_list(self, node: Node, pointer: str) -> dict[tuple[str, str], HttpParameter]:
        found: dict[tuple[str, str], HttpParameter] = {}
        for index, one in enumerate(node.get("parameters") or ()):
            end, place = self._references.end(one, f"{pointer}/parameters/{index}")
            if place not in self._parameters:
                self._parameters[place] = self._parameter(end, place)
            parameter = self._parameters[place]
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
        return self._described(node, name, PLACES[place], pointer)

    def _described(self, node: Node, name: str, place: Place, pointer: str) -> HttpParameter:
        """Return a parameter, or a header of a response."""
        style = _text(node, "style") or _STYLES[place]
        explode = node.get("explode")
        media_type, schema, where = "", node.get("schema"), f"{pointer}/schema"
        examples = [*examples_of(node), *self._examples(node).values()]
        if node.get("content"):
            media_type, content = next(iter(node["content"].items()))
            content, end = self._references.end(content, child(f"{pointer}/content", media_type))
            schema, where = content.get("schema"), f"{end}/schema"
            examples += [*examples_of(content), *self._examples(content).values()]
        default = self._schemas.annotations.find(schema, "default", refers=True)
        return HttpParameter(
            name=name,
            place=place,
            type=self._schemas.type_of(True if schema is None else schema, where),
            is_required=place == "path" or node.get("required") is True,
            description=_text(node, "description")
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

    def _of_path(
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

    # Bodies and responses

    def _body(self, node: Node, pointer: str) -> Body:
        node, pointer = self._references.end(node, pointer)
        return Body(
            contents=self._contents(node, pointer),
            is_required=node.get("required") is True,
            description=_text(node, "description"),
        )

    def _response_list(self, responses: Node, pointer: str) -> Iterator[Response]:
        for key, node in responses.items():
            if key.startswith("x-") or node is None:
                continue
            status = key if key == "default" else key.upper()
            if not re.fullmatch(r"default|[1-5](\d\d|XX)", status):
                self._notes.add(pointer, f"{key!r} is no status of a response")
                continue
            end, place = self._references.end(node, child(f"{pointer}/responses", key))
            if (status, place) not in self._responses:
                self._responses[status, place] = self._response(status, end, place)
            yield self._responses[status, place]

    def _response(self, status: str, node: Node, pointer: str) -> Response:
        return Response(
            status=status,
            description=_text(node, "description"),
            contents=self._contents(node, pointer),
            headers=tuple(self._headers(node, pointer)),
        )

    def _headers(self, node: Node, pointer: str) -> Iterator[HttpParameter]:
        for name, header in (node.get("headers") or {}).items():
            if header is not None and name.lower() != "content-type":
                end, place = self._references.end(header, child(f"{pointer}/headers", name))
                yield self._described(end, name, "header", place)

    def _contents(self, node: Node, pointer: str) -> tuple[Content, ...]:
        found = []
        for media_type, content in (node.get("content") or {}).items():
            end, place = self._references.end(
                content or {}, child(f"{pointer}/content", media_type)
            )
            found.append(self._content(media_type, end, place))
        return tuple(found)

    def _content(self, media_type: str, node: Node, pointer: str) -> Content:
        schema = node.get("schema")
        examples = self._examples(node)
        if "example" in node:
            examples = {"example": node["example"], **examples}
        inline = not (isinstance(schema, dict) and reference_in(schema))
        if not examples and inline and (own := examples_of(schema)):
            examples = {"example": own[0]}
        encodings = {
            name: str(one["contentType"])
            for name, one in (node.get("encoding") or {}).items()
            if one and one.get("contentType")
        }
        kind = self._content_type(media_type, node, pointer)
        return Content(media_type, kind, examples, encodings, pointer)

    def _content_type(self, media_type: str, node: Node, pointer: str) -> Type:
        schema = node.get("schema")
        if schema is None and node.get("itemSchema") is not None:
            return Array(self._schemas.type_of(node["itemSchema"], f"{pointer}/itemSchema"))
        if schema is not None and schema != {}:
            return self._schemas.type_of(schema, f"{pointer}/schema")
        if is_binary(media_type):
            return Scalar("binary")
        return Scalar("string") if media_type.startswith("text/") else Anything()

    def _examples(self, node: Node) -> dict[str, Json]:
        """Return the examples of `examples` by name; those at other addresses are left out."""
        found: dict[str, Json] = {}
        for name, example in (node.get("examples") or {}).items():
            end, _ = self._references.end(example or {}, "")
            for key in ("value", "dataValue"):
                if key in end:
                    found[name] = end[key]
        return found


def _text(node: Node, key: str) -> str:
    found = node.get(key)
    return "" if found is None else str(found)


def _security(node: Node) -> Security | None:
    found: Any = node.get("security")
    if found is None:
        return None
    return tuple({name: tuple(map(str, scopes)) for name, scopes in one.items()} for one in found)
