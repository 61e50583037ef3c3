"""The options of connections: safe as they stand, checked when they are made."""

import dataclasses

import pytest

from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.connection import Connection
from bff_core.upstream.transport.interface import Endpoint
from bff_core.upstream.transport.request_writer import RequestWriter


def test_defaults_are_the_promised_ones():
    """What the documents promise is what a gateway gets."""
    options = Connection()

    assert (options.connect_timeout, options.max_connections) == (1.0, 100)
    assert (options.max_body, options.max_header_bytes) == (8 * 1024 * 1024, 64 * 1024)
    assert (options.max_headers, options.verify, options.accept_encoding) == (128, True, ())
    assert options.idle_expiry < 5  # uvicorn and Node close after five seconds


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("connect_timeout", 0),
        ("connect_timeout", 61),
        ("connect_timeout", float("nan")),
        ("connect_timeout", "1"),
        ("connect_timeout", True),
        ("max_connections", 0),
        ("max_connections", 10_001),
        ("max_connections", 1.5),
        ("max_connections", True),
        ("idle_expiry", -1),
        ("idle_expiry", float("inf")),
        ("lifetime", 0),
        ("max_body", 1023),
        ("max_body", 2**31),
        ("max_header_bytes", 100),
        ("max_headers", 1),
        ("max_streamed", 1),
        ("stream_idle_timeout", 0),
        ("accept_encoding", ("deflate",)),
        ("accept_encoding", "gzip"),
        ("accept_encoding", ("gzip", "gzip")),
        ("ca_file", "/nowhere/ca.pem"),
        ("client_cert", "/nowhere/cert.pem"),
        ("server_name", ""),
    ],
)
def test_a_value_out_of_range_names_its_option(option, value):
    """An error names the option and its allowed values."""
    with pytest.raises(ConfigurationError, match=rf"Connection\.{option} must .*not "):
        Connection(**{option: value})


def test_a_key_needs_its_certificate(tmp_path):
    """Half an identity is none."""
    key = tmp_path / "key.pem"
    key.touch()

    with pytest.raises(ConfigurationError, match="client_key must come with client_cert"):
        Connection(client_key=str(key))


def test_an_authority_needs_verification(tmp_path):
    """Naming whom to trust and then trusting everybody is a mistake."""
    path = tmp_path / "ca.pem"
    path.touch()

    with pytest.raises(ConfigurationError, match="verify is False"):
        Connection(ca_file=str(path), verify=False)


def test_options_are_frozen():
    """Options don't change under those who use them."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Connection().max_body = 1


def test_accepted_codings_are_sent(kit):
    """Codings are listed in the order of preference; by default the body shall have none."""
    endpoint = Endpoint("http", "shop", 80, "10.0.0.1")

    explicit = RequestWriter(endpoint, Connection(accept_encoding=("zstd", "gzip"))).render(
        kit.calling(), 1.0
    )
    default = RequestWriter(endpoint, Connection()).render(kit.calling(), 1.0)

    assert b"\r\naccept-encoding: zstd, gzip\r\n" in explicit
    assert b"\r\naccept-encoding: identity\r\n" in default


@pytest.mark.parametrize(
    ("endpoint", "authority", "name"),
    [
        (Endpoint("http", "shop", 80, "10.0.0.1"), "shop", "shop:80 (10.0.0.1)"),
        (Endpoint("http", "shop", 8080, "shop"), "shop:8080", "shop:8080"),
        (Endpoint("https", "shop", 443, "10.0.0.1"), "shop", "shop:443 (10.0.0.1)"),
        (Endpoint("https", "shop", 80, "shop"), "shop:80", "shop:80"),
        (Endpoint("http", "::1", 9001, "::1"), "[::1]:9001", "[::1]:9001"),
    ],
)
def test_an_endpoint_has_names(endpoint, authority, name):
    """The Host header leaves out the scheme's own port; events never do."""
    assert (endpoint.authority, endpoint.name) == (authority, name)


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint("http", "shop\r\nx: 1", 80, "10.0.0.1"),
        Endpoint("http", "shop/x", 80, "10.0.0.1"),
        Endpoint("http", "", 80, "10.0.0.1"),
        Endpoint("http", "shop", 80, "10.0.0.1", "v1"),
        Endpoint("http", "shop", 80, "10.0.0.1", "/v1/"),
        Endpoint("http", "shop", 80, "10.0.0.1", "/v1?x=1"),
        Endpoint("http", "shop", 80, "10.0.0.1", "/v 1"),
    ],
)
def test_an_address_that_is_none_is_refused_at_start_up(kit, endpoint):
    """A host or base path that could split a request never gets as far as one."""
    with pytest.raises(ConfigurationError):
        RequestWriter(endpoint, Connection())
