"""The connections of a small server: each has a task, and all of them are cancelled at its end."""

import asyncio
from collections.abc import Awaitable, Callable
from math import inf

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Answers what comes on a connection, and closes it."""


class Connections:
    """A callback for `asyncio.start_server`; more than `most` connections at once are refused.

    The tasks are not those of asyncio: when one of these is cancelled, Python 3.11 prints a
    traceback.
    """

    def __init__(self, answer: Answer, most: float = inf) -> None:
        self._answer = answer
        self._most = most
        self._tasks: set[asyncio.Future[None]] = set()

    def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin to answer a connection."""
        if len(self._tasks) >= self._most:
            writer.transport.abort()
            return
        task = asyncio.ensure_future(self._answer(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Cancel what is not answered yet."""
        tasks = [*self._tasks]
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
