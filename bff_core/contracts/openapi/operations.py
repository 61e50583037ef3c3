"""Reads the operations of a document: parameters, bodies, responses, security."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bff_core.contracts.document import (
    Body,
    Content,
    HttpOperation,
    HttpParameter,
    Response,
    Security,
)
from bff_core.contracts.openapi.grammar import METHODS
from bff_core.contracts.openapi.notes import Notes
from bff_core.contracts.openapi.objects import examples_of
from bff_core.contracts.openapi.parameters import ParameterReader, text_of
from bff_core.contracts.openapi.plain_types import is_binary
from bff_core.contracts.openapi.pointers import Node, child
from bff_core.contracts.openapi.references import References, reference_in
from bff_core.contracts.openapi.schemas import SchemaReader
from bff_core.contracts.types import Anything, Array, Scalar, Type


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
        self._parameters = ParameterReader(content, references, schemas, notes)
        self._responses: dict[tuple[str, str, str], Response] = {}
        self._ids: dict[str, str] = {}

    def read(self, paths: Node) -> Iterator[HttpOperation]:
        """Yield the operations of paths, in the order of the document."""
        for path, item in paths.items():
            if path.startswith("x-") or item is None:
                continue
            end, place = self._references.end(item, child("#/paths", path))
            if end is not item:  # members beside the reference win
                end = {**end, **{key: item[key] for key in item if key != "$ref"}}
            yield from self._path(path, end, place)

    def _path(self, path: str, item: Node, pointer: str) -> Iterator[HttpOperation]:
        if item.get("servers"):
            self._notes.add(pointer, "servers of a path are not represented")
        shared = self._parameters.listed(item, pointer)
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
        own = self._parameters.listed(node, pointer)
        security = _security(node)
        return HttpOperation(
            method=method,
            path=path,
            id=self._id(node, f"{method} {path}", pointer),
            summary=text_of(node, "summary"),
            description=text_of(node, "description"),
            tags=tuple(str(tag) for tag in node.get("tags") or ()),
            parameters=tuple(self._parameters.of_path(path, {**shared, **own}, pointer)),
            body=None if body is None else self._body(body, f"{pointer}/requestBody"),
            responses=tuple(self._response_list(node.get("responses") or {}, pointer)),
            is_deprecated=node.get("deprecated") is True,
            security=self._security if security is None else self._known(security, pointer),
            extensions={key: value for key, value in node.items() if key.startswith("x-")},
            pointer=pointer,
        )

    def _id(self, node: Node, name: str, pointer: str) -> str:
        found = text_of(node, "operationId")
        if found and self._ids.setdefault(found, name) != name:
            self._notes.add(pointer, f"{self._ids[found]} has the same operationId, {found}")
        return found

    def _known(self, security: Security, pointer: str) -> Security:
        for name in dict.fromkeys(name for alternative in security for name in alternative):
            if name not in self._schemes:
                self._notes.add(pointer, f"there is no security scheme {name!r}")
        return security

    def _body(self, node: Node, pointer: str) -> Body:
        node, pointer = self._parameters.end(node, pointer)
        return Body(
            contents=self._contents(node, pointer),
            is_required=node.get("required") is True,
            description=text_of(node, "description"),
        )

    def _response_list(self, responses: Node, pointer: str) -> Iterator[Response]:
        for key, node in responses.items():
            if key.startswith("x-") or node is None:
                continue
            status = key if key == "default" else key.upper()
            if not re.fullmatch(r"default|[1-5](\d\d|XX)", status):
                self._notes.add(pointer, f"{key!r} is no status of a response")
                continue
            end, place = self._parameters.end(node, child(f"{pointer}/responses", key))
            entry = (status, place, text_of(end, "description"))
            if entry not in self._responses:
                self._responses[entry] = self._response(status, end, place)
            yield self._responses[entry]

    def _response(self, status: str, node: Node, pointer: str) -> Response:
        return Response(
            status=status,
            description=text_of(node, "description"),
            contents=self._contents(node, pointer),
            headers=tuple(self._headers(node, pointer)),
        )

    def _headers(self, node: Node, pointer: str) -> Iterator[HttpParameter]:
        for name, header in (node.get("headers") or {}).items():
            if header is not None and name.lower() != "content-type":
                end, place = self._parameters.end(header, child(f"{pointer}/headers", name))
                yield self._parameters.described(end, name, "header", place)

    def _contents(self, node: Node, pointer: str) -> tuple[Content, ...]:
        found = []
        for media_type, content in (node.get("content") or {}).items():
            end, place = self._parameters.end(
                content or {}, child(f"{pointer}/content", media_type)
            )
            found.append(self._content(media_type, end, place))
        return tuple(found)

    def _content(self, media_type: str, node: Node, pointer: str) -> Content:
        schema = node.get("schema")
        examples = self._parameters.examples(node)
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


def _security(node: Node) -> Security | None:
    found: Any = node.get("security")
    if found is None:
        return None
    return tuple({name: tuple(map(str, scopes)) for name, scopes in one.items()} for one in found)
