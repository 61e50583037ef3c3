"""`forwarded_request`: which path and query a service gets, and which paths it never gets."""

import pytest
from fastapi import Request

from bff_core import forwarded_request
from bff_core.errors import NotFound


def forwarded(raw_path: bytes, query: bytes = b"", method: str = "GET", **options):
    """Forward a request with this path, as a server passes it on."""
    scope = {
        "type": "http",
        "method": method,
        "path": raw_path.decode("latin-1"),
        "raw_path": raw_path,
        "query_string": query,
        "headers": [],
    }
    return forwarded_request(Request(scope), audience=None, **options)


@pytest.mark.parametrize(
    "path",
    [
        *(b"/", b"//", b"/a//b/", b"/a%2Fb", b"/a%2fb", b"/%C3%A4", b"/a;v=1", b"/a%3Fb%23c"),
        *(b"/...", b"/.well-known/x", b"/a..b", b"/..a", b"/%2e%2e%2ea", b"/~a!$&'()*+,=:@"),
    ],
)
def test_a_path_stays_as_it_came(path: bytes) -> None:
    """Nothing is decoded, encoded or cleaned up."""
    assert forwarded(path, b"q=%2F..&q=a+b").target == f"{path.decode()}?q=%2F..&q=a+b"


@pytest.mark.parametrize(
    "path",
    [
        *(b"/../x", b"/a/..", b"/a/../x", b"/.", b"/./x", b"/%2e%2e/x", b"/%2E./x", b"/.%2e"),
        *(b"/a%2F..%2Fx", b"/a%2f%2e%2e%2fx", b"/..%5Cx", b"/..\\x", b"/a%5c..", b"/a%5C%2e%2e/x"),
        *(b"/..;/x", b"/..;a=b/x", b"/%2e%2e%3B/x", b"/.;/x"),
        *(b"/..%00", b"/..%20/x", b"/..%09/x", b"/..%23", b"/..%3f/x", b"/%2e%2e%0a"),
    ],
)
@pytest.mark.parametrize("prefix", [{}, {"strip_prefix": "/v1/files", "add_prefix": "/public"}])
def test_a_path_never_climbs(path: bytes, prefix: dict[str, str]) -> None:
    """Whatever the service decodes before it resolves the segments."""
    with pytest.raises(NotFound):
        forwarded(prefix.get("strip_prefix", "").encode() + path, **prefix)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/v1/files/a%20b", "/public/a%20b"),
        ("/v1/files//a", "/public//a"),
        ("/v1/files/", "/public/"),
        ("/v1/files", "/public/"),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_prefix_is_replaced(path: str, target: str, slash: str) -> None:
    """With or without a slash at the end of the prefixes."""
    prefixes = {"strip_prefix": f"/v1/files{slash}", "add_prefix": f"/public{slash}"}

    assert forwarded(path.encode(), b"a=1", **prefixes).target == f"{target}?a=1"


@pytest.mark.parametrize(
    "path", [b"/v1/filesystem", b"/v1", b"/v1/%66iles/a", b"/V1/files/a", b"*"]
)
def test_a_path_outside_the_prefix_is_not_found(path: bytes) -> None:
    """It is not sent with its own prefix."""
    with pytest.raises(NotFound):
        forwarded(path, strip_prefix="/v1/files")


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        (b"/\xc3\xa4", b"q=\xc3\xa4", "/%C3%A4?q=%C3%A4"),
        (b"/\xff", b"", "/%FF"),
        (b"/a#b", b"q=#", "/a%23b?q=%23"),
        (b"/a b\x00", b"\r\nx: y", "/a%20b%00?%0D%0Ax:%20y"),
    ],
)
def test_bytes_that_no_url_may_have_are_encoded(path: bytes, query: bytes, target: str) -> None:
    """A server may pass them on; none of them can end the request line."""
    assert forwarded(path, query).target == target


def test_a_server_need_not_give_the_encoded_path() -> None:
    """ASGI leaves `raw_path` optional."""
    scope = {"type": "http", "method": "GET", "path": "/ä", "query_string": b"", "headers": []}

    assert forwarded_request(Request(scope), audience=None).target == "/%C3%A4"
