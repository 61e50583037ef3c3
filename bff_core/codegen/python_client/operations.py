"""What a client sends and receives in each operation: names, parameters, bodies, answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bff_core.codegen.client_options import ClientOptions
from bff_core.codegen.names import UniqueNames, snake
from bff_core.codegen.python_client.models import SHADOWED, Models
from bff_core.contracts.document import (
    Body,
    Content,
    Document,
    HttpOperation,
    HttpParameter,
    Response,
)
from bff_core.contracts.types import Array, Nullable, ObjectType, Scalar, Type

LINES: Final = "application/x-ndjson"
EVENTS: Final = "text/event-stream"
FORMS: Final = ("multipart/form-data", "application/x-www-form-urlencoded")

KEY: Final = "idempotency-key"
NOT_OFFERED: Final = frozenset(
    {"_meta", KEY, "accept", "content-type", "authorization", "if-none-match"}
)
"""Parameters that the client sets itself; `Part-Status` has what `_meta` adds."""

TAKEN: Final = frozenset({"aclose", "close", "models", "self"}) | SHADOWED
"""Methods that each client has, and what annotations of further methods could not name any more."""

Kind = Literal["value", "progress", "rows", "events"]


@dataclass(frozen=True, slots=True)
class ClientParameter:
    """A parameter of a method: its name in Python and its annotation."""

    name: str
    annotation: str
    is_required: bool
    of: HttpParameter


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form, which is a parameter of the method."""

    name: str
    field: str
    annotation: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class ClientBody:
    """The body that a method takes: a value, or the fields of a form."""

    media_type: str
    kind: Literal["json", "text", "bytes", "form"]
    annotation: str = ""
    is_required: bool = True
    fields: tuple[FormField, ...] = ()


@dataclass(frozen=True, slots=True)
class Reader:
    """How the body of one status is read; status 0 stands for all others."""

    status: int
    annotation: str
    code: str


@dataclass(frozen=True, slots=True)
class ClientMethod:
    """A method of the client."""

    name: str
    kind: Kind
    operation: HttpOperation
    parameters: tuple[ClientParameter, ...]
    body: ClientBody | None
    annotation: str
    readers: tuple[Reader, ...]
    accept: str
    takes_key: bool
    parts: tuple[str, ...] = ()
    slashes: frozenset[str] = frozenset()

    @property
    def constant(self) -> str:
        """The name of the readers of this method."""
        return self.name.upper()


def methods_of(document: Document, models: Models, options: ClientOptions) -> list[ClientMethod]:
    """Return the methods of a client; a progressive operation has two."""
    names = UniqueNames(TAKEN)
    found = []
    for operation in document.operations:
        fallback = f"{operation.method} {operation.path}"
        name = names.take(snake(operation.id or fallback))
        plan = _Plan(operation, name, models)
        found += [plan.method(kind, names, options) for kind in plan.kinds()]
    return found


