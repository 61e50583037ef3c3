"""The command that is copied sends the same request: real curl, in each shell that is installed."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bff_core.console.requests.curl import curl_of

SHELLS = [name for name in ("bash", "dash", "zsh") if shutil.which(name)]

pytestmark = [pytest.mark.needs("curl"), pytest.mark.needs("dash")]


class Server:
    """A server that answers each request with 204, and stores what it got."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.netloc = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.got: list[tuple[str, str, list[tuple[str, str]], bytes]] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.got.append(self._read(connection))
                connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    def _read(self, connection: socket.socket):
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65_536)
        head, _, body = data.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = [(one.partition(":")[0].lower(), one.partition(":")[2].strip()) for one in lines]
        length = int(dict(headers).get("content-length", 0))
        while len(body) < length:
            body += connection.recv(65_536)
        method, target, _ = line.split(" ", 2)
        return method, target, sorted(h for h in headers if h[0] != "content-length"), body

    def close(self) -> None:
        """Stop."""
        self._listener.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Serve for all tests of this file."""
    one = Server()
    yield one
    one.close()


def run(shell: str, command: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command as a shell reads it from its input."""
    flags = {"bash": ["--norc"], "zsh": ["-f"]}.get(shell, [])
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **variables}
    words, data = [shell, *flags], command.encode()
    return subprocess.run(words, input=data, env=env, capture_output=True, check=False)


def check(server: Server, shell: str, request) -> None:
    """Send a request by its command; the server gets the same one."""
    server.got.clear()
    method, target, headers, body = request
    fields = [("host", server.netloc), *headers]
    command = curl_of(method, f"http://{server.netloc}{target}", fields, body)

    ran = run(shell, command)

    assert ran.returncode == 0, (command, ran.stderr)
    wanted = sorted((name, value.strip()) for name, value in fields)
    assert server.got == [(method, target, wanted, body)], command


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh"])
@pytest.mark.parametrize(
    "request_",
    [
        ("GET", "/a%2Fb/c%3Fd%23e?q=it's&x=[1-3]{a,b}&y=%00", [], b""),
        ("GET", "/a/../b/./%2e%2E/c//d", [("accept", "*/*"), ("user-agent", "me")], b""),
        ("GET", "/with/body", [("content-type", "text/plain")], b"{}"),
        ("HEAD", "/a", [("accept", "a")], b""),
        ("OPTIONS", "/a", [("origin", "null"), ("x-empty", ""), ("x-end", ";")], b""),
        ("DELETE", "/a?!=!!&$HOME=`id`", [("x-a", "!x \\ \"$HOME\" `id` $(id) '")], b""),
        ("M-SEARCH`", "/a", [("x`id`$", "1"), ("x-dup", "1"), ("x-dup", "2")], b""),
        ("POST", "/a", [], b"@/etc/passwd"),
        ("POST", "/a", [("content-type", "application/json")], b'{"a": "it\'s \\"q\\" \\\\n"}\n\n'),
        ("PUT", "/a", [], bytes(range(256)) + b"%s%%d\\0\\n'\"\n\n"),
        ("POST", "/a", [], "größe \u202e \U0001f600\n\x1b[31m".encode()),
        ("PATCH", "/a", [("x-a", "caf\xe9\t\x01\x1b[0m"), ("x-b", "gr\xc3\xb6\xc3\x9fe")], b"\n"),
        ("POST", "/a", [("x-long", "v" * 60_000)], b"x" * 65_536),
        ("POST", "/a", [], b"\x00" * 65_536),
        ("POST", "/graphql", [("content-type", "application/json")],
         b'{"query":"query A($n: Int) {\\n  a(n: $n, s: \\"it\'s\\") { id }\\n}"}'),
    ],
)  # fmt: skip
def test_the_pasted_command_sends_the_same_request(server, shell, request_):
    """The same method, target, headers and bytes of the body, whatever is in them."""
    if shell not in SHELLS:
        pytest.skip(f"needs {shell}, which is not installed")
    check(server, shell, request_)


PATH = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#?\\*"))
VALUE = st.text(st.characters(max_codepoint=255, exclude_characters="\0\r\n*")).map(
    lambda text: text.strip(" \t\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0")
)
HEADERS = st.lists(st.tuples(st.from_regex(r"x-[a-z!$&'^_`|~]{1,9}", fullmatch=True), VALUE))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(
    shell=st.sampled_from(SHELLS),
    parts=st.tuples(
        st.sampled_from(["GET", "POST", "PUT", "DELETE", "QUERY"]),
        PATH,
        PATH,
        HEADERS,
        st.binary() | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
    ),
)
def test_any_request_is_sent_as_it_was(server, shell, parts):
    """Random paths, queries, headers and bodies."""
    method, path, query, headers, body = parts
    target = f"/{path.lstrip('/')}?{query}"  # of two slashes at the start servers make one
    check(server, shell, (method, target, headers, body.replace(b"***", b"")))


def test_masked_headers_have_to_be_filled_in(server):
    """Without them nothing is sent, and the shell says which variable is missing; none is ours."""
    headers = [
        *(("host", server.netloc), ("authorization", "Basic ***"), ("cookie", "***")),
        *(("home", "***"), ("1x", "a *** b"), ("accept", "a"), ("user-agent", "b")),
    ]
    command = curl_of("GET", f"http://{server.netloc}/a", headers, b"")
    server.got.clear()
    values = {"TOKEN": "t'o", "COOKIE": 'a="$b"', "HEADER_HOME": "h"}

    refused = run("dash", command, HOME="/mine", **values)
    sent = run("dash", command, HOME="/mine", HEADER_1X="x", **values)

    assert b"HEADER_1X: Set HEADER_1X first" in refused.stderr
    assert sent.returncode == 0
    assert [one[2] for one in server.got] == [
        sorted(
            [
                *(("host", server.netloc), ("authorization", "Basic t'o"), ("home", "h")),
                *(("cookie", 'a="$b"'), ("1x", "a x b"), ("accept", "a"), ("user-agent", "b")),
            ]
        )
    ]


def test_masked_values_elsewhere_come_with_a_hint():
    """It is a command without effect, since comments are not for all keyboards."""
    command = curl_of("POST", "http://h/a?token=***", [], b'{"pin":"***"}')

    assert command.splitlines()[0].startswith(": 'Replace each *** first")
    assert "Replace" not in curl_of("POST", "http://h/a?b=c", [], b"{}")


def test_a_body_that_is_not_shown_comes_from_a_file(server, tmp_path):
    """Without it nothing is sent."""
    file = tmp_path / "body"
    file.write_bytes(b"\0\xff\n")
    command = curl_of("POST", f"http://{server.netloc}/a", [], None)
    server.got.clear()

    refused = run("dash", command)
    sent = run("dash", command, BODY=str(file))

    assert b"Set BODY to a file" in refused.stderr
    assert (sent.returncode, [one[3] for one in server.got]) == (0, [b"\0\xff\n"])


def test_another_host_is_a_header(server):
    """A gateway chooses by it; that of the address is left out."""
    address = f"http://{server.netloc}/a"

    assert "host: shop.localhost" in curl_of("GET", address, [("host", "shop.localhost")], b"")
    assert "host:" not in curl_of("GET", address, [("host", server.netloc)], b"")


@pytest.mark.parametrize("name", ["@/etc/passwd", "x\n; id", "a b", "", "x: y"])
def test_what_is_no_name_of_a_header_is_left_out(name):
    """Curl would read a file, or the shell another command."""
    assert curl_of("GET", "http://h/", [(name, "1"), (name, "***")], b"").count("-H") == 2
