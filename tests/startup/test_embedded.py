"""An embedded gateway does not change the process around it."""

import asyncio
import faulthandler
import gc
import logging
import signal
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from bff_core import Gateway, Settings, gateway
from bff_core.testing import running
from tests.processes.waiting import until


def state_of_process() -> dict[str, Any]:
    """Return the handlers and settings that a process has once."""
    root, servers = logging.getLogger(), logging.getLogger("uvicorn.error")
    return {
        **{str(number): signal.getsignal(number) for number in signal.valid_signals() - _DURING},
        "root logger": (list(root.handlers), list(root.filters), root.level, root.disabled),
        "server's logger": (list(servers.handlers), servers.level, servers.propagate),
        "log records": (logging.getLogRecordFactory(), logging.getLoggerClass()),
        "excepthook": sys.excepthook,
        "unraisablehook": sys.unraisablehook,
        "threads' excepthook": threading.excepthook,
        "warnings": (list(warnings.filters), warnings.showwarning),
        "faulthandler": faulthandler.is_enabled(),
        "garbage collector": (gc.get_threshold(), gc.get_freeze_count(), gc.isenabled()),
        "switch interval": sys.getswitchinterval(),
    }


_DURING = {signal.SIGINT, signal.SIGTERM}
"""What uvicorn handles while it serves, and pytest as well."""


@pytest.fixture(autouse=True)
def _nothing_frozen() -> Iterator[None]:
    """Let the number of frozen objects be 0: of those of the suite some may be freed meanwhile."""
    gc.unfreeze()
    yield
    gc.freeze()


@contextmanager
def bare_root_logger() -> Iterator[None]:
    """Remove the handlers of the root logger, as in a program without `logging` set up."""
    root = logging.getLogger()
    handlers = list(root.handlers)  # pytest's
    root.handlers.clear()
    try:
        yield
    finally:
        root.handlers[:] = handlers


def run_by_a_test(app: Gateway) -> AbstractAsyncContextManager[object]:
    """Run the gateway as its user's tests do."""
    return running(app)


@asynccontextmanager
async def run_by_another_app(app: Gateway) -> AsyncIterator[None]:
    """Mount the gateway in an application that runs its lifespan."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with app.router.lifespan_context(app):
            yield

    parent = FastAPI(lifespan=lifespan)
    parent.mount("/bff", app)
    async with (
        parent.router.lifespan_context(parent),
        httpx.AsyncClient(transport=httpx.ASGITransport(parent), base_url="http://localhost") as it,
    ):
        assert (await it.get("/bff/healthz")).status_code == 200
        yield


@asynccontextmanager
async def run_by_another_server(app: Gateway) -> AsyncIterator[None]:
    """Serve the gateway by uvicorn, in a program that does other things as well."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="on"))
    serving = asyncio.get_running_loop().create_task(server.serve())
    await until(lambda: server.started)
    yield
    server.should_exit = True
    await serving


Run = Callable[[Gateway], AbstractAsyncContextManager[object]]


@pytest.mark.parametrize("run", [run_by_a_test, run_by_another_app, run_by_another_server])
@pytest.mark.parametrize("has_policies", [True, False])
async def test_an_embedded_gateway_leaves_the_process_as_it_is(
    run: Run, tmp_path: Path, *, has_policies: bool
) -> None:
    """Signals, loggers, hooks and the garbage collector stay as they are."""
    policies = tmp_path / "policies.toml"
    policies.touch()
    app = gateway(
        "embedded",
        settings=Settings(
            env="development", log="json", policies=str(policies) if has_policies else ""
        ),
    )
    loop = asyncio.get_running_loop()
    handler = loop.get_exception_handler()

    with bare_root_logger():
        before = state_of_process()
        async with run(app):
            during = state_of_process()
            assert loop.get_exception_handler() is handler
        after = state_of_process()

    assert during == before
    assert after == before
