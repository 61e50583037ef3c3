"""Plans the parameters of a method: keywords, and what is sent for them."""

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from bff_core.codegen.names import UniqueNames, snake
from bff_core.codegen.python_layout import Group
from bff_core.codegen.python_text import LINE_LENGTH, text_literal
from bff_core.codegen.upstream.defaults import default_of
from bff_core.codegen.upstream.method_plans import Argument
from bff_core.codegen.upstream.model_types import ModelTypes
from bff_core.codegen.upstream.plans import PythonType
from bff_core.contracts.document import HttpOperation, HttpParameter
from bff_core.contracts.types import ObjectType, Scalar
from bff_core.upstream.transport.request_writer import RESERVED

TEXT: Final = PythonType("str", "string")

_OF_THE_FRAMEWORK: Final = frozenset(
    {"accept", "content-type", "authorization", "traceparent", "request-timeout", "cookie"}
)
"""Headers that the framework, its credentials or its trace set."""

_PATH_SIGNS: Final = "/:@!$&'()*+,;=~%-._"
"""What a path may have besides letters and digits (RFC 3986, section 3.3)."""

_OF_THE_CACHE: Final = frozenset({"if-none-match", "if-modified-since"})

_is_token: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+").fullmatch

_SEPARATORS: Final = {"spaceDelimited": " ", "pipeDelimited": "|"}


