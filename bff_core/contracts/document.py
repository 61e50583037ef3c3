"""A description of an HTTP API: what an OpenAPI document says, with all references resolved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from bff_core.contracts.types import Json, Type

Place = Literal["path", "query", "header", "cookie"]


@dataclass(frozen=True, slots=True)
class NamedType:
    """A schema with a name: one of `components/schemas`, or one that a reader named.

    `pointer` is its place in the document, `#/components/schemas/Pet`.
    """

    name: str
    type: Type
    description: str = ""
    examples: tuple[Json, ...] = ()
    is_deprecated: bool = False
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class HttpParameter:
    """A parameter of an operation, or a header of a response.

    `style` and `is_exploded` say how lists and objects are written. `media_type` is set where the
    parameter is a document of its own (`content`), such as JSON in a query parameter.
    """

    name: str
    place: Place
    type: Type
    is_required: bool = False
    description: str = ""
    style: str = "form"
    is_exploded: bool = True
    media_type: str = ""
    has_default: bool = False
    default: Json = None
    examples: tuple[Json, ...] = ()
    is_deprecated: bool = False
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """A body of one media type: its type, its examples by name, how its parts are encoded."""

    media_type: str
    type: Type
    examples: Mapping[str, Json] = field(default_factory=dict)
    encodings: Mapping[str, str] = field(default_factory=dict)
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request, in one of several media types."""

    contents: tuple[Content, ...]
    is_required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """A response of an operation. `status` is "200", "4XX" or "default"."""

    status: str
    description: str = ""
    contents: tuple[Content, ...] = ()
    headers: tuple[HttpParameter, ...] = ()


Security = tuple[Mapping[str, Sequence[str]], ...]
"""Alternatives; each has schemes by name, all of which it needs, with their scopes."""


@dataclass(frozen=True, slots=True)
class HttpOperation:
    """A method of a path. `id` is its `operationId`, or empty.

    `security` is that of the operation, else that of the document; None if neither says anything,
    empty if the operation is open to everybody. `extensions` are its members `x-…`.
    """

    method: str
    path: str
    id: str = ""
    summary: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    parameters: tuple[HttpParameter, ...] = ()
    body: Body | None = None
    responses: tuple[Response, ...] = ()
    is_deprecated: bool = False
    security: Security | None = None
    extensions: Mapping[str, Json] = field(default_factory=dict)
    pointer: str = ""

    @property
    def name(self) -> str:
        """The method and the path: GET /pets/{id}."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class SecurityScheme:
    """How clients identify themselves: `kind` is apiKey, http, oauth2, openIdConnect, mutualTLS.

    `place` and `parameter` are those of an API key; `scheme` is that of http, such as bearer.
    `token_url` is that of the client credentials flow.
    """

    name: str
    kind: str
    scheme: str = ""
    place: str = ""
    parameter: str = ""
    token_url: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """An OpenAPI document. `source` is the file or the address that it was read from."""

    title: str
    version: str
    openapi: str
    description: str = ""
    servers: tuple[str, ...] = ()
    operations: tuple[HttpOperation, ...] = ()
    types: Mapping[str, NamedType] = field(default_factory=dict)
    security_schemes: Mapping[str, SecurityScheme] = field(default_factory=dict)
    source: str = ""
    notes: tuple[str, ...] = ()
    """What the reader could not represent, each with its place."""
