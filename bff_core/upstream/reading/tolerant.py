"""The slow path for replies that the fast decoder refused, or may have misread."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from msgspec import inspect

from bff_core.upstream.reading.charset import text_of
from bff_core.upstream.reading.coercion import ROOT, Fit, Fitting, Lost
from bff_core.upstream.reading.options import ReadingOptions
from bff_core.upstream.reading.plain_json import RepeatedName, parse, render, repeated_name
from bff_core.upstream.reading.reply_types import Known

LARGEST: Final = 1024 * 1024
"""The longest text whose values are coerced one by one: about 0.2 s of the loop's time."""


UNREADABLE: Final = (ValueError, RecursionError)
"""The errors of reading: a wrong type, bytes that are no text, a repeated name."""


@dataclass(frozen=True, slots=True)
class Reduced:
    """A value with omissions: their paths and reasons, never content."""

    value: Any
    lost: tuple[str, ...]


class TooLong(ValueError):
    """The text is too long to coerce its values one by one."""


class Rereading:
    """Reads a body by its charset, and coerces its values to the type before they are decoded."""

    __slots__ = ("_decode", "_fit", "_known", "_may_be_empty", "_options")

    def __init__(
        self,
        known: Known,
        options: ReadingOptions,
        *,
        may_be_empty: bool,
    ) -> None:
        self._decode = known.decode
        self._known = known
        self._options = options
        self._fit: Fit | None = None
        self._may_be_empty = may_be_empty

    def read(self, body: bytes, content_type: bytes) -> Any:
        """Return the value, or `Reduced`; raise one of `UNREADABLE`."""
        text = text_of(body, content_type)
        if self._may_be_empty and not text.strip():
            return None
        info = self._known.info
        try:
            value = self._decode(text.encode())
        except msgspec.ValidationError as error:  # what does not fit as it is may be made to
            if info is None:
                raise
            if len(text) > LARGEST:
                raise TooLong(f"{error} (over {LARGEST} characters nothing is mended)") from None
        else:
            if info is None or not (self._options.is_zoned and self._known.has_moments):
                _refuse_repeated(text)
                return value
            if len(text) > LARGEST:
                raise TooLong(f"over {LARGEST} characters no zones are added or missed")
        return self._fitted(info, text)

    def _fitted(self, info: inspect.Type, text: str) -> Any:
        if self._fit is None:
            self._fit = Fitting(self._options, self._known.hook).of(info)
        lost: Lost = []
        value = self._decode(render(self._fit(parse(text), ROOT, lost)))
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
