"""What `bff_core/compat/uvicorn.py` needs of uvicorn; each test is named after one promise."""

import asyncio
import importlib

import pytest
import uvicorn

from bff_core.compat import uvicorn as compat
from tests.compat.promises import parameters


async def app(scope, receive, send):
    """Stand in for an application."""


@pytest.mark.parametrize("attribute", sorted(compat.Config.__annotations__))
def test_the_configuration_has_an_attribute(attribute):
    """`uvicorn.Config` has each attribute that our protocols read, once it is loaded."""
    config, _, _ = compat.configuration(app)

    config.load()

    assert hasattr(config, attribute)


@pytest.mark.parametrize(
    ("attribute", "kind"),
    [("total_requests", int), ("connections", set), ("tasks", set), ("default_headers", list)],
)
def test_the_state_has_an_attribute(attribute, kind):
    """`uvicorn.server.ServerState` has each attribute that our protocols read and write."""
    _, state, _ = compat.configuration(app)

    assert set(compat.State.__annotations__) == {
        "total_requests",
        "connections",
        "tasks",
        "default_headers",
    }
    assert isinstance(getattr(state, attribute), kind)


def test_a_configuration_that_is_loaded_has_the_application():
    """`Config.load` sets `loaded` and `loaded_app`; no middleware of uvicorn is around it."""
    config, _, _ = compat.configuration(app)

    assert not config.loaded
    config.load()

    assert config.loaded
    assert config.loaded_app is app
    assert config.root_path == ""


def test_a_configuration_makes_loops():
    """`Config.get_loop_factory` returns what makes an event loop, or None for asyncio's own."""
    _, _, make_loop = compat.configuration(app)
    loop = make_loop()
    loop.close()

    assert isinstance(loop, asyncio.AbstractEventLoop)


async def test_a_protocol_of_web_sockets_is_made_of_three_things():
    """`Config.ws_protocol_class` takes the configuration, the state and the lifespan's state."""
    config, state, _ = compat.configuration(app)
    config.load()

    protocol = compat.web_socket_protocol(config, state, {})

    assert isinstance(protocol, asyncio.Protocol)
    assert not {"connection_made", "data_received", "eof_received"} - set(dir(protocol))


def test_uvicorn_s_own_server_makes_protocols_as_ours_is_made():
    """`Server` makes an HTTP protocol with `config`, `server_state` and `app_state`."""
    known = importlib.import_module("uvicorn.protocols.http.httptools_impl").HttpToolsProtocol

    assert {"config", "server_state", "app_state", "_loop"} <= parameters(known)


def test_a_worker_of_uvicorn_is_known_by_its_frame():
    """The function below a worker is in this module, and has the `config` that counts workers."""
    module = importlib.import_module(compat.WORKER_MODULE)

    assert "config" in parameters(module.subprocess_started)
    assert uvicorn.Config(app, workers=3).workers == 3
    assert uvicorn.Config(app).should_reload is False
