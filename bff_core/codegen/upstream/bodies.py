"""Plans the body of a request: JSON, a form, files, text or bytes."""

from collections.abc import Iterator
from typing import Final

from bff_core.codegen.names import UniqueNames, pascal, snake
from bff_core.codegen.python_layout import Group
from bff_core.codegen.python_text import LINE_LENGTH, text_literal
from bff_core.codegen.upstream.defaults import default_of
from bff_core.codegen.upstream.method_plans import Argument
from bff_core.codegen.upstream.model_types import ModelTypes
from bff_core.codegen.upstream.plans import PythonType
from bff_core.contracts.document import Body, Content
from bff_core.contracts.types import Array, Field, Nullable, ObjectType, Ref, Scalar, Type

FILE: Final = PythonType("FilePart", "string")

FIELDS: Final = PythonType("Mapping[str, str]", "map")
FILES: Final = PythonType("Mapping[str, FilePart]", "map")

_FORM: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"
_OCTETS: Final = "application/octet-stream"


def is_json(media_type: str) -> bool:
    """Whether a media type is JSON, or stands for any."""
    plain = media_type.partition(";")[0].strip().lower()
    return plain in {"application/json", "text/json", "*/*", "application/*"} or (
        plain.endswith("+json")
    )


class RequestBody:
    """The body of one operation: the keywords for it, and the options of the verb."""

    def __init__(self, types: ModelTypes, names: UniqueNames, hint: str, *, is_patch: bool) -> None:
        self.arguments: list[Argument] = []
        self.sent: list[str | Group] = []
        self.headers: list[str] = []
        self._types = types
        self._names = names
        self._hint = hint
        self._is_patch = is_patch

    def plan(self, body: Body) -> None:
        """Plan the first of JSON, form, files, text and bytes that the contract allows."""
        content = min(body.contents, key=_preference, default=None)
        if content is None:
            return
        kind = content.media_type.partition(";")[0].strip().lower()
        behind = self._types.type_behind(content.type)
        if is_json(kind) and not _is_binary(behind):
            self._json(content, body, kind)
        elif kind in {_FORM, _MULTIPART} and (fields := list(self._fields(content.type))):
            self._form(content, fields, is_multipart=kind == _MULTIPART)
        elif kind in {_FORM, _MULTIPART}:
            self._any_form(is_multipart=kind == _MULTIPART)
        else:
            self._raw(body, kind)

    def _any_form(self, *, is_multipart: bool) -> None:
        """Plan a form whose fields the contract does not name."""
        name = self._names.take("form", "form_fields")
        self.arguments.append(Argument(name, FIELDS, "", "The fields of the form."))
        self.sent.append(f"form={name}")
        if is_multipart:
            name = self._names.take("files", "form_files")
            self.arguments.append(Argument(name, FILES, "", "The files of the form."))
            self.sent.append(f"files={name}")

    def _json(self, content: Content, body: Body, kind: str) -> None:
        hint = f"{self._hint}Body"
        type_ = self._types.body(content.type, hint, is_patch=self._is_patch)
        type_ = self._types.short(type_, hint, "write")
        name = self._names.take("body", "json_body")
        value = name
        default = ""
        if not body.is_required:
            default, type_ = "None", type_.or_none()
            value = f"NO_BODY if {name} is None else {name}"
        self.arguments.append(Argument(name, type_, default, body.description))
        self.sent.append(f"json={value}")
        if kind not in {"application/json", "*/*", "application/*"}:
            self.headers.append(f'"content-type": {text_literal(kind)}')

    def _raw(self, body: Body, kind: str) -> None:
        name = self._names.take("content", "raw_content")
        is_text = kind.startswith("text/") or kind.endswith("xml")
        type_ = PythonType("str" if is_text else "Content", "string")
        value = f"{name}.encode()" if is_text else name
        default = ""
        if not body.is_required:
            default, type_ = "None", type_.or_none()
            value = f"{value} if {name} is not None else None" if is_text else value
        self.arguments.append(Argument(name, type_, default, body.description))
        self.sent.append(f"content={value}")
        if kind not in {_OCTETS, "", "*/*"} and "*" not in kind:
            self.headers.append(f'"content-type": {text_literal(kind)}')

    def _fields(self, kind: Type) -> Iterator[Field]:
        behind: Type = kind
        while isinstance(behind, Ref | Nullable):
            if isinstance(behind, Nullable):
                behind = behind.of
            else:
                behind = self._types.definition(behind.name)
        if isinstance(behind, ObjectType):
            yield from (one for one in behind.fields if not one.is_read_only)

    def _form(self, content: Content, fields: list[Field], *, is_multipart: bool) -> None:
        texts: list[str] = []
        files: list[str] = []
        needs_given = False
        for one in fields:
            plain = snake(one.name)
            name = self._names.take(plain, f"{plain.rstrip('_')}_field")
            is_file = is_multipart and _is_file(self._types.type_behind(one.type))
            type_ = self._form_type(one, is_file=is_file)
            default = ""
            if not one.is_required:
                default = default_of(one, type_) if one.has_default else ""
                if not default:
                    default, type_ = "None", type_.or_none()
            hint, length = f"{self._hint}{pascal(one.name)}", LINE_LENGTH - 24 - len(name + default)
            type_ = self._types.short(type_, hint, "write", length=length)
            self.arguments.append(Argument(name, type_, default, one.description))
            key = text_literal(one.name)
            if is_file:
                needs_given |= not one.is_required or type_.kind == "array"
                files.append(f"{key}: {_files(name, type_)}")
            else:
                texts.append(f"{key}: {_form_value(one, name, type_, content)}")
        if texts or not is_multipart:
            self.sent.append(Group("form={", texts, "}"))
        if is_multipart:
            wrapped = Group("files=given(", [Group("{", files, "}")])
            self.sent.append(wrapped if needs_given else Group("files={", files, "}"))

    def _form_type(self, one: Field, *, is_file: bool) -> PythonType:
        if is_file:
            behind = self._types.type_behind(one.type)
            is_list = isinstance(behind, Array)
            return PythonType("Sequence[FilePart]", "array") if is_list else FILE
        type_ = self._types.shape(one.type, "write", f"{self._hint}{pascal(one.name)}")
        plain = type_.text.removesuffix(" | None")
        return PythonType("str", "string") if plain in {"Any", "bytes"} else type_


def _preference(content: Content) -> int:
    kind = content.media_type.partition(";")[0].strip().lower()
    if is_json(kind):
        return 0 if kind == "application/json" else 1
    return {_FORM: 2, _MULTIPART: 3}.get(kind, 4 if kind.startswith("text/") else 5)


def _is_binary(kind: Type) -> bool:
    return isinstance(kind, Scalar) and kind.kind == "binary"


def _is_file(kind: Type) -> bool:
    if isinstance(kind, Nullable):
        return _is_file(kind.of)
    return _is_file(kind.items) if isinstance(kind, Array) else _is_binary(kind)


def _files(name: str, type_: PythonType) -> str:
    if type_.kind != "array":
        return name
    return f"list({name}) if {name} is not None else None" if type_.is_nullable else f"list({name})"


def _form_value(one: Field, name: str, type_: PythonType, content: Content) -> str:
    """Return what is sent for a field: objects are JSON, and what the encoding says is."""
    is_json_part = is_json(content.encodings.get(one.name, ""))
    if is_json_part or type_.kind in {"object", "map"}:
        return f"as_json({name})"
    is_list_of_objects = type_.kind == "array" and any(
        inner.kind in {"object", "map", "array", "any"} for inner in type_.options
    )
    return f"as_json({name})" if is_list_of_objects else name
