"""Services that ask the gateway for its certificate: shown, missing, foreign, expired."""

import contextlib
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import trustme
from serving import SERVERS, build_site, serves

from bff_core.errors import ConfigurationError, TransportFailed
from bff_core.upstream.transport.interface import Endpoint, Load

YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Write what a server that demands certificates needs."""
    made = build_site(tmp_path_factory.mktemp("mutual"))
    return replace(made, is_secure=True, demands=True)


@pytest.fixture(scope="module")
def start(site):
    """Start each server once for all tests, when a test first needs it."""
    with contextlib.ExitStack() as stack:
        endpoints = {}

        def start(name):
            if name not in endpoints:
                endpoints[name] = site.endpoint(stack.enter_context(SERVERS[name](site)))
            return endpoints[name]

        yield start


@pytest.fixture(scope="module")
def shown(site):
    """Write the certificates that a gateway may show."""
    own = site.authority.issue_cert("gateway.internal")
    expired = site.authority.issue_cert("g.internal", not_after=YESTERDAY)
    foreign = trustme.CA().issue_cert("gateway.internal")
    written = {}
    for name, issued in {"own": own, "expired": expired, "foreign": foreign}.items():
        path = site.folder / f"{name}.client.pem"
        issued.private_key_and_cert_chain_pem.write_to_path(path)
        written[name] = {"client_cert": str(path)}
    return {"none": {}, **written}


@pytest.fixture
def connect(kit, start, site, shown):
    """Connect to a server as somebody."""

    def connect(name, who):
        return kit.wired(start(name), ca_file=site.ca, **shown[who])

    return connect


SERVING = [param for param in serves("/say", ("nginx", "granian", "node")) if param.values[0][1]]
REFUSING = [param for param in SERVING if param.values[0][0] != "nginx"]
ON_BOTH_LOOPS = pytest.mark.parametrize(
    "loop", ["asyncio", pytest.param("uvloop", marks=pytest.mark.uvloop)]
)


@ON_BOTH_LOOPS
@pytest.mark.parametrize("server", SERVING)
async def test_a_gateway_that_shows_its_certificate_is_served(kit, connect, server, loop):
    """Once per connection, which then serves many calls."""
    async with connect(server[0], "own") as pool:
        replies = [await pool.send(kit.calling(target=f"/say/{n}", within=10)) for n in range(5)]
        load = pool.load

    assert [reply.body for reply in replies] == [b"0", b"1", b"2", b"3", b"4"]
    assert load == Load(1, 0, 0)


@pytest.mark.needs("nginx")
@pytest.mark.parametrize("who", ["none", "expired", "foreign"])
async def test_the_400_of_nginx_is_passed_on(kit, connect, who):
    """It answers by a 400, which is a reply like any other, and closes."""
    async with connect("nginx", who) as pool:
        reply = await pool.send(kit.calling(within=10))
        load = pool.load

    assert (reply.status, b"SSL certificate" in reply.body) == (400, True)
    assert load == Load(0, 0, 0)


EXPLAINED = {"none": "certificate required", "expired": "certificate expired", "foreign": "unknown"}


@ON_BOTH_LOOPS
@pytest.mark.parametrize("who", EXPLAINED)
@pytest.mark.parametrize("server", REFUSING)
async def test_a_gateway_whose_certificate_is_refused_learns_why(kit, connect, server, who, loop):
    """With TLS 1.3 it is refused after the handshake: the error names the alert, if there was one.

    Node ends the connection without a word where there is a certificate that it doesn't like.
    """
    messages = []

    async with connect(server[0], who) as pool:
        for _ in range(5):
            with pytest.raises(TransportFailed, match="connection lost: ") as caught:
                await pool.send(kit.calling(within=10))
            messages.append(str(caught.value))
        load = pool.load

    is_explained = server[0] == "granian" or who == "none"
    assert not is_explained or any(EXPLAINED[who] in message for message in messages)
    assert load == Load(0, 0, 0)


@ON_BOTH_LOOPS
async def test_a_service_with_an_expired_certificate_is_refused(kit, site, loop):
    """Nothing is sent to it, and the error says what is wrong."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    site.authority.issue_cert("localhost", not_after=YESTERDAY).configure_cert(context)

    async with (
        kit.Service(kit.answering(kit.http()), context) as service,
        kit.wired(service, ca_file=site.ca) as pool,
    ):
        with pytest.raises(TransportFailed, match="certificate has expired") as caught:
            await pool.send(kit.calling())

    assert (caught.value.is_sent, service.requests) == (False, [])


@pytest.mark.parametrize("lacking", ["certificate", "key"])
async def test_a_certificate_without_its_key_fails_at_start_up(kit, site, tmp_path, lacking):
    """A file that holds one of the two only does not do."""
    issued = site.authority.issue_cert("gateway.internal")
    path = tmp_path / "half.pem"
    half = issued.private_key_pem if lacking == "certificate" else issued.cert_chain_pems[0]
    half.write_to_path(path)
    endpoint = Endpoint("https", "localhost", 443, "127.0.0.1")

    with pytest.raises(ConfigurationError, match="certificates can't be loaded"):
        kit.transport(client_cert=str(path)).connect(endpoint)


async def test_a_key_of_another_certificate_fails_at_start_up(kit, site, shown):
    """Certificate and key have to fit."""
    endpoint = Endpoint("https", "localhost", 443, "127.0.0.1")
    transport = kit.transport(**shown["own"], client_key=site.key)

    with pytest.raises(ConfigurationError, match="certificates can't be loaded"):
        transport.connect(endpoint)
