"""TLS to services: trusted authorities, verified names, and the warning without verification."""

import asyncio
import contextlib
import socket
import ssl
import threading
import time

import pytest
import trustme

from bff_core.errors import ConfigurationError, TransportFailed
from bff_core.streamed_body import StreamedBody
from bff_core.upstream.transport.interface import Endpoint, Load
from tests.streamed import opened

CLEAN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean"
ON_BOTH_LOOPS = pytest.mark.parametrize(
    "loop", ["asyncio", pytest.param("uvloop", marks=pytest.mark.uvloop)]
)


@pytest.fixture(scope="module")
def authority():
    """Make a private authority."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority, tmp_path):
    """Write its certificate where an option can name it."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def serving(authority, *names):
    """Make the context of a service that has a certificate for these names."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["h2", "http/1.1"])
    authority.issue_cert(*names).configure_cert(context)
    return context


@ON_BOTH_LOOPS
async def test_a_certificate_of_a_trusted_authority_is_accepted(kit, authority, ca_file, loop):
    """A custom authority is trusted; connections are reused over TLS as in the clear."""
    tls = serving(authority, "localhost")

    async with (
        kit.Service(kit.answering(CLEAN), tls) as service,
        kit.wired(service, ca_file=ca_file) as pool,
    ):
        replies = [await pool.send(kit.calling()) for _ in range(3)]

    assert [reply.body for reply in replies] == [b"clean"] * 3
    assert service.accepted == 1


@ON_BOTH_LOOPS
async def test_a_streamed_body_arrives_over_tls(kit, authority, ca_file, loop):
    """It waits for a slow service there, too, and the connection serves the next call."""
    bodies = []

    async def script(peer):
        for _ in range(2):
            await peer.reader.readuntil(b"\r\n\r\n")
            body = b""
            while not body.endswith(b"\r\n0\r\n\r\n"):
                body += await peer.reader.read(65536)
            bodies.append(body)
            await peer.send(CLEAN)

    async def pieces():
        for _ in range(100):
            yield b"a" * 10_000

    async with (
        kit.Service(script, serving(authority, "localhost")) as service,
        kit.wired(service, ca_file=ca_file) as pool,
    ):
        call = kit.calling("POST", body=StreamedBody(pieces), within=10.0)
        replies = [await pool.send(call) for _ in range(2)]

    assert [reply.body for reply in replies] == [b"clean"] * 2
    assert [body.count(b"2710\r\n" + b"a" * 10_000) for body in bodies] == [100, 100]
    assert service.accepted == 1


@ON_BOTH_LOOPS
@pytest.mark.parametrize("names", [("localhost",), ("elsewhere.example",)])
async def test_an_untrusted_certificate_is_refused(kit, authority, loop, names, tmp_path):
    """An unknown authority, or another's name, ends the call before anything is sent."""
    other = trustme.CA() if "localhost" in names else authority
    trusted = tmp_path / "trusted.pem"
    authority.cert_pem.write_to_path(trusted)
    tls = serving(other, *names)

    async with (
        kit.Service(kit.answering(CLEAN), tls) as service,
        kit.wired(service, ca_file=str(trusted)) as pool,
    ):
        with pytest.raises(TransportFailed, match="certificate verify failed") as caught:
            await pool.send(kit.calling())
        load = pool.load

    assert not caught.value.is_sent
    assert (service.requests, load) == ([], Load(0, 0, 0))


async def test_the_systems_authorities_are_trusted_by_default(kit, authority):
    """Without a file of its own, a gateway does not trust a private authority."""
    async with (
        kit.Service(kit.answering(CLEAN), serving(authority, "localhost")) as service,
        kit.wired(service) as pool,
    ):
        with pytest.raises(TransportFailed, match="certificate verify failed"):
            await pool.send(kit.calling())


async def test_the_server_name_can_be_set(kit, authority, ca_file):
    """A service behind a shared certificate is verified by that name, which is also sent as SNI."""
    tls = serving(authority, "shared.example")
    server_names = []
    tls.sni_callback = lambda _socket, name, _context: server_names.append(name)

    async with (
        kit.Service(kit.answering(CLEAN), tls) as service,
        kit.wired(service, ca_file=ca_file, server_name="shared.example") as pool,
    ):
        reply = await pool.send(kit.calling())

    assert (reply.body, server_names) == (b"clean", ["shared.example"])
    assert f"host: localhost:{service.port}".encode() in service.requests[0]


