"""How an upstream's replies are read: what its policy and its class say, in one value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from bff_core.policy.upstream.policy import Policy

Decoder = Callable[[object], object]
"""Makes a value of a type from what JSON says: text, a number, a flag, a list or a dictionary.

Raises `ValueError` for what it can't read.
"""

_ERRORS: Final = (TypeError, LookupError, ArithmeticError, AttributeError, OSError)


def call_decoder(decoder: Decoder, value: object) -> object:
    """Return what a decoder makes of a value; raise `ValueError` for whatever else it raises."""
    try:
        return decoder(value)
    except _ERRORS as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """What decides how a reply becomes a value, beside its type; compared by value."""

    is_tolerant: bool = False
    naive: str = "accept"
    decoders: tuple[tuple[type, Decoder], ...] = ()

    @property
    def is_zoned(self) -> bool:
        """Whether a date and time without a zone is changed or refused."""
        return self.naive != "accept"

    @property
    def refuses_naive(self) -> bool:
        """Whether a date and time without a zone is refused."""
        return self.naive == "refuse"

    @property
    def zone(self) -> tzinfo | None:
        """The zone of a date and time that has none; None leaves it without."""
        if self.naive in {"accept", "refuse"}:
            return None
        return UTC if self.naive == "UTC" else ZoneInfo(self.naive)


STRICT: Final = ReadingOptions()


def reading_options(policy: Policy, decoders: Mapping[type, Decoder]) -> ReadingOptions:
    """Return what a policy and the decoders of an upstream's class say."""
    return ReadingOptions(
        policy.reading == "tolerant", policy.naive_datetimes, tuple(decoders.items())
    )
