"""Encodes the results of a view as JSON with the fields of its declared type.

1. A result of exactly the declared dataclasses, Structs and plain types is encoded by msgspec.
2. Any other result is filtered: pydantic validates it and encodes the declared fields, as FastAPI
   does. msgspec filters types with Structs, which pydantic does not support.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any, Final, Never

import msgspec
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import ResponseValidationError
from fastapi.responses import JSONResponse
from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from bff_core.compat.fastapi import IncEx
from bff_core.compat.pydantic import fields_in, serializer_of, use_serializer
from bff_core.errors import ConfigurationError, wired_in
from bff_core.rest.culprit_field import culprit_in
from bff_core.rest.exact_types import ExactTypes, UnsupportedType
from bff_core.rest.field_case import Case, camel_answer, camel_schema
from bff_core.rest.finite_numbers import finite_schema
from bff_core.rest.renamed_structs import renaming_copy
from bff_core.rest.struct_schema import (
    documented_structs,
    has_no_schema,
    has_structs,
    unknown_in,
)
from bff_core.rest.structure_schema import structure_schema
from bff_core.service_clients.unions import decode_union


@dataclass(frozen=True, slots=True)
class Dump:
    """FastAPI's `response_model_*` options: which declared fields are encoded, and how."""

    include: IncEx | None = None
    exclude: IncEx | None = None
    by_alias: bool = True
    exclude_unset: bool = False
    exclude_defaults: bool = False
    exclude_none: bool = False

    @property
    def is_default(self) -> bool:
        """Whether all fields are encoded, under their aliases."""
        return self == Dump()


def refuse_unawaited(value: Awaitable[object]) -> Never:
    """Raise `RuntimeError` for a part or a call that was not awaited."""
    name = getattr(value, "__qualname__", None) or repr(value)
    if inspect.iscoroutine(value):
        value.close()  # else Python warns later that it was never awaited
    raise RuntimeError(f"the view answers with {name} itself: await it, and answer with its result")


def json_form(value: object) -> object:
    """Return the JSON form of an object that msgspec does not support."""
    if isinstance(value, Iterator):
        raise TypeError("an iterator can be read only once: pydantic encodes it")
    if isinstance(value, Awaitable):
        refuse_unawaited(value)
    try:
        return to_jsonable_python(value, by_alias=True, inf_nan_mode="constants")
    except ValueError:
        raise TypeError(
            f"a view can't answer with {type(value).__name__}: return a dataclass, a msgspec "
            "Struct, a pydantic model or plain JSON values"
        ) from None


encode = msgspec.json.Encoder(enc_hook=json_form).encode
"""Encodes a value with all its fields, without a declared type."""

encode_numbers: Final = msgspec.json.Encoder(enc_hook=json_form, decimal_format="number").encode
"""The same, with decimals as numbers: for types that declare numbers and no decimals."""


def renaming_writer(
    renamed: Any, copied: Callable[[object], object] | None, *, has_structs: bool
) -> Callable[[object], bytes]:
    """Return a function that encodes values of exactly a declared type under other names.

    `renamed` is the core schema with these names; msgspec writes `copied` dataclasses faster.
    """
    to_json = serializer_of(structure_schema(renamed, is_builtin=has_structs)).to_json

    def by_pydantic(value: object) -> bytes:
        plain = msgspec.to_builtins(value) if has_structs else value
        try:
            return to_json(plain, by_alias=True, warnings="none")
        except PydanticSerializationError as error:
            encode(value)  # says what is not awaited
            raise TypeError(str(error)) from None

    if copied is None:
        return by_pydantic

    def by_msgspec(value: object) -> bytes:
        try:
            return encode(copied(value))
        except msgspec.ValidationError:
            return by_pydantic(value)

    return by_msgspec


class InvalidResult(ResponseValidationError):
    """A result that does not fit the declared type; its text for logs contains no values."""

    def __str__(self) -> str:
        return "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['type']}" for one in self.errors()
        )


@contextmanager
def _without_values() -> Iterator[None]:
    """Replace errors of pydantic's serializer by errors without values in their text."""
    try:
        yield
    except PydanticSerializationError as error:
        found = ", ".join(fields_in(error))
        where = f" of its field {found}" if found else ""
        raise TypeError(f"a view's result does not fit the declared type{where}") from None


