"""Starts the servers that people run, each serving the same shop, with and without TLS."""

import contextlib
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvicorn
from cryptography.hazmat.primitives import serialization
from served.shop_asgi import LARGE, PAGE, answer, app

from bff_core.upstream.transport.interface import Endpoint
from tests.processes.nginx import nginx_program

HERE = Path(__file__).parent / "served"
PATIENCE = 20.0
"""How long a server may take to listen, in seconds."""


@dataclass(frozen=True)
class Site:
    """How a server serves: by TLS or not, and whether it demands certificates.

    Its folder has what servers and clients need for that.
    """

    folder: Path
    authority: trustme.CA
    is_secure: bool = False
    demands: bool = False

    def endpoint(self, port: int) -> Endpoint:
        """Where it is reached."""
        scheme, host = ("https", "localhost") if self.is_secure else ("http", "127.0.0.1")
        return Endpoint(scheme, host, port, "127.0.0.1")

    @property
    def ca(self) -> str:
        """The authority's certificate."""
        return str(self.folder / "ca.pem")

    @property
    def own(self) -> str:
        """The server's key and certificate, in one file."""
        return str(self.folder / "own.pem")

    @property
    def key(self) -> str:
        """The server's key alone, in PKCS #8."""
        return str(self.folder / "key.pem")


def build_site(folder: Path) -> Site:
    """Issue what a server on localhost needs, and write what it serves."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    made = Site(folder, authority)
    (folder / "page.txt").write_bytes(PAGE)
    (folder / "large.bin").write_bytes(LARGE)
    authority.cert_pem.write_to_path(made.ca)
    issued.private_key_and_cert_chain_pem.write_to_path(made.own)
    Path(made.key).write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


def free_port() -> int:
    """Find a free port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def await_port(port: int, process: subprocess.Popen[Any] | None = None) -> int:
    """Wait until a server listens."""
    ends = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return port
        assert time.monotonic() < ends, f"no server listens on {port}"
        assert process is None or process.poll() is None, f"{process.args} ended"
        time.sleep(0.01)


