"""The logs of real servers: one traceback for a bug, and ids on the lines of any code."""

import json

import httpx
import pytest
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed

from tests.server.talking import until

SERVERS = ["bff serve", "uvicorn"]


def get(port, path):
    """Send a GET; an answer that is cut off counts as one."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", headers={"x-request-id": "quote-me"})
    except httpx.RemoteProtocolError:
        return None


def lines(process):
    """Return the lines of JSON that a process has written."""
    return [json.loads(line) for line in process.output.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("path", ["/v1/view", "/v1/stream/bug", "/v1/background", "/sync"])
async def test_a_bug_is_one_traceback(serve, server, path):
    """The server that runs the gateway does not log its own."""
    process, port = serve(server, BFF_LOG="json")

    get(port, path)
    await until(lambda: '"request.answered"' in process.output)
    process.stop()

    assert process.output.count("Traceback (most recent call last)") == 1
    assert "Exception in ASGI application" not in process.output


@pytest.mark.parametrize("server", SERVERS)
async def test_a_bug_in_a_web_socket_is_one_traceback(serve, server):
    """The handshake was accepted, so there is no answer any more."""
    process, port = serve(server, BFF_LOG="json")

    with pytest.raises(ConnectionClosed):
        async with open_socket(f"ws://127.0.0.1:{port}/socket") as socket:
            await socket.recv()
    await until(lambda: '"request.answered"' in process.output)
    process.stop()

    assert process.output.count("Traceback (most recent call last)") == 1
    assert "boom in a socket" in process.output


@pytest.mark.parametrize("server", SERVERS)
async def test_a_stream_that_its_service_truncates_logs_a_line_without_traceback(serve, server):
    """The message names the failed call; the place in the code adds nothing."""
    process, port = serve(server, BFF_LOG="json")

    get(port, "/v1/stream/service")
    await until(lambda: '"request.answered"' in process.output)
    process.stop()

    (line,) = [line for line in lines(process) if "error" in line]
    assert line["error"].startswith("TransportFailed: dead: GET /stock/{sku}: ")
    assert "Traceback" not in process.output


async def test_lines_of_other_code_have_the_ids_of_their_request(serve):
    """Those of a view, and of a route in a thread, without any set-up."""
    process, port = serve("bff serve", BFF_LOG="json")

    get(port, "/v1/optional")
    get(port, "/sync")
    await until(lambda: process.output.count('"request.answered"') == 2)
    process.stop()

    found = {line["event"]: line for line in lines(process)}
    for event in ("a line of the view", "a line of a thread"):
        assert found[event]["logger"] == "shop.lab"
        assert found[event]["request_id"] == "quote-me"
        assert len(found[event]["trace_id"]) == 32
    of_requests = [
        line for line in lines(process) if line["event"] not in {"server.started", "server.drained"}
    ]
    assert {line.get("request_id") for line in of_requests} == {"quote-me"}


async def test_the_root_logger_of_another_server_s_process_is_left_alone(serve):
    """Python itself writes the warnings of a program without a logging set-up."""
    process, port = serve("uvicorn", BFF_LOG="json")

    get(port, "/v1/optional")
    await until(lambda: '"request.answered"' in process.output)
    process.stop()

    assert "a line of the view" in process.output.splitlines()


@pytest.mark.parametrize("server", SERVERS)
async def test_the_root_logger_writes_our_lines_as_text(serve, server):
    """With BFF_LOG=root the user's handlers and formatters write them, ids on every line."""
    process, port = serve(server, BFF_LOG="root", LAB_LOGGING="text")

    get(port, "/v1/optional")
    get(port, "/v1/service/7")
    await until(lambda: process.output.count(" request.answered ") == 2)
    process.stop()

    written = process.output.splitlines()
    assert "LAB WARNING shop.lab [quote-me] a line of the view" in written
    (failed,) = [line for line in written if "status=502" in line]
    assert failed.startswith("LAB ERROR bff_core [quote-me] request.answered method=GET route=")
    assert 'error="TransportFailed: dead: GET /stock/{sku}: ' in failed
    assert process.output.count("a line of the view") == 1
    assert process.output.count("Traceback (most recent call last)") == 1


async def test_the_root_logger_writes_our_lines_as_json(serve):
    """The user's own configuration may name our formatter."""
    process, port = serve("bff serve", BFF_LOG="root", LAB_LOGGING="json")

    get(port, "/v1/optional")
    await until(lambda: '"request.answered"' in process.output)
    process.stop()

    found = {line["event"]: line for line in lines(process)}
    assert found["request.answered"]["route"] == "/v1/optional"
    assert found["a line of the view"]["request_id"] == "quote-me"
    assert found["server.started"]["address"] == f"http://127.0.0.1:{port}"


async def test_the_root_loggers_level_counts_unless_ours_is_set(serve):
    """BFF_LOG_LEVEL sets the level of our own lines."""
    process, port = serve("bff serve", BFF_LOG="root", LAB_LOGGING="text", BFF_LOG_LEVEL="error")

    get(port, "/v1/optional")
    get(port, "/v1/service/7")
    await until(lambda: "status=502" in process.output)
    process.stop()

    assert "status=200" not in process.output
    assert "part.ended" not in process.output
