"""The private names of uvicorn that the framework uses.

Our server uses uvicorn's configuration (web sockets, event loops), and the state that its protocols
share. `HTTPProtocol` also runs in uvicorn's own server, which creates it with the same two objects.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from uvicorn import Config as UvicornConfig
from uvicorn.server import ServerState as UvicornState

__all__ = [
    "WORKER_MODULE",
    "Config",
    "MakeLoop",
    "State",
    "configuration",
    "is_sansio",
    "web_socket_protocol",
]

MakeLoop = Callable[[], asyncio.AbstractEventLoop]

WORKER_MODULE: Final = "uvicorn._subprocess"
"""The module of a frame on the stack of uvicorn's workers, which has their `config`."""


class Config(Protocol):
    """The attributes of uvicorn's configuration that the framework uses."""

    loaded: bool
    loaded_app: Any
    root_path: str
    ws_max_size: int
    ws_per_message_deflate: bool
    ws_ping_interval: float | None
    ws_ping_timeout: float | None
    ws_protocol_class: Any

    def load(self) -> None:
        """Import the application."""


class State(Protocol):
    """The attributes of uvicorn's server state that the framework uses."""

    total_requests: int
    connections: set[Any]
    tasks: set[asyncio.Task[None]]
    default_headers: list[tuple[bytes, bytes]]


def configuration(app: object) -> tuple[Config, State, MakeLoop]:
    """Return the objects that the protocols of a process need, and a factory of event loops.

    uvicorn's own headers, logs and trusted proxies are off, since the framework has its own.
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


SANSIO_MODULE: Final = "uvicorn.protocols.websockets.websockets_sansio_impl"
"""The module of uvicorn's protocol over websockets, its choice unless another one is named."""


def is_sansio(config: Config) -> bool:
    """Whether a configuration leaves web sockets to uvicorn's protocol over websockets."""
    return bool(config.ws_protocol_class.__module__ == SANSIO_MODULE)


def web_socket_protocol(config: Config, state: State, values: dict[str, Any]) -> Any:
    """Return uvicorn's protocol for one web socket; it calls the application of `config`."""
    return config.ws_protocol_class(config=config, server_state=state, app_state=values)
