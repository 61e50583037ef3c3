"""How the result of a step or an input is stored in a journal and read again."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, get_args, get_origin

import msgspec
import pydantic

from bff_core.errors import ConfigurationError
from bff_core.upstream.reading.options import STRICT
from bff_core.upstream.reading.pydantic_models import is_model
from bff_core.upstream.reading.reply_types import ReplyType
from bff_core.upstream.typed_reply import TypedReply

to_model: Final = ReplyType(object, STRICT).hook
"""A decoding hook of msgspec that makes pydantic models of journaled inputs."""


class JournalCodec:
    """Encodes and decodes values of one type for a journal.

    `read` decodes JSON and `write` encodes it. Pydantic models are encoded by field name, without
    computed fields, so that aliases of any kind can be decoded. Raises `ConfigurationError` for a
    type that JSON can't represent.
    """

    __slots__ = ("read", "write")

    def __init__(self, model: Any) -> None:
        types = list(_types_in(model))
        if TypedReply in types:
            raise ConfigurationError(
                "a journal does not store the headers of a reply: return only what later steps "
                "need, such as reply.value or reply.location"
            )
        reader = ReplyType(model, STRICT)
        self.read: Callable[[str | bytes], Any] = reader.decode  # type: ignore[assignment]  # str, too
        self.write: Callable[[object], bytes] = msgspec.json.encode
        if any(map(is_model, types)):
            adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(model)
            self.read = partial(_validated, adapter)
            self.write = partial(adapter.dump_json, by_alias=False, round_trip=True)


def _validated(adapter: "pydantic.TypeAdapter[Any]", text: str | bytes) -> Any:
    try:
        return adapter.validate_json(text, by_alias=False, by_name=True)
    except pydantic.ValidationError as error:
        raise msgspec.ValidationError(str(error)) from None


def _types_in(model: Any) -> Iterator[Any]:
    """Yield a type and the types in it, such as that of the items of a list."""
    yield model
    if get_origin(model) is not None:
        yield get_origin(model)
    for one in get_args(model):
        yield from _types_in(one)
