"""A gateway in which every kind of failure can happen, and access to its log lines."""

import io
import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Response, WebSocket
from fastapi.responses import PlainTextResponse
from starlette.background import BackgroundTask

from bff_core import Composition, Upstream, Views, compose, critical, gateway, optional
from bff_core.events import Events
from bff_core.observe import JSONLines, LogSink, RequestIds
from bff_core.settings.model import Settings

own_log = logging.getLogger("shop.lab")


class Dead(Upstream):
    """A service at an address where nothing listens."""

    async def stock(self) -> dict[str, int]:
        """Read something."""
        return await self.get("/stock/{sku}", dict[str, int], sku="7")


class Screen(Composition):
    """A screen with a part for each kind of failure."""

    dead: Dead

    @critical
    async def stock(self) -> dict[str, int]:
        """Fail with the service."""
        return await self.dead.stock()

    @critical
    async def bug(self) -> int:
        """Fail by itself."""
        return {}["boom in a part"]

    @optional
    async def extra(self) -> int:
        """Fail, and be left out."""
        return await self.bug()

    @optional
    async def more(self) -> int:
        """Fail of the same bug."""
        return await self.bug()


Built = Annotated[Screen, Depends(compose(Screen))]


class Mine(Exception):
    """An exception that the application has a handler for."""


async def dependency():
    """Fail before the route."""
    raise ValueError("boom in an async dependency")


def sync_dependency():
    """Fail before the route, in a thread."""
    raise ValueError("boom in a sync dependency")


async def exit_dependency():
    """Fail behind the route."""
    yield 1
    raise ValueError("boom behind a yield")


def views():  # noqa: C901 # a list of views, and no branch
    """Return views that fail."""
    made = Views(prefix="/v1")

    @made.get("/service/{sku}")
    async def service(screen: Built, sku: str) -> dict[str, int]:
        return await screen.stock()

    @made.get("/part")
    async def part(screen: Built) -> int:
        return await screen.bug()

    @made.get("/optional")
    async def optional_parts(screen: Built) -> list[int | None]:
        own_log.warning("a line of the view")
        return [await screen.extra(), await screen.more()]

    @made.get("/view")
    async def view() -> int:
        raise ValueError("boom in a view")

    @made.get("/translated")
    async def translated() -> int:
        try:
            raise KeyError("what made it")  # noqa: TRY301 # as people write it
        except KeyError:
            raise HTTPException(503, "try later")  # noqa: B904 # as people write it

    @made.get("/returned")
    async def returned() -> Response:
        return Response("no", 500)

    @made.get("/dependency", dependencies=[Depends(dependency)])
    async def with_dependency() -> int:
        return 1

    @made.get("/sync-dependency", dependencies=[Depends(sync_dependency)])
    async def with_sync_dependency() -> int:
        return 1

    @made.get("/exit-dependency", dependencies=[Depends(exit_dependency)])
    async def with_exit_dependency() -> int:
        return 1

    @made.get("/background")
    async def background() -> Response:
        def fail():
            raise ValueError("boom in the background")

        return Response("yes", background=BackgroundTask(fail))

    @made.stream("/stream/bug")
    async def stream_bug():
        yield 1
        raise ValueError("boom amid a stream")

    @made.stream("/stream/first")
    async def stream_first(screen: Built):
        yield await screen.stock()

    @made.stream("/stream/service")
    async def stream_service(screen: Built):
        yield 1
        yield await screen.stock()

    return made


class Middleware:
    """A middleware of the user's that fails for one path and answers another by itself."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        """Fail, answer, or pass on."""
        if scope.get("path") == "/middleware/bug":
            raise ValueError("boom in a middleware")
        if scope.get("path") == "/middleware/503":
            await PlainTextResponse("no", 503)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def nowhere() -> str:
    """Return an address where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def settings(**values: Any) -> Settings:
    """Return settings with the address of a service that is not there."""
    return Settings(**{"env": "development", "upstreams": {"dead": nowhere()}, **values})


def failing_gateway(*faces: Any, with_middleware: bool = False, **options: Any) -> FastAPI:
    """Return the gateway; no server listens at its only service's address."""
    options.setdefault("settings", settings())
    app = gateway("lab", services=[Dead], faces=[views(), *faces], **options)
    if with_middleware:
        app.add_middleware(Middleware)

    @app.exception_handler(Mine)
    def answer_mine(request, error):
        return PlainTextResponse("mine", 503)

    @app.get("/mine")
    def mine():
        raise Mine("my own words")

    @app.get("/sync")
    def sync():
        own_log.error("a line of a thread")
        raise RuntimeError("boom in a thread")

    @app.get("/plain/{number}")
    async def plain(number: int):
        raise HTTPException(503, "plainly not")

    @app.websocket("/socket")
    async def socket_(websocket: WebSocket):
        await websocket.accept()
        raise ValueError("boom in a socket")

    return app


class Log:
    """Lines as JSON, of the gateway and of its routes."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(JSONLines())
        self.handler.addFilter(RequestIds())

    @property
    def text(self) -> str:
        """All that was written."""
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Each line."""
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The lines that say what went wrong."""
        return [line for line in self.lines if "error" in line]

    def of(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of one event."""
        return [line for line in self.lines if line["event"] == event]


@contextmanager
def logged(level: int = logging.INFO) -> Iterator[tuple[Log, Events]]:
    """Yield a log, and the events that are written to it."""
    log, loggers = Log(), [logging.getLogger("tests.lab"), own_log]
    for logger in loggers:
        logger.addHandler(log.handler)
        logger.setLevel(level)
        logger.propagate = False
    try:
        yield log, Events(LogSink(loggers[0]))
    finally:
        for logger in loggers:
            logger.removeHandler(log.handler)
            logger.propagate = True
