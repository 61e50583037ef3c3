"""What differs between asynchronous and synchronous programs: waiting, timeouts, tokens."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

Token = str | Callable[[], str] | None
"""A token, or a function that returns the current one."""


def pause(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


def within(seconds: float) -> AbstractContextManager[float]:
    """Return a context without a limit: each read from the connection has a timeout of its own."""
    return nullcontext(seconds)


def current_token(token: Token) -> str:
    """Return the token to send, or an empty text."""
    if token is None or isinstance(token, str):
        return token or ""
    return token()
