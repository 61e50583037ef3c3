"""What differs between asynchronous and synchronous programs: waiting, timeouts, tokens."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

Token = str | Callable[[], str | Awaitable[str]] | None
"""A token, or a function that returns the current one."""


async def pause(seconds: float) -> None:
    """Wait."""
    await asyncio.sleep(seconds)


def within(seconds: float) -> asyncio.Timeout:
    """Return a context that raises `TimeoutError` after this many seconds."""
    return asyncio.timeout(seconds)


async def current_token(token: Token) -> str:
    """Return the token to send, or an empty text."""
    if token is None or isinstance(token, str):
        return token or ""
    found = token()
    return await found if inspect.isawaitable(found) else found
