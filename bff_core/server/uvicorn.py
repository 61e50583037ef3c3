"""What the server uses of uvicorn: its configuration (web sockets, loops) and its shared state."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn import Config as UvicornConfig
from uvicorn.server import ServerState

from bff_core.server.server_state import App, Config, State

MakeLoop = Callable[[], asyncio.AbstractEventLoop]


def configuration(app: App) -> tuple[Config, State, MakeLoop]:
    """Return what the protocols of one process need, and how to make its event loop.

    The edge writes headers and logs and trusts proxies, so uvicorn's own ways are off.
    """
    config = UvicornConfig(
        cast("Any", app),
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="off",  # run by `Lifespan`, whose errors are one line
    )
    make_loop = config.get_loop_factory() or asyncio.new_event_loop
    return cast("Config", config), ServerState(), make_loop
