"""What a journal holds of a step's result or of an input, and how it is read again."""

from collections.abc import Callable, Iterator
from typing import Any, Final, get_args, get_origin

import msgspec
import pydantic

from bff_core.errors import ConfigurationError
from bff_core.upstream.reading.options import STRICT
from bff_core.upstream.reading.pydantic_models import is_model
from bff_core.upstream.reading.reply_types import Known
from bff_core.upstream.typed_reply import TypedReply

to_model: Final = Known(object, STRICT).hook
"""Makes a model of pydantic of an input that the journal holds; a hook of msgspec's."""


class Journaled:
    """How values of one type are written to a journal and read again.

    Models of pydantic are written by the names of their fields, without computed ones, so that
    aliases of any kind come back. Raises `ConfigurationError` for a type that JSON can't become.
    """

    __slots__ = ("_adapter", "read")

    def __init__(self, model: Any) -> None:
        kinds = list(_kinds(model))
        if TypedReply in kinds:
            raise ConfigurationError(
                "a journal must not hold the headers of a reply: return what later steps need of "
                "it, such as reply.value or reply.location"
            )
        known = Known(model, STRICT)
        self.read: Callable[[str | bytes], Any] = known.decode  # type: ignore[assignment]  # str, too
        self._adapter: pydantic.TypeAdapter[Any] | None = None
        if any(map(is_model, kinds)):
            self._adapter = pydantic.TypeAdapter(model)
            self.read = self._validated

    def write(self, value: object) -> bytes:
        """Return a value as the journal holds it."""
        if self._adapter is None:
            return msgspec.json.encode(value)
        return self._adapter.dump_json(value, by_alias=False, round_trip=True)

    def _validated(self, text: str | bytes) -> Any:
        assert self._adapter is not None  # noqa: S101 - only for pydantic's models
        try:
            return self._adapter.validate_json(text, by_alias=False, by_name=True)
        except pydantic.ValidationError as error:
            raise msgspec.ValidationError(str(error)) from None


def _kinds(model: Any) -> Iterator[Any]:
    """Yield a type and what it is made of, such as the items of a list."""
    yield model
    if get_origin(model) is not None:
        yield get_origin(model)
    for one in get_args(model):
        yield from _kinds(one)
