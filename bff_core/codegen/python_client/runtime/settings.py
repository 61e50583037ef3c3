"""How calls are made: timeout, retries, idempotency key, headers; and when one is repeated."""

import random
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

RETRIED: Final = frozenset({429, 502, 503, 504})
"""Statuses after which a call may succeed soon."""

KEY: Final = re.compile(r"[\x20-\x7e]{1,255}")
SECONDS: Final = re.compile(r"[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrySettings:
    """How often a call is sent, and how long the client waits between two attempts.

    Only reads, and writes with an idempotency key, are sent again: after a connection error, and
    after 429, 502, 503 and 504. The wait is random, up to `first_delay` seconds, doubled with each
    attempt up to `max_delay`. `Retry-After` is waited for at least. A call that would not be
    answered within its timeout is not sent again.
    """

    attempts: int = 3
    first_delay: float = 0.2
    max_delay: float = 5.0
    random: Callable[[], float] = random.random

    def wait(self, attempt: int, retry_after: float | None) -> float:
        """Return how long to wait after the attempt of this number, from 1 on, in seconds."""
        longest = min(self.max_delay, self.first_delay * 2.0 ** (attempt - 1))
        return (retry_after or 0.0) + self.random() * longest


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """What one call does otherwise than the client.

    `timeout` is in seconds, for all attempts together. `idempotency_key` is that of a write: pass
    the same to repeat a write after the program was restarted. Without one the client makes one.
    """

    timeout: float | None = None
    idempotency_key: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    retries: RetrySettings | None = None


DEFAULT: Final = CallSettings()


def new_key() -> str:
    """Return a new idempotency key."""
    return str(uuid.uuid4())


def quoted_key(key: str) -> str:
    """Return an idempotency key as its header has it; raise `ValueError` if it can't be one."""
    if not KEY.fullmatch(key):
        raise ValueError("an idempotency key has 1 to 255 characters of ASCII")
    return '"' + re.sub(r'(["\\])', r"\\\1", key) + '"'


def is_retried(status: int, retry_after: float | None) -> bool:
    """Whether a response is one that another attempt may replace.

    A 409 with `Retry-After` says that the first request with this key is still running.
    """
    return status in RETRIED or (status == 409 and retry_after is not None)


def retry_after_of(
    text: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> float | None:
    """Return the seconds of a header `Retry-After`, which has seconds or a date; None without."""
    text = text.strip()
    if SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (zoned - now()).total_seconds())


class Attempts:
    """Counts the attempts of one call, and decides whether another follows."""

    def __init__(self, retries: RetrySettings, deadline: float, *, may_repeat: bool) -> None:
        self._retries = retries
        self.deadline = deadline
        self._most = retries.attempts if may_repeat else 1
        self._sent = 0
        self._has_renewed = False

    def wait_after(self, status: int | None, retry_after: float | None) -> float | None:
        """Return how long to wait for the next attempt; None if there is none.

        Without a status the attempt got no reply.
        """
        self._sent += 1
        if self._sent >= self._most or not (status is None or is_retried(status, retry_after)):
            return None
        wait = self._retries.wait(self._sent, retry_after)
        return wait if time.monotonic() + wait < self.deadline else None

    def renew_token(self) -> bool:
        """Whether a refused token may be replaced by another one; it may once."""
        is_first, self._has_renewed = not self._has_renewed, True
        return is_first