class ResponseModel:
    """The declared type of a view's results; `declared` is None if the view declares none.

    `schema` is the same type for FastAPI's OpenAPI. With a `case` the fields have other names, see
    `field_case`. Raises `ConfigurationError` for a type that has no JSON form, and for options that
    don't work with it.
    """

    def __init__(self, declared: Any, dump: Dump, view: str, case: Case | None = None) -> None:
        self.declared = declared
        self.dump = dump
        self.schema: Any = declared
        self._options = asdict(dump)
        self._adapter: TypeAdapter[Any] | None = None
        self._decode: Any = None
        self._exact: ExactTypes | None = None
        self._encode = self._write = encode
        if declared is None:
            return
        if has_structs(declared):
            self._use_structs(view)
        else:
            self._adapter = _adapter_of(declared, view)
        if dump.is_default:
            with suppress(UnsupportedType):  # then all results are filtered
                self._exact = ExactTypes(declared)
        if self._exact is not None and self._exact.is_number_only:
            self._encode = self._write = encode_numbers
        if case is not None:
            self._rename(view)

    def _rename(self, view: str) -> None:
        adapter = self._adapter or TypeAdapter(self.schema)
        renamed = camel_schema(adapter.core_schema, is_written=True)
        if renamed == adapter.core_schema:
            return
        if not self.dump.by_alias:
            raise ConfigurationError(
                f"view {view}: response_model_by_alias=False sends the names in Python, and "
                "Views(case=...) sends others: leave one of them out"
            )
        use_serializer(adapter, finite_schema(renamed))
        has_structs = self._adapter is None
        if has_structs or self._exact is not None:
            self._write_renamed(renamed, has_structs=has_structs)
        self.schema = camel_answer(adapter.core_schema)

    def _write_renamed(self, renamed: Any, *, has_structs: bool) -> None:
        copied = None
        if not has_structs:
            with suppress(UnsupportedType):
                copied = renaming_copy(self.declared)
        self._write = renaming_writer(renamed, copied, has_structs=has_structs)
        if copied is None and self._exact is not None:  # pydantic encodes decimals as strings
            self._exact = ExactTypes(self.declared, checks_decimals=True)

    def _use_structs(self, view: str) -> None:
        if not self.dump.is_default:
            raise ConfigurationError(
                f"view {view}: response_model_* options don't work with msgspec Structs: declare "
                "a Struct with the fields that it answers with, or omit_defaults=True"
            )
        try:
            unknown = next(unknown_in(self.declared), None)
            self._decode = msgspec.json.Decoder(self.declared, dec_hook=decode_union).decode
        except TypeError as error:
            raise ConfigurationError(f"view {view}: {error}") from None
        if unknown is not None:
            found = culprit_in(self.declared, _holds_unknown)
            where = f" ({found})" if found else ""
            raise ConfigurationError(
                f"view {view}: msgspec Structs can't be answered together with "
                f"{unknown.__name__}, which msgspec does not know{where}: make both Structs, or "
                "both pydantic models"
            )
        with wired_in(f"view {view}"):
            self.schema = documented_structs(self.declared)

    def encode(self, result: object) -> bytes:
        """Return a result as JSON with the declared fields."""
        if self._exact is not None:
            try:
                body = self._write(result)
            except (TypeError, OverflowError):
                return self._filtered(result)
            return body if self._exact.fits(result, body) else self._filtered(result)
        if self.declared is None:
            return _undeclared(result)
        return self._filtered(result)

    def _filtered(self, result: object) -> bytes:
        if self._adapter is None:
            return self._write(self._decode(self._encode(result)))
        if self._exact is not None and self._exact.convert is not None:
            with suppress(msgspec.ValidationError, TypeError):
                result = self._exact.convert(result)
        valid = self._validated(result)
        with _without_values():
            return self._adapter.dump_json(valid, warnings="error", **self._options)

    def content(self, result: object) -> object:
        """Return a result as plain JSON values, for a response class of the view's own."""
        if self._adapter is None:
            return (
                jsonable(result)
                if self.declared is None
                else msgspec.json.decode(self.encode(result))
            )
        valid = self._validated(result)
        with _without_values():
            return self._adapter.dump_python(valid, mode="json", warnings="error", **self._options)

    def _validated(self, result: object) -> object:
        assert self._adapter is not None  # noqa: S101 - only for types that pydantic supports
        try:
            return self._adapter.validate_python(result, from_attributes=True)
        except ValidationError as error:
            errors = [
                {**one, "loc": ("response", *one["loc"])} for one in error.errors(include_url=False)
            ]
            for one in errors:
                if isinstance(one["input"], Awaitable):
                    refuse_unawaited(one["input"])
            raise InvalidResult(errors=errors, body=result) from None


def _holds_unknown(declared: object) -> bool:
    """Whether a type is, or holds, a class that msgspec does not know."""
    try:
        return next(unknown_in(declared), None) is not None
    except TypeError:
        return False


def _adapter_of(declared: Any, view: str) -> TypeAdapter[Any]:
    try:
        adapter = TypeAdapter(declared)
    except PydanticSchemaGenerationError as error:
        found = culprit_in(declared, has_no_schema)
        where = f", as {found}" if found else ""
        raise ConfigurationError(
            f"view {view}: {declared!r} has no JSON form{where}: return a dataclass, a msgspec "
            "Struct, a pydantic model or plain JSON values, or say response_model=None"
        ) from error
    except PydanticUserError as error:
        raise ConfigurationError(f"view {view}: {declared!r}: {error.message}") from error
    use_serializer(adapter, finite_schema(adapter.core_schema))
    return adapter


_ENCODERS: Final[dict[Any, Callable[[Any], Any]]] = {
    msgspec.Struct: msgspec.to_builtins,
    Awaitable: refuse_unawaited,
}


def jsonable(result: object) -> object:
    """Return a result without a declared type as FastAPI encodes it."""
    return jsonable_encoder(result, custom_encoder=_ENCODERS)


def _undeclared(result: object) -> bytes:
    return b"null" if result is None else bytes(JSONResponse(jsonable(result)).body)
