"""The operations of a document as a TypeScript client calls them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bff_core.codegen.client_options import ClientOptions
from bff_core.codegen.typescript.names import MEMBERS, Names, method_name
from bff_core.contracts.document import (
    Content,
    Document,
    HttpOperation,
    HttpParameter,
    Response,
)
from bff_core.contracts.types import Enum, ObjectType, Type, Union

Reads = Literal["json", "text", "binary", "nothing", "lines", "events"]
BodyKind = Literal["json", "form", "multipart", "binary", "text"]

KEY: Final = "idempotency-key"
META: Final = "_meta"
LINES: Final = "application/x-ndjson"
EVENTS: Final = "text/event-stream"
OWN_HEADERS: Final = frozenset(
    {KEY, "accept", "authorization", "content-type", "if-none-match", "request-timeout", "x-csrf"}
)
"""Headers that the client sets itself."""


@dataclass(frozen=True, slots=True)
class ClientArgument:
    """A parameter of an operation, by the name under which the caller gives it."""

    key: str
    place: Literal["path", "slashes", "query", "header"]
    parameter: HttpParameter


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOperation:
    """An operation with its method in the client.

    `data` are the types of its answers; none if they have no content, which `may_be_empty` says of
    some of them. `early` has the type of the early value of each part. `parts` are the names of its
    parts, None if they are unknown. `statuses` are those of documented problems.
    """

    method: str
    operation: HttpOperation
    arguments: tuple[ClientArgument, ...]
    body: Content | None
    body_kind: BodyKind | None
    reads: Reads
    data: tuple[Type, ...]
    may_be_empty: bool
    is_progressive: bool
    early: Mapping[str, Type]
    parts: tuple[str, ...] | None
    statuses: tuple[str, ...]
    is_keyed: bool

    @property
    def needs_arguments(self) -> bool:
        """Whether it can't be called without arguments."""
        body = self.operation.body
        needs_body = body is not None and body.is_required
        return needs_body or any(one.parameter.is_required for one in self.arguments)

    @property
    def sent(self) -> Iterator[Type]:
        """The types of what it sends."""
        yield from (one.parameter.type for one in self.arguments)
        yield from () if self.body is None else (self.body.type,)

    @property
    def received(self) -> Iterator[Type]:
        """The types of what it returns."""
        yield from self.data
        yield from self.early.values()


def operations_of(document: Document, options: ClientOptions) -> list[ClientOperation]:
    """Return the operations of a document, with unique names of methods."""
    names = Names(MEMBERS)
    return [_described(one, names, options) for one in document.operations]


def _described(one: HttpOperation, names: Names, options: ClientOptions) -> ClientOperation:
    by_path = method_name(f"{one.method.lower()} {one.path}")
    wanted = method_name(one.id) if one.id else by_path
    reads, contents = _answers(one)
    body = _body(one)
    is_progressive = reads == "json" and any(
        content.media_type == LINES for response in _good(one) for content in response.contents
    )
    has_key = any(
        parameter.place == "header" and parameter.name.lower() == KEY
        for parameter in one.parameters
    )
    return ClientOperation(
        method=names.take(wanted, by_path, f"{wanted}Operation"),
        operation=one,
        arguments=tuple(_arguments(one, options.slash_parameters.get(one.name, frozenset()))),
        body=body,
        body_kind=None if body is None else _body_kind(body.media_type),
        reads=reads,
        data=_unique(contents),
        may_be_empty=any(not response.contents for response in _good(one)),
        is_progressive=is_progressive,
        early=_early(one) if is_progressive else {},
        parts=options.parts.get(one.name),
        statuses=tuple(r.status for r in one.responses if r.status.isdigit() and r.status >= "400"),
        is_keyed=has_key,
    )


def _unique(contents: Sequence[Content]) -> tuple[Type, ...]:
    found: list[Type] = []
    for one in contents:
        if one.type not in found:
            found.append(one.type)
    return tuple(found)


def _good(one: HttpOperation) -> Iterator[Response]:
    for response in one.responses:
        if response.status.startswith("2"):
            yield response


def _answers(one: HttpOperation) -> tuple[Reads, list[Content]]:
    """Return how the answers of an operation are read, and which contents that concerns."""
    contents = [content for response in _good(one) for content in response.contents]
    json = [content for content in contents if is_json(content.media_type)]
    if json or not contents:
        return ("json" if json else "nothing"), json
    for media_type, reads in ((LINES, "lines"), (EVENTS, "events")):
        found = [content for content in contents if content.media_type == media_type]
        if found:
            return ("lines" if reads == "lines" else "events"), found
    is_text = all(content.media_type.startswith("text/") for content in contents)
    return ("text" if is_text else "binary"), []


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON."""
    bare = media_type.partition(";")[0].strip().lower()
    return bare == "application/json" or bare.endswith("+json")


def _body(one: HttpOperation) -> Content | None:
    """Return the body that the client sends: JSON if it can."""
    contents = () if one.body is None else one.body.contents
    for wanted in ("json", "form", "multipart", "text", "binary"):
        for content in contents:
            if _body_kind(content.media_type) == wanted:
                return content
    return None


def _body_kind(media_type: str) -> BodyKind:
    if is_json(media_type):
        return "json"
    if media_type == "application/x-www-form-urlencoded":
        return "form"
    if media_type.startswith("multipart/"):
        return "multipart"
    return "text" if media_type.startswith("text/") else "binary"


def _arguments(one: HttpOperation, slashes: frozenset[str]) -> Iterator[ClientArgument]:
    """Yield the parameters that callers give, with unique keys: `body` is that of the body."""
    keys = Names({"body", "__proto__"})
    for parameter in one.parameters:
        name, place = parameter.name, parameter.place
        if place == "cookie" or (place == "header" and name.lower() in OWN_HEADERS):
            continue
        if place == "query" and name == META:
            continue
        key = keys.take(name, f"{place}_{name}")
        yield ClientArgument(
            key, "slashes" if place == "path" and name in slashes else place, parameter
        )


def _early(one: HttpOperation) -> dict[str, Type]:
    """Return the types of early values by part, of a progressive response's lines."""
    found: dict[str, Type] = {}
    for response in _good(one):
        for content in response.contents:
            if content.media_type == LINES:
                found.update(_early_of(content.type))
    return found


def _early_of(lines: Type) -> Iterator[tuple[str, Type]]:
    for line in lines.options if isinstance(lines, Union) else (lines,):
        if not isinstance(line, ObjectType):
            continue
        fields = {field.name: field.type for field in line.fields}
        part = fields.get("part")
        if isinstance(part, Enum) and len(part.values) == 1 and "value" in fields:
            yield str(part.values[0]), fields["value"]
