"""Which types can replies have? Those of msgspec, pydantic models, and types with a decoder."""

from collections.abc import Callable, Iterator
from typing import Any, Final, get_args

import msgspec
import pydantic
from msgspec import inspect

from bff_core.compat.pydantic import validator_of
from bff_core.errors import ConfigurationError
from bff_core.upstream.reading.options import ReadingOptions, call_decoder, own_decoder
from bff_core.upstream.reading.pydantic_models import first_error, is_model

_NESTED: Final = ("type", "types", "item_type", "item_types", "key_type", "value_type", "fields")


class ReplyType:
    """How a type is decoded from JSON; raises `ConfigurationError` for types that can't be.

    `info` is msgspec's description, None for a union of pydantic models.
    """

    __slots__ = ("decode", "has_moments", "hook", "info")

    def __init__(self, model: Any, options: ReadingOptions) -> None:
        self.hook = _hook(options)
        self.info: inspect.Type | None = None
        is_validated = any(map(is_model, _arguments(model)))
        try:
            self.info = inspect.type_info(model)
            decode = msgspec.json.Decoder(model, dec_hook=self.hook).decode
        except (TypeError, KeyError) as error:
            if not is_validated:
                raise ConfigurationError(
                    f"{model!r} can't be decoded from JSON: {error}"
                ) from error
        parts = [] if self.info is None else list(_walk(self.info, set()))
        for part in parts:
            _check(part, model, options, is_validated=is_validated)
        self.has_moments = any(isinstance(part, inspect.DateTimeType) for part in parts)
        self.decode: Callable[[bytes], Any] = _validating(model) if is_validated else decode


def _arguments(model: Any) -> Iterator[Any]:
    """Yield a type form and its arguments, such as the item type of a list."""
    yield model
    for argument in get_args(model):
        yield from _arguments(argument)


def _walk(info: inspect.Type, passed: set[Any]) -> Iterator[inspect.Type]:
    """Yield a type and all types inside it, each class once."""
    kind = getattr(info, "cls", None)
    if kind is not None and kind in passed:
        return
    passed.add(kind)
    yield info
    for name in _NESTED:
        nested = getattr(info, name, ())
        for one in nested if isinstance(nested, tuple) else (nested,):
            yield from _walk(one.type if isinstance(one, inspect.Field) else one, passed)


def _check(info: inspect.Type, model: Any, options: ReadingOptions, *, is_validated: bool) -> None:
    kind = getattr(info, "cls", object)
    if isinstance(info, inspect.CustomType):
        is_declared = any(kind is one for one, _ in options.decoders)
        if kind is object or is_model(kind) or is_declared or own_decoder(kind) is not None:
            return
        raise ConfigurationError(
            f"{name_of(model)} can't be decoded from JSON, since {name_of(kind)} has no JSON "
            "form: use a dataclass, a msgspec.Struct or a pydantic model, or name a function that "
            f"makes it: decoders = {{{name_of(kind)}: …}}"
        )
    if is_model(kind) and not is_validated:
        raise ConfigurationError(
            f"{name_of(model)} would hold {name_of(kind)} unvalidated: "
            "make it a pydantic model, too"
        )


def _validating(model: Any) -> Callable[[bytes], Any]:
    try:
        validate = pydantic.TypeAdapter(model).validate_json
    except pydantic.errors.PydanticUserError as error:
        raise ConfigurationError(f"{name_of(model)} can't be decoded: {error}") from error

    def decode(body: bytes) -> Any:
        try:
            return validate(body)
        except pydantic.ValidationError as error:
            raise msgspec.ValidationError(first_error(error)) from None

    return decode


def _hook(options: ReadingOptions) -> Callable[[type, object], object]:
    decoders = dict(options.decoders)

    def decode(kind: type, value: object) -> object:
        decoder = decoders.get(kind) or own_decoder(kind)
        if decoder is not None:
            return call_decoder(decoder, value)
        validator = validator_of(kind)
        if validator is None:
            return value
        try:
            return validator.validate_json(msgspec.json.encode(value))
        except pydantic.ValidationError as error:
            raise ValueError(first_error(error)) from None

    return decode


def name_of(kind: Any) -> str:
    """Return a type as text for messages."""
    return getattr(kind, "__name__", str(kind)) if not get_args(kind) else str(kind)