async def test_only_http_1_is_negotiated(kit, authority, ca_file):
    """A service that could speak HTTP/2 is called with HTTP/1.1."""
    spoken = []

    async def script(peer):
        await peer.request()
        spoken.append(peer.writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await peer.send(CLEAN)

    async with (
        kit.Service(script, serving(authority, "localhost")) as service,
        kit.wired(service, ca_file=ca_file) as pool,
    ):
        await pool.send(kit.calling())

    assert spoken == ["http/1.1"]


async def test_verification_can_be_turned_off_and_says_so(kit, authority):
    """Without verification any certificate does, and the transport's repr shouts it."""
    async with (
        kit.Service(kit.answering(CLEAN), serving(authority, "elsewhere.example")) as service,
        kit.wired(service, verify=False) as pool,
    ):
        reply = await pool.send(kit.calling())
        shown = repr(kit.transport(verify=False))

    assert reply.body == b"clean"
    assert "CERTIFICATES ARE NOT VERIFIED" in shown


@ON_BOTH_LOOPS
async def test_surplus_over_tls_never_meets_the_next_request(kit, authority, ca_file, loop):
    """The connection rules hold under encryption."""
    script = kit.answering(CLEAN + CLEAN.replace(b"clean", b"stale"), CLEAN)

    async with (
        kit.Service(script, serving(authority, "localhost")) as service,
        kit.wired(service, ca_file=ca_file) as pool,
    ):
        replies = [await pool.send(kit.calling()) for _ in range(2)]

    assert [reply.body for reply in replies] == [b"clean"] * 2
    assert service.accepted == 2


async def test_a_file_without_a_certificate_fails_at_start_up(kit, tmp_path):
    """A wrong file fails when the gateway is assembled, not with the first call."""
    path = tmp_path / "not.pem"
    path.write_text("nothing")

    with pytest.raises(ConfigurationError, match="certificates can't be loaded"):
        kit.transport(ca_file=str(path)).connect(Endpoint("https", "a.example", 443, "127.0.0.1"))


@contextlib.contextmanager
def in_a_thread(context, answer):
    """Serve TLS from a thread, one connection after another, by plain sockets."""

    def serve():
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = listener.accept()
                with contextlib.suppress(OSError), accepted:
                    answer(context.wrap_socket(accepted, server_side=True))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield Endpoint("https", "localhost", listener.getsockname()[1], "127.0.0.1")
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


async def keep_busy():
    """Take two milliseconds of every turn of the loop, as a gateway under load does."""
    while True:
        time.sleep(0.002)  # noqa: ASYNC251 - to block the loop is the point
        await asyncio.sleep(0)


@ON_BOTH_LOOPS
async def test_session_tickets_are_not_taken_for_a_response(kit, authority, ca_file, loop):
    """TLS 1.3 sends tickets after its handshake; a busy loop does not take them for a response."""

    def answer(peer):
        with peer:
            peer.recv(4096)
            peer.sendall(CLEAN)

    busy = asyncio.create_task(keep_busy())
    with in_a_thread(serving(authority, "localhost"), answer) as endpoint:
        async with kit.wired(endpoint, ca_file=ca_file, idle_expiry=0) as pool:
            replies = [await pool.send(kit.calling()) for _ in range(20)]
    busy.cancel()

    assert [reply.body for reply in replies] == [b"clean"] * 20


UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nhalf of it"


@ON_BOTH_LOOPS
async def test_a_body_that_anybody_can_have_cut_is_refused(kit, authority, ca_file, loop):
    """Under TLS a body until close ends with close_notify; a bare end of the socket proves nothing.

    If the end is announced, the same body is a reply.
    """

    def answer(peer):
        peer.recv(4096)
        peer.sendall(UNTIL_CLOSE)
        if is_announced:
            with contextlib.suppress(OSError):
                peer.unwrap()
        socket.socket.shutdown(peer, socket.SHUT_WR)
        peer.close()

    async def stream():
        async with opened(pool.send, kit.calling()) as reply:
            return b"".join([piece async for piece in reply])

    with in_a_thread(serving(authority, "localhost"), answer) as endpoint:
        async with kit.wired(endpoint, ca_file=ca_file) as pool:
            is_announced = True
            whole, streamed = (await pool.send(kit.calling())).body, await stream()
            is_announced = False
            with pytest.raises(TransportFailed, match="end was not announced"):
                await pool.send(kit.calling())
            with pytest.raises(TransportFailed, match="end was not announced"):
                await stream()

    assert whole == streamed == b"half of it"
