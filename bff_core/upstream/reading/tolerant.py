"""The slow path for replies that the fast decoder refused, or may have misread."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import inspect

from bff_core.upstream.reading.charset import text_of
from bff_core.upstream.reading.coercion import ROOT, Coerce, Coercion, Omissions
from bff_core.upstream.reading.options import ReadingOptions
from bff_core.upstream.reading.plain_json import RepeatedName, parse, render, repeated_name
from bff_core.upstream.reading.reply_types import ReplyType

MAX_COERCED_CHARACTERS: Final = 1024 * 1024
"""The longest text whose values are coerced one by one, which blocks the loop for about 0.2 s."""


DECODE_ERRORS: Final = (ValueError, RecursionError)
"""What decoding raises: for a wrong type, a wrong charset, a repeated name, deep nesting."""


@dataclass(frozen=True, slots=True)
class Reduced:
    """A value with omissions; `lost` are their paths and reasons, never content."""

    value: Any
    lost: tuple[str, ...]


class TooLong(ValueError):
    """The text is too long to coerce its values one by one."""


class FallbackDecoder:
    """Decodes a body by its charset, and coerces its values to the type."""

    __slots__ = ("_coerce", "_decode", "_known", "_may_be_empty", "_options")

    def __init__(
        self,
        known: ReplyType,
        options: ReadingOptions,
        *,
        may_be_empty: bool,
    ) -> None:
        self._decode = known.decode
        self._known = known
        self._options = options
        self._coerce: Coerce | None = None
        self._may_be_empty = may_be_empty

    def read(self, body: bytes, content_type: bytes) -> Any:
        """Return the value, or `Reduced` with omissions; raises one of `DECODE_ERRORS`."""
        text = text_of(body, content_type)
        if self._may_be_empty and not text.strip():
            return None
        info = self._known.info
        try:
            value = self._decode(text.encode())
        except msgspec.ValidationError as error:  # coercion may help
            if info is None:
                raise
            if len(text) > MAX_COERCED_CHARACTERS:
                reason = (
                    f"{error} (values of over {MAX_COERCED_CHARACTERS} characters are not coerced)"
                )
                raise TooLong(reason) from None
        else:
            if info is None or not (self._options.is_zoned and self._known.has_moments):
                _refuse_repeated(text)
                return value
            if len(text) > MAX_COERCED_CHARACTERS:
                raise TooLong(f"zones of over {MAX_COERCED_CHARACTERS} characters are not checked")
        return self._coerced(info, text)

    def _coerced(self, info: inspect.Type, text: str) -> Any:
        if self._coerce is None:
            self._coerce = Coercion(self._options, self._known.hook).of(info)
        lost: Omissions = []
        value = self._decode(render(self._coerce(parse(text), ROOT, lost)))
        return Reduced(value, tuple(lost)) if lost else value


def _refuse_repeated(text: str) -> None:
    name = repeated_name(text)
    if name is not None:
        raise RepeatedName.of(name)


def without_content(error: Exception) -> str:
    """Return the text of an error without what msgspec quotes of the reply."""
    text = str(error)
    if not text.startswith("Invalid enum value"):
        return text
    _, at, path = text.rpartition(" - at ")
    return f"unknown enum member{at}{path if at else ''}"
