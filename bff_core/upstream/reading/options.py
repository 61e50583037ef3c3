"""The options for reading an upstream's replies, from its policy and its class."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from bff_core.policy.upstream.policy import Policy

Decoder = Callable[[object], object]
"""Converts a plain JSON value (str, float, bool, list or dict) to a type.

Raises `ValueError` for a value that it can't convert.
"""

_ERRORS: Final = (TypeError, LookupError, ArithmeticError, AttributeError, OSError)


def call_decoder(decoder: Decoder, value: object) -> object:
    """Return a decoder's value; raise `ValueError` for any exception that it raises."""
    try:
        return decoder(value)
    except _ERRORS as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def own_decoder(kind: type) -> Decoder | None:
    """Return the decoder that a type brings along, as unions without tags do."""
    return getattr(kind, "__from_json__", None)


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """The options for reading a reply, apart from its type; compared by value."""

    is_tolerant: bool = False
    naive: str = "accept"
    decoders: tuple[tuple[type, Decoder], ...] = ()

    @property
    def is_zoned(self) -> bool:
        """Whether a datetime without a zone is changed or refused."""
        return self.naive != "accept"

    @property
    def refuses_naive(self) -> bool:
        """Whether a datetime without a zone is refused."""
        return self.naive == "refuse"

    @property
    def zone(self) -> tzinfo | None:
        """The zone that datetimes without one get, or None."""
        if self.naive in {"accept", "refuse"}:
            return None
        return UTC if self.naive == "UTC" else ZoneInfo(self.naive)


STRICT: Final = ReadingOptions()


def reading_options(policy: Policy, decoders: Mapping[type, Decoder]) -> ReadingOptions:
    """Return the options of a policy and of the decoders of an upstream's class."""
    return ReadingOptions(
        policy.reading == "tolerant", policy.naive_datetimes, tuple(decoders.items())
    )