class _Plan:
    """What the methods of one operation have in common."""

    def __init__(self, operation: HttpOperation, name: str, models: Models) -> None:
        self._operation = operation
        self._name = name
        self._models = models
        self._names = UniqueNames({"self", "settings", "body"})
        self._parameters = tuple(self._parameters_of(operation.parameters))
        self._body = self._body_of(operation.body)

    def kinds(self) -> Iterator[Kind]:
        """Yield what the answers of the operation may be."""
        types = {one.media_type for reply in self._successful() for one in reply.contents}
        plain = types - {LINES, EVENTS}
        if plain or not types:
            yield "value"
        if LINES in types:
            yield "progress" if plain else "rows"
        if EVENTS in types:
            yield "events"

    def method(self, kind: Kind, names: UniqueNames, options: ClientOptions) -> ClientMethod:
        """Return the method for one kind of answer."""
        suffix = {"progress": "_progressive", "events": "_events"}.get(kind, "")
        is_first = kind == next(iter(self.kinds()))
        name = self._name if is_first else names.take(self._name + suffix)
        readers = tuple(self._readers(kind))
        known = self._operation.name
        return ClientMethod(
            name=name,
            kind=kind,
            operation=self._operation,
            parameters=self._parameters,
            body=self._body,
            annotation=" | ".join(dict.fromkeys(_alternatives(readers))),
            readers=readers,
            accept=self._accept(kind),
            takes_key=any(one.name.lower() == KEY for one in self._operation.parameters),
            parts=options.parts.get(known, ()),
            slashes=options.slash_parameters.get(known, frozenset()),
        )

    def _parameters_of(self, listed: Sequence[HttpParameter]) -> Iterator[ClientParameter]:
        for one in listed:
            if one.name.lower() in NOT_OFFERED and one.place in {"header", "query"}:
                continue
            name = self._names.take(snake(one.name), f"{snake(one.name)}_{one.place}")
            of = one.type
            annotation = self._models.annotation(of, f"{self._name} {one.name}", "models.")
            is_required = one.is_required or one.place == "path"
            if not is_required and "None" not in annotation.split(" | "):
                annotation += " | None"
            yield ClientParameter(name, annotation, is_required, one)

    def _body_of(self, body: Body | None) -> ClientBody | None:
        if body is None or not body.contents:
            return None
        content = min(body.contents, key=_preference)
        if content.media_type in FORMS:
            fields = tuple(self._form_fields(self._object(content.type)))
            return ClientBody(content.media_type, "form", fields=fields)
        kind, annotation = self._raw_body(content)
        if not body.is_required and "None" not in annotation.split(" | "):
            annotation += " | None"
        return ClientBody(content.media_type, kind, annotation, body.is_required)

    def _raw_body(self, content: Content) -> tuple[Literal["json", "text", "bytes"], str]:
        if is_json(content.media_type):
            return "json", self._models.annotation(content.type, f"{self._name} body", "models.")
        return ("text", "str") if content.media_type.startswith("text/") else ("bytes", "bytes")

    def _object(self, of: Type) -> ObjectType:
        found = self._models.resolved(of)
        return found if isinstance(found, ObjectType) else ObjectType()

    def _form_fields(self, form: ObjectType) -> Iterator[FormField]:
        for one in form.fields:
            name = self._names.take(snake(one.name), f"{snake(one.name)}_field")
            annotation = self._file_annotation(one.type) or self._models.annotation(
                one.type, f"{self._name} {one.name}", "models."
            )
            if not one.is_required and "None" not in annotation.split(" | "):
                annotation += " | None"
            yield FormField(name, one.name, annotation, one.is_required)

    def _file_annotation(self, of: Type) -> str:
        match self._models.resolved(of):
            case Scalar(kind="binary") | Scalar(kind="string", format="binary"):
                return "UploadedFile | bytes"
            case Array(items=items) if self._file_annotation(items):
                return "list[UploadedFile]"
            case Nullable(of=value) if self._file_annotation(value):
                return f"{self._file_annotation(value)} | None"
        return ""

    def _successful(self) -> list[Response]:
        found = [one for one in self._operation.responses if one.status.startswith("2")]
        return found or [
            one
            for one in self._operation.responses
            if one.status == "default" and not any("problem" in c.media_type for c in one.contents)
        ]

    def _readers(self, kind: Kind) -> Iterator[Reader]:
        for response in self._successful():
            status = int(response.status) if response.status.isdigit() else 0
            content = _content_for(kind, response.contents)
            if content is not None:
                yield self._reader(status, content)
            elif not response.contents:
                yield Reader(status, "None", "_encoding.read_nothing")
        if not self._successful():
            yield Reader(0, "bytes", "_encoding.read_bytes")

    def _reader(self, status: int, content: Content) -> Reader:
        if content.media_type == EVENTS and isinstance(content.type, Scalar):
            return Reader(status, "str", "_encoding.read_text")  # each event's data is a text
        if is_json(content.media_type) or content.media_type in {LINES, EVENTS}:
            text = self._models.annotation(content.type, f"{self._name} answer", "models.")
            return Reader(status, text, f"_encoding.json_reader({text})")
        if content.media_type.startswith("text/"):
            return Reader(status, "str", "_encoding.read_text")
        return Reader(status, "bytes", "_encoding.read_bytes")

    def _accept(self, kind: Kind) -> str:
        match kind:
            case "progress" | "rows":
                return LINES
            case "events":
                return EVENTS
        types = [one.media_type for reply in self._successful() for one in reply.contents]
        plain = dict.fromkeys(one for one in types if one not in {LINES, EVENTS})
        return ", ".join(plain) or "application/json"


def is_json(media_type: str) -> bool:
    """Whether a body of this type is JSON."""
    base = media_type.partition(";")[0].strip().lower()
    return base == "application/json" or base.endswith("+json")


def _preference(content: Content) -> int:
    """Return the place of a body among those that an operation accepts."""
    if is_json(content.media_type):
        return 0
    return 1 + FORMS.index(content.media_type) if content.media_type in FORMS else 3


def _content_for(kind: Kind, contents: Sequence[Content]) -> Content | None:
    """Return the content that is read; a progressive answer ends with the value of the JSON."""
    wanted: Mapping[Kind, str] = {"rows": LINES, "events": EVENTS}
    if kind in wanted:
        return next((one for one in contents if one.media_type == wanted[kind]), None)
    plain = [one for one in contents if one.media_type not in {LINES, EVENTS}]
    return min(plain, key=_preference, default=None)


def _alternatives(readers: Sequence[Reader]) -> Iterator[str]:
    """Yield the alternatives of all readers, None last."""
    texts = [one.annotation for one in readers]
    yield from (one for one in texts if one != "None")
    yield from ("None" for one in texts if one == "None")
