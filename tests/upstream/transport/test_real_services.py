"""What `test_servers` does not show: streams without end, HTTP/1.0, HTTP/2, apps in process."""

import asyncio
import contextlib
import gzip
import http.server
import os
import shutil
import ssl
import subprocess
import threading
import time

import httpx
import httpx2
import pytest
import trustme
import uvicorn

from bff_core.errors import TransportFailed
from bff_core.policy.upstream.connection import Connection
from bff_core.upstream.transport.httpx_transport import HttpxTransport
from bff_core.upstream.transport.interface import Endpoint
from tests.streamed import opened

PLAIN = b"the quick brown fox " * 400
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


async def app(scope, receive, send):
    """Answer by path: with a length, in chunks, in a stream without end, echoing a body."""
    if scope["type"] != "http":
        return
    path, body, more = scope["path"], b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    if path == "/fails":
        raise RuntimeError("the app is broken")
    length = [] if path in {"/chunks", "/endless"} else [(b"content-length", b"%d" % len(PLAIN))]
    headers = [(b"content-length", b"%d" % len(body))] if path == "/echo" else length
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if path == "/endless":
        leaving = asyncio.ensure_future(receive())
        while not leaving.done():
            await send({"type": "http.response.body", "body": PLAIN, "more_body": True})
            await asyncio.sleep(0)
    halves = (body, b"") if path == "/echo" else (PLAIN[:3000], PLAIN[3000:])
    await send({"type": "http.response.body", "body": halves[0], "more_body": True})
    await send({"type": "http.response.body", "body": halves[1]})


@contextlib.asynccontextmanager
async def by_uvicorn():
    """Serve the app by uvicorn, in this loop."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(5):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Endpoint("http", "127.0.0.1", port, "127.0.0.1")
    finally:
        server.should_exit = server.force_exit = True
        await serving


async def test_uvicorn_sees_that_a_reader_left(kit):
    """A stream without end stops when its reader leaves; the server can shut down."""
    async with by_uvicorn() as endpoint, kit.wired(endpoint) as pool:
        async with opened(pool.send, kit.calling(target="/endless")) as reply:
            first = await anext(aiter(reply))
        load = pool.load

    assert PLAIN.startswith(first[:10])
    assert (load.idle, load.active) == (0, 0)


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1.1"])
async def test_http_server_answers(kit, protocol):
    """Python's own server, which closes after each response unless it speaks HTTP/1.1."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = protocol

        def do_GET(self):
            self.send_response(200)
            if protocol == "HTTP/1.1":
                self.send_header("Content-Length", str(len(PLAIN)))
            self.end_headers()
            self.wfile.write(PLAIN)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        endpoint = Endpoint("http", "127.0.0.1", server.server_port, "127.0.0.1")
        async with kit.wired(endpoint) as pool:
            replies = [await pool.send(kit.calling()) for _ in range(3)]
        server.shutdown()

    assert [reply.body for reply in replies] == [PLAIN] * 3


@pytest.fixture
def nginx(tmp_path, unused_ports):
    """Start nginx: plain, with gzip, cutting keep-alive short; and HTTP/2 over TLS."""
    plain, secure = unused_ports
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    own = authority.issue_cert("localhost").private_key_and_cert_chain_pem
    own.write_to_path(tmp_path / "own.pem")
    (tmp_path / "page.txt").write_bytes(PLAIN)
    scratch = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "" if os.getuid() else "user root;"  # its workers have to read what pytest wrote
    (tmp_path / "nginx.conf").write_text(f"""
        {user} daemon off; pid {tmp_path}/pid; error_log {tmp_path}/error.log; worker_processes 1;
        events {{ worker_connections 64; }}
        http {{ access_log off; {scratch} root {tmp_path};
            gzip on; gzip_types *; gzip_min_length 1;
            server {{ listen 127.0.0.1:{plain}; keepalive_requests 3; }}
            server {{ listen 127.0.0.1:{secure} ssl http2;
                ssl_certificate {tmp_path}/own.pem; ssl_certificate_key {tmp_path}/own.pem; }} }}
    """)
    process = subprocess.Popen([NGINX, "-e", tmp_path / "error.log", "-c", tmp_path / "nginx.conf"])
    try:
        await_file(tmp_path / "pid")
        yield tmp_path, plain, secure
    finally:
        process.terminate()
        process.wait(5)


def await_file(path):
    """Wait until another process wrote a file."""
    ends = time.monotonic() + 5
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < ends, f"{path} was not written"
        time.sleep(0.01)


@pytest.fixture
def unused_ports():
    """Find two free ports."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(http.server.socket.socket()) for _ in range(2)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
async def test_http_2_comes_with_the_client(kit, nginx, library):
    """A client that speaks HTTP/2 does so under our rules, to the address that we chose."""
    folder, _, port = nginx
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    versions = []

    async def note(response):
        versions.append(response.http_version)

    async with library.AsyncClient(
        http2=True, verify=context, event_hooks={"response": [note]}, trust_env=False
    ) as client:
        transport = HttpxTransport(client, Connection(accept_encoding=("gzip",)))
        connector = transport.connect(Endpoint("https", "localhost", port, "127.0.0.1"))
        calls = [kit.calling(target="/page.txt") for _ in range(5)]
        replies = await asyncio.gather(*(connector.send(call) for call in calls))

    assert [reply.body for reply in replies] == [PLAIN] * 5
    assert versions == ["HTTP/2"] * 5


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
async def test_an_app_in_process_is_called_through_its_client(kit, library):
    """Whole services can stand behind a client without any socket."""
    async with library.AsyncClient(transport=library.ASGITransport(app)) as client:
        transport = HttpxTransport(client)
        connector = transport.connect(Endpoint("http", "shop", 80, "shop"))
        reply = await connector.send(kit.calling("POST", "/echo", body=b"hello"))
        with pytest.raises(TransportFailed, match="RuntimeError") as caught:
            await connector.send(kit.calling(target="/fails"))

    assert (reply.status, reply.body) == (200, b"hello")
    assert caught.value.is_sent
    assert repr(transport) == f"HttpxTransport({library.__name__}.AsyncClient)"


def test_a_page_is_worth_compressing():
    """The tests above would prove nothing with a page that doesn't shrink."""
    assert len(gzip.compress(PLAIN)) < len(PLAIN) / 10
