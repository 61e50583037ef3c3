"""The private names of uvicorn that the framework uses.

The runner uses uvicorn's configuration (web sockets, event loops), and the state that its protocols
share. `HTTPProtocol` also runs below uvicorn's own server, which makes it with the same two.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from uvicorn import Config as UvicornConfig
from uvicorn.server import ServerState as UvicornState

__all__ = ["WORKER_MODULE", "Config", "MakeLoop", "State", "configuration", "web_socket_protocol"]

MakeLoop = Callable[[], asyncio.AbstractEventLoop]

WORKER_MODULE: Final = "uvicorn._subprocess"
"""The module whose frame is below a worker of uvicorn, and has its `config`."""


class Config(Protocol):
    """The attributes of uvicorn's configuration that are used."""

    loaded: bool
    loaded_app: Any
    root_path: str
    ws_protocol_class: Any

    def load(self) -> None:
        """Import the application."""


class State(Protocol):
    """The attributes of uvicorn's server state that are used."""

    total_requests: int
    connections: set[Any]
    tasks: set[asyncio.Task[None]]
    default_headers: list[tuple[bytes, bytes]]


def configuration(app: object) -> tuple[Config, State, MakeLoop]:
    """Return what the protocols of one process need, and how to make its event loop.

    The framework writes headers and logs and decides which proxies it trusts, so uvicorn's ways are
    off.
    """
    config = UvicornConfig(
        cast("Any", app),
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        lifespan="off",  # run by `Lifespan`, which reports errors in one line
    )
    make_loop = config.get_loop_factory() or asyncio.new_event_loop
    return cast("Config", config), UvicornState(), make_loop


def web_socket_protocol(config: Config, state: State, values: dict[str, Any]) -> Any:
    """Return uvicorn's protocol for one web socket; it calls the application of `config`."""
    return config.ws_protocol_class(config=config, server_state=state, app_state=values)
