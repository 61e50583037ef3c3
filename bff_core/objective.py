"""Objectives of views: which share of the answers is complete, and within which time."""

import re
from collections.abc import Callable
from inspect import unwrap
from typing import Final, TypeVar

import msgspec

from bff_core.errors import ConfigurationError

E = TypeVar("E")

OBJECTIVE: Final = "__objective__"
"""The attribute of the function behind a route or a GraphQL field that holds its `Objective`."""

DEFAULT_SHARE: Final = 0.99
"""The share of answers that are in time, for an objective that names a time only."""

MAX_PERCENT: Final = 99.999
"""The highest share: without a budget for errors, the first one would spend it."""

MAX_SECONDS: Final = 3600.0

_SHARE = re.compile(r"complete\s+(?P<percent>\d+(\.\d+)?)\s*%")
_TIME = re.compile(r"(≤|<=)\s*(?P<amount>\d+(\.\d+)?)\s*(?P<unit>ms|s)")

EXAMPLE: Final = '"complete 99.5 %, ≤ 300 ms"'


class Objective(msgspec.Struct, frozen=True):
    """The objective of a view: a `share` of its answers is good.

    An answer is good if it is within `seconds` (None: any time) and complete. Without
    `needs_complete`, it may be degraded. `text` is the objective as it was written.
    """

    text: str
    share: float
    seconds: float | None
    needs_complete: bool

    @property
    def budget(self) -> float:
        """The share of answers that need not be good."""
        return 1.0 - self.share

    def is_met(self, state: str, seconds: float) -> bool:
        """Whether an answer is good: `state` is complete, degraded or failed."""
        is_acceptable = state == "complete" or (state == "degraded" and not self.needs_complete)
        return is_acceptable and (self.seconds is None or seconds <= self.seconds)

    def __str__(self) -> str:
        return self.text


def parsed_objective(text: object) -> Objective:
    """Return the objective of a text such as "complete 99.5 %, ≤ 300 ms", or of one part of it.

    Raises `ConfigurationError` for any other text.
    """
    if not isinstance(text, str):
        raise ConfigurationError(f"objective({text!r}): give a text, such as {EXAMPLE}")
    share: float | None = None
    seconds: float | None = None
    for one in re.split(r",(?!\d)", text):
        if found := _SHARE.fullmatch(one.strip()):
            share = _share_of(found["percent"], text, is_second=share is not None)
        elif found := _TIME.fullmatch(one.strip()):
            amount = float(found["amount"]) / (1000 if found["unit"] == "ms" else 1)
            seconds = _seconds_of(amount, text, is_second=seconds is not None)
        else:
            raise ConfigurationError(f"objective({text!r}): {_advice(one.strip())}")
    return Objective(text, DEFAULT_SHARE if share is None else share, seconds, share is not None)


def objective(text: str) -> Callable[[E], E]:
    """Set the objective of a view: a decorator for the function behind a route or GraphQL field.

        @views.get("/home")
        @objective("complete 99.5 %, ≤ 300 ms")
        async def get_home(home: Home) -> MobileHome: ...

    It says that 99.5 % of the answers are complete and sent within 300 ms. Metrics and the console
    show how fast the rest, the error budget, is spent, and which part and service spend it. Either
    half alone is an objective, too: `≤ 300 ms` is for 99 % of the answers, degraded ones included.

    Raises `ConfigurationError` for any other text.
    """
    parsed = parsed_objective(text)

    def mark(function: E) -> E:
        setattr(function, OBJECTIVE, parsed)
        return function

    return mark


def objective_of(function: object) -> Objective | None:
    """Return the objective of a function, or of the one that it wraps; None without one."""
    found = getattr(function, OBJECTIVE, None)
    if found is None and callable(function):
        found = getattr(unwrap(function), OBJECTIVE, None)
    return found if isinstance(found, Objective) else None


def _share_of(percent: str, text: str, *, is_second: bool) -> float:
    if is_second:
        raise ConfigurationError(f"objective({text!r}): it has two shares: remove one")
    if not 0 < float(percent) <= MAX_PERCENT:
        raise ConfigurationError(
            f"objective({text!r}): give a share above 0 % and up to {MAX_PERCENT} %: the rest is "
            "the error budget"
        )
    return float(percent) / 100


def _seconds_of(amount: float, text: str, *, is_second: bool) -> float:
    if is_second:
        raise ConfigurationError(f"objective({text!r}): it has two times: remove one")
    if not 0 < amount <= MAX_SECONDS:
        raise ConfigurationError(
            f"objective({text!r}): give a time above 0 and up to {MAX_SECONDS:g} s"
        )
    return amount


_ADVICE: Final = (
    (r"", f"write {EXAMPLE}, or one half of it"),
    (r".*\d,\d.*", "write the number with a point, such as 99.5"),
    (r"complete.*%.*(≤|<=).*", f"put a comma between share and time, as in {EXAMPLE}"),
    (r".*%.*", 'write the share as "complete 99.5 %"'),
    (r"(≤|<=)\s*[\d.]+", 'add the unit, ms or s, as in "≤ 300 ms"'),
    (r".*\d\s*(ms|s)\b.*", 'write the time as "≤ 300 ms" or "<= 0.3 s"'),
    (r"complete\s+[\d.]+", 'add the sign, as in "complete 99.5 %"'),
    (r".*", f"that is no share and no time: write {EXAMPLE}, or one half of it"),
)
"""What to write instead of a part of an objective, by patterns; the first that matches counts."""


def _advice(part: str) -> str:
    """Return what to write instead of a part of an objective."""
    advice = next(one for pattern, one in _ADVICE if re.fullmatch(pattern, part))
    return f"{part!r}: {advice}" if part else advice