class Parameters:
    """The parameters of one operation."""

    def __init__(self, operation: HttpOperation, types: ModelTypes, names: UniqueNames) -> None:
        self.arguments: list[Argument] = []
        self.values: dict[str, str] = {}
        self.query: list[str] = []
        self.headers: list[str | Group] = []
        self.notes: list[str] = []
        self._cookies: list[str] = []
        self._types = types
        self._names = names
        self._operation = operation
        self.path, fixed = _fixed_query(operation.path)
        declared = [one for one in operation.parameters if self._is_sent(one)]
        for one in sorted(declared, key=lambda one: one.place != "path"):
            self._add(one)
        self.query[:0] = [one for name, value in fixed for one in self._fixed(name, value)]
        self._name_placeholders()
        if self._cookies:
            values = Group("{", self._cookies, "}")
            self.headers.append(Group('"cookie": cookies(', [values]))

    def _is_sent(self, one: HttpParameter) -> bool:
        name = one.name.lower()
        if one.place == "path":
            return f"{{{one.name}}}" in self.path or not self._has_query(one.name)
        if one.place != "header":
            return True
        if name in _OF_THE_FRAMEWORK or name.encode() in RESERVED:
            return False
        if _is_token(name) is None:
            self.notes.append(f"header {one.name!r} is no valid name; it is not sent")
            return False
        return not (self._operation.method == "GET" and name in _OF_THE_CACHE)

    def _add(self, one: HttpParameter) -> None:
        hint = f"{_pascal(self._operation)}{snake(one.name).title().replace('_', '')}"
        type_ = _as_parameter(self._types.shape(one.type, "write", hint))
        type_ = self._types.short(type_, hint, "write")
        plain = snake(one.name)
        name = self._names.take(plain, f"{plain.rstrip('_')}_{one.place}")
        default = ""
        is_key = one.name.lower() == "idempotency-key"
        if one.place != "path" and (not one.is_required or is_key):
            default = default_of(one, type_) if one.has_default else ""
            if not default:
                default, type_ = "None", type_.or_none()
        description = one.description
        if one.is_deprecated and "deprecated" not in description.lower():
            description = f"{description} Deprecated.".strip()
        type_ = self._types.short(
            type_, hint, "write", length=LINE_LENGTH - 24 - len(name + default)
        )
        self.arguments.append(Argument(name, type_, default, description, one))
        self._send(one, name, type_)

    def _send(self, one: HttpParameter, name: str, type_: PythonType) -> None:
        key = text_literal(one.name)
        is_list, is_object = type_.kind == "array", self._is_object(one, type_)
        if one.place == "path":
            plain = f'joined({name}) or ""' if is_list or is_object else name
            if one.style not in {"simple", "form", ""}:
                self.notes.append(f"path style {one.style} of {one.name!r} is not written")
            self.values[one.name] = plain
        elif one.place == "query":
            self.query.append(self._query(one, name, key, is_list=is_list, is_object=is_object))
        elif one.place == "header":
            self.headers.append(f"{key}: {f'joined({name})' if is_list or is_object else name}")
        else:
            self._cookies.append(f"{key}: {f'joined({name})' if is_list or is_object else name}")

    def _query(
        self, one: HttpParameter, name: str, key: str, *, is_list: bool, is_object: bool
    ) -> str:
        if one.media_type:
            return f"{key}: as_json({name})"
        if one.style == "deepObject" and is_object:
            return f"**deep_object({key}, {name})"
        if is_object and one.is_exploded:
            return f"**properties({name})"
        separator = _SEPARATORS.get(one.style)
        if separator is not None and not one.is_exploded and (is_list or is_object):
            return f'{key}: joined({name}, "{separator}")'
        if (is_list or is_object) and not one.is_exploded:
            return f"{key}: joined({name})"
        return f"{key}: {name}"

    def _is_object(self, one: HttpParameter, type_: PythonType) -> bool:
        behind = self._types.type_behind(one.type)
        is_map = isinstance(behind, ObjectType) and not isinstance(behind, Scalar)
        return is_map or type_.kind in {"object", "map"}

    def _fixed(self, name: str, value: str) -> Iterator[str]:
        """Yield the entry of a query that is in the path, such as `/rides?page={page}`."""
        if self._has_query(name):
            return
        placeholder = re.fullmatch(r"\{([^{}]*)\}", value)
        if placeholder is None:
            yield f"{text_literal(name)}: {text_literal(value)}"
        elif f"{{{placeholder[1]}}}" in self.path:
            yield f"{text_literal(name)}: {self.values.get(placeholder[1], text_literal(value))}"
        else:
            own = self.values.pop(placeholder[1], "") or self._unnamed(placeholder[1])
            yield f"{text_literal(name)}: {own}"

    def _has_query(self, name: str) -> bool:
        return any(one.place == "query" and one.name == name for one in self._operation.parameters)

    def _unnamed(self, name: str) -> str:
        """Add the argument for a placeholder that no parameter describes; return its name."""
        argument = Argument(self._names.take(snake(name), f"{snake(name)}_path"), TEXT)
        self.arguments.insert(0, argument)
        return argument.name

    def _name_placeholders(self) -> None:
        """Make each placeholder of the path one that a template takes, with a value."""
        values: dict[str, str] = {}
        path = ""
        for number, piece in enumerate(re.split(r"\{([^{}]*)\}", self.path)):
            if number % 2 == 0:
                path += quote(piece, safe=_PATH_SIGNS)
                continue
            if piece not in self.values:
                self.values[piece] = self._unnamed(piece)
            shown = piece if re.fullmatch(r"[A-Za-z_][\w.-]*", piece, re.ASCII) else snake(piece)
            while shown in values:
                shown += "_"
            path += f"{{{shown}}}"
            values[shown] = self.values[piece]
        self.path, self.values = path if path.startswith("/") else f"/{path}", values


def _as_parameter(type_: PythonType) -> PythonType:
    """Return a type that can be written in a path, a query or a header."""
    text = type_.text
    if text in {"Any", "bytes"}:
        return TEXT
    if text == "bytes | None":
        return TEXT.or_none()
    if type_.kind == "array":
        inner = type_.options[0] if type_.options else TEXT
        item = _as_parameter(inner).text
        text = f"Sequence[{item}]"
        if item.endswith(" | None"):
            text = f"Sequence[{item.removesuffix(' | None')}]"
        return PythonType(f"{text} | None" if type_.is_nullable else text, "array",
                          options=type_.options, is_nullable=type_.is_nullable)  # fmt: skip
    return type_


def _pascal(operation: HttpOperation) -> str:
    name = snake(operation.id or f"{operation.method} {operation.path}")
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))


def _fixed_query(path: str) -> tuple[str, list[tuple[str, str]]]:
    """Return a path without its fragment, and its fixed query as names and values."""
    plain, _, query = path.partition("#")[0].partition("?")
    pairs = [one.partition("=") for one in query.split("&") if one]
    return plain, [(name, value) for name, _, value in pairs]
