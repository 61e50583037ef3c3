"""Hosts and origins in settings: one that never matches is refused, with a correction."""

import pytest

from bff_core.edge.options import CorsOptions, EdgeOptions
from bff_core.errors import ConfigurationError
from bff_core.settings.model import Settings


def edge_of(**settings: str) -> EdgeOptions:
    """Return the edge of an environment."""
    return EdgeOptions.of(Settings.load({"BFF_ENV": "development", **settings}))


@pytest.mark.parametrize(
    "host",
    [
        "shop.example", "*.shop.example", "*", "SHOP.example", "localhost", "testserver",
        "127.0.0.1", "[::1]", "[FE80::1]", "[::ffff:10.0.0.1]", "a_b.svc", "xn--bcher-kva.example",
        "7.shop", "null",
    ],
)  # fmt: skip
def test_a_host_as_clients_send_it_is_taken(host):
    """Names, names below a name, and addresses, in any case."""
    assert edge_of(BFF_ALLOWED_HOSTS=host).allowed_hosts == (host,)


@pytest.mark.parametrize(
    ("host", "right"),
    [
        ("localhost:8000", "localhost"),
        ("https://shop.example", "shop.example"),
        ("HTTPS://Shop.Example:8443/app?q#f", "shop.example"),
        ("shop.example/", "shop.example"),
        ("shop.example\\x", "shop.example"),
        ("shop.example:*", "shop.example"),
        ("user@shop.example", "shop.example"),
        ("shop.example.", "shop.example"),
        (".shop.example", "*.shop.example"),
        ("*shop.example", "*.shop.example"),
        ("https://*.shop.example", "*.shop.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
        ("::1", "[::1]"),
        ("[::1]:8000", "[::1]"),
        ("http://[::1]/", "[::1]"),
        ("[0:0::1]", "[::1]"),
        ("[::1", "[::1]"),
        ("2001:DB8::0001", "[2001:db8::1]"),
    ],
)
def test_a_host_that_never_matches_is_refused_with_the_right_spelling(host, right):
    """For example pasted from a browser, a certificate or another program."""
    with pytest.raises(ConfigurationError, match="BFF_ALLOWED_HOSTS") as refused:
        edge_of(BFF_ALLOWED_HOSTS=f"good.example,{host}")

    assert f"Host {host!r}" in str(refused.value)
    assert str(refused.value).endswith(f": write {right!r}.")
    assert edge_of(BFF_ALLOWED_HOSTS=right).allowed_hosts == (right,)


@pytest.mark.parametrize(
    "host",
    [
        "shop.*.example", "**.shop.example", "*.", "*.*.example", "shop.example www.shop.example",
        "shop.example;www.shop.example", '["shop.example"]', "'shop.example'", "shop..example",
        "-a.example", "a-.example", "straße.example", "127.1", "0x7f.1", "256.0.0.1", "010.0.0.1",
        "*.10.0.0.1", "[fe80::1%25eth0]", "http://", "/", "a" * 64 + ".example",
        "a." * 127 + "example",
    ],
)  # fmt: skip
def test_a_host_without_a_known_correction_is_refused_with_examples(host):
    """The message shows what a host looks like."""
    with pytest.raises(ConfigurationError, match="BFF_ALLOWED_HOSTS") as refused:
        edge_of(BFF_ALLOWED_HOSTS=host)

    assert str(refused.value).endswith("such as shop.example, or *.shop.example for all below.")


@pytest.mark.parametrize(
    "origin",
    [
        "https://shop.example", "http://localhost:3000", "https://shop.example:8443",
        "https://shop.example:80", "http://shop.example:443", "http://127.0.0.1:3000",
        "https://[::1]:8443", "https://xn--bcher-kva.example", "https://shop.example:65535", "*",
        "https://*.preview.example", "https://*.preview.example:8443", "http://*.a.shop.example",
        "https://*.xn--bcher-kva.example",
    ],
)  # fmt: skip
def test_an_origin_as_browsers_send_it_is_taken(origin):
    """Scheme, host, and a port that is not the default."""
    assert edge_of(BFF_CORS_ORIGINS=origin).cors.origins == (origin,)


@pytest.mark.parametrize(
    ("origin", "right"),
    [
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("https://[::1]:443", "https://[::1]"),
        ("https://shop.example/", "https://shop.example"),
        ("http://localhost:3000/app?x", "http://localhost:3000"),
        ("HTTPS://Shop.Example", "https://shop.example"),
        ("https://Shop.example:8443", "https://shop.example:8443"),
        ("shop.example", "https://shop.example"),
        ("localhost:3000", "https://localhost:3000"),
        ("https://shop.example:", "https://shop.example"),
        ("https://shop.example:0443", "https://shop.example"),
        ("https://shop.example:08443", "https://shop.example:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://shop.example.", "https://shop.example"),
        ("https://user@shop.example", "https://shop.example"),
        ("https://::1", "https://[::1]"),
        ("https://[0::1]:8443", "https://[::1]:8443"),
        ("*.preview.example", "https://*.preview.example"),
        ("https://*.preview.example:443", "https://*.preview.example"),
        ("https://*.Preview.example/", "https://*.preview.example"),
        ("https://*.preview.example:*", "https://*.preview.example"),
        ("https://*.bücher.example", "https://*.xn--bcher-kva.example"),
    ],
)
def test_an_origin_that_never_matches_is_refused_with_the_right_spelling(origin, right):
    """Browsers leave out the default port, and send hosts in lower case."""
    with pytest.raises(ConfigurationError, match="BFF_CORS_ORIGINS") as refused:
        edge_of(BFF_CORS_ORIGINS=f"https://good.example,{origin}")

    assert str(refused.value).endswith(f": write {right!r}.")
    assert edge_of(BFF_CORS_ORIGINS=right).cors.origins == (right,)


@pytest.mark.parametrize(
    "origin",
    [
        "https://*", "https://*:8443", "https://*.", "https://*.com", "https://*.localhost",
        "https://a.*.shop.example", "https://**.shop.example", "https://*.*.shop.example",
        "https://*.10.0.0.1", "https://*.[::1]", "https://*.shop..example", "https://a*.shop.example",
        "ftp://shop.example", "file://", "https://",
        "https://shop.example:99999", "https://a.example https://b.example", "https:shop.example",
        "https://127.1",
    ],
)  # fmt: skip
def test_an_origin_without_a_known_correction_is_refused_with_an_example(origin):
    """The message shows what an origin looks like."""
    with pytest.raises(ConfigurationError, match="BFF_CORS_ORIGINS") as refused:
        edge_of(BFF_CORS_ORIGINS=origin)

    assert str(refused.value).endswith("such as https://shop.example.")


@pytest.mark.parametrize("origin", ["null", "NULL"])
def test_the_origin_of_sandboxed_frames_can_not_be_let_in(origin):
    """Any page can create a frame with the origin null."""
    with pytest.raises(ConfigurationError, match="every sandboxed frame"):
        CorsOptions(origins=(origin,))


@pytest.mark.parametrize(
    ("hop", "right"),
    [
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_a_hop_that_never_matches_is_refused_with_the_right_spelling(hop, right):
    """Mapped addresses are compared as IPv4, and zones are ignored."""
    with pytest.raises(ConfigurationError, match="would never match") as refused:
        edge_of(BFF_TRUSTED_PROXIES=hop)

    assert str(refused.value).endswith(f"write {right}.")


@pytest.mark.parametrize(
    ("variable", "text", "fault"),
    [
        ("BFF_CORS_ORIGINS", "https://shop.example:443", "browsers leave out the default port"),
        ("BFF_CORS_ORIGINS", "http://shop.example:80", "browsers leave out the default port"),
        ("BFF_CORS_ORIGINS", "https://shop.example/app", "an origin has no path"),
        ("BFF_CORS_ORIGINS", "https://ann@shop.example", "an origin has no user name"),
        ("BFF_CORS_ORIGINS", "https://Shop.example", "browsers send origins in lower case"),
        ("BFF_CORS_ORIGINS", "shop.example", "an origin begins with https:// or http://"),
        ("BFF_CORS_ORIGINS", "https://shop.example:08", "browsers do not write a port like this"),
        ("BFF_CORS_ORIGINS", "https://shop.example.", "a host has no dot at its end"),
        ("BFF_CORS_ORIGINS", "https://127.1", "browsers do not write a host like this"),
        ("BFF_CORS_ORIGINS", "https://b\u00fccher.example", "international names in ASCII"),
        ("BFF_CORS_ORIGINS", "https://a.example;https://b.example", "separated by commas"),
        ("BFF_CORS_ORIGINS", "https://*.com", "stands for one label, with two or more labels"),
        ("BFF_ALLOWED_HOSTS", "shop.example:8000", "a host has no port"),
        ("BFF_ALLOWED_HOSTS", "[::1]:8000", "a host has no port"),
        ("BFF_ALLOWED_HOSTS", "https://shop.example", "a host has no scheme"),
        ("BFF_ALLOWED_HOSTS", "shop.example/", "a host has no path"),
        ("BFF_ALLOWED_HOSTS", "ann@shop.example", "a host has no user name"),
        ("BFF_ALLOWED_HOSTS", "a.example b.example", "separated by commas"),
        ("BFF_ALLOWED_HOSTS", "shop.*.example", "stands for all labels before a name"),
    ],
)
def test_the_error_says_what_is_wrong_and_no_more(variable, text, fault):
    """It has one reason, and a correction or an example."""
    with pytest.raises(ConfigurationError) as refused:
        edge_of(**{variable: text})

    assert fault in str(refused.value).partition(" is not accepted: ")[2]
    assert len(str(refused.value)) < 220