@contextmanager
def running(*command: object, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a program, and end it."""
    process = subprocess.Popen([str(part) for part in command], text=True, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def by_uvicorn(site: Site) -> Iterator[int]:
    """Serve by uvicorn in a thread; it closes what idles for a second."""
    files = {"ssl_certfile": site.own, "ssl_keyfile": site.own} if site.is_secure else {}
    config = uvicorn.Config(
        app, port=0, log_config=None, lifespan="off", timeout_keep_alive=1, **files
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    ends = time.monotonic() + PATIENCE
    while not server.started:
        assert time.monotonic() < ends
        time.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        thread.join(5)


@contextmanager
def by_granian(site: Site) -> Iterator[int]:
    """Serve by granian in processes of its own; it does not close what idles."""
    port = free_port()
    options = ["--interface", "asgi", "--http", "1", "--no-ws", "--no-log", "--port", port]
    if site.is_secure:
        options += ["--ssl-certificate", site.own, "--ssl-keyfile", site.key]
    if site.demands:
        options += ["--ssl-ca", site.ca, "--ssl-client-verify"]
    command = (sys.executable, "-m", "granian", "--host", "127.0.0.1", *options, "shop_asgi:app")
    with running(*command, cwd=HERE, stderr=subprocess.DEVNULL) as process:
        yield await_port(port, process)


@contextmanager
def by_node(site: Site) -> Iterator[int]:
    """Serve by Node; it closes what idles for 0.4 seconds."""
    files = [site.own] * site.is_secure + [site.ca] * site.demands
    with running("node", HERE / "shop_node.cjs", *files, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


class Shop(BaseHTTPRequestHandler):
    """The shop by Python's own server; it closes what idles for 0.4 seconds."""

    protocol_version = "HTTP/1.1"
    timeout = 0.4

    def do_GET(self) -> None:
        """Answer, as the app does; and in the ways that only a server by hand can."""
        if self.path == "/early":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n")
        if self.path == "/ends":
            self.close_connection = True
            self.send_response(200)
            self.end_headers()
            self.wfile.write(PAGE)
            return
        length = int(self.headers.get("content-length") or 0)
        status, fields, parts = answer(self.path, self.client_address[1], self.rfile.read(length))
        self._send(status, fields, parts)

    do_HEAD = do_POST = do_GET  # noqa: N815 - the names are the server's

    def _send(self, status: int, fields: list[tuple[bytes, bytes]], parts: list[bytes]) -> None:
        is_chunked = self.path == "/chunks"
        self.send_response(status)
        for name, value in fields:
            self.send_header(name.decode(), value.decode())
        if is_chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if self.command == "HEAD":
            return
        for part in [*parts, b""] if is_chunked else parts:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part) if is_chunked else part)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class QuietServer(ThreadingHTTPServer):
    """Says nothing of clients that leave."""

    def handle_error(self, *_: object) -> None:
        """Say nothing."""

    def shutdown_request(self, request: Any) -> None:
        """End TLS as it should be, which this server does not do by itself."""
        if isinstance(request, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                request.unwrap()
        super().shutdown_request(request)


@contextmanager
def by_http_server(site: Site) -> Iterator[int]:
    """Serve by Python's http.server, in threads."""
    with QuietServer(("127.0.0.1", 0), Shop) as server:
        if site.is_secure:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(site.own)
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join(5)


NGINX = """
{user} daemon off; pid {scratch}/pid; error_log {scratch}/error.log; worker_processes 1;
events {{ worker_connections 128; }}
http {{
    access_log off; root {folder}; {temporary}
    gzip_types *; gzip_min_length 1; default_type text/plain; keepalive_timeout 400ms;
    server {{
        listen 127.0.0.1:{port} {tls}
        location / {{ try_files /page.txt =404; }}
        location /large {{ try_files /large.bin =404; }}
        location /gzip {{ gzip on; try_files /page.txt =404; }}
        location /chunks {{ ssi on; ssi_types *; try_files /page.txt =404; }}
        location /close {{ keepalive_timeout 0; try_files /page.txt =404; }}
        location /204 {{ return 204; }}
        location /304 {{ return 304; }}
        location /peer {{ return 200 $remote_port; }}
        location ~ ^/say/(?<word>.*)$ {{ return 200 $word; }}
    }}
}}
"""


@contextmanager
def by_nginx(site: Site) -> Iterator[int]:
    """Serve by nginx; it closes what idles for 0.4 seconds."""
    port, secure, scratch = free_port(), "", Path(tempfile.mkdtemp(dir=site.folder))
    if site.is_secure:
        secure = f"ssl; ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate {site.own}"
        secure += f"; ssl_certificate_key {site.own}"
    if site.demands:
        secure += f"; ssl_client_certificate {site.ca}; ssl_verify_client on"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    configuration = NGINX.format(
        user="" if os.getuid() else "user root;",  # its workers have to read what pytest wrote
        temporary="".join(f"{kind}_temp_path {scratch}/{kind};" for kind in kinds),
        folder=site.folder,
        scratch=scratch,
        port=port,
        tls=f"{secure};",
    )
    (scratch / "nginx.conf").write_text(configuration)
    command = (nginx_program(), "-e", scratch / "error.log", "-c", scratch / "nginx.conf")
    with running(*command) as process:
        yield await_port(port, process)


SERVERS: dict[str, Callable[[Site], AbstractContextManager[int]]] = {
    "nginx": by_nginx,
    "uvicorn": by_uvicorn,
    "granian": by_granian,
    "node": by_node,
    "http.server": by_http_server,
}
PROGRAMS = {"nginx": "nginx", "node": "node"}
"""What has to be installed beside Python."""

LACKS = {
    "nginx": {"/br", "/early", "/ends", "/echo"},
    "uvicorn": {"/early", "/ends"},
    "granian": {"/early", "/ends"},
    "node": set(),
    "http.server": set(),
}
"""Which paths of the shop a server can't serve."""


def serves(path: str, names: Iterable[str] = SERVERS) -> list[Any]:
    """Return the parameters of a test that runs for each server that serves a path, twice."""
    return [
        pytest.param(
            (name, is_secure),
            id=f"{name}-{'tls' if is_secure else 'plain'}",
            marks=[pytest.mark.needs(PROGRAMS[name])] if name in PROGRAMS else [],
        )
        for name in names
        for is_secure in (False, True)
        if path not in LACKS[name]
    ]
