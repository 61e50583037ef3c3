"""Which lines of requests are cached: checked ones, up to a bound, and none with viewer data."""

import pytest

from bff_core.policy.upstream.connection import Connection
from bff_core.upstream.transport.interface import Endpoint
from bff_core.upstream.transport.request_writer import RequestWriter, UnsafeRequest


@pytest.fixture
def renderer():
    """Render for a shop."""
    return RequestWriter(Endpoint("http", "shop", 80, "10.0.0.1", "/v1"), Connection())


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST", "PURGE"])
def test_a_request_reads_the_same_each_time(kit, renderer, method):
    """What is remembered of one call changes no byte of the next."""
    headers = ((b"accept", b"text/html"), (b"x-one", b"1"), (b"accept", b"text/html"))
    call = kit.calling(method, headers=headers, traceparent="00-ab-cd-01", body=b"x")

    first, second = (renderer.render(call, 1.5) for _ in range(2))

    assert first == second
    assert (
        first
        == (
            f"{method} /v1/things HTTP/1.1\r\nhost: shop\r\nrequest-timeout: 1.500\r\n"
            "traceparent: 00-ab-cd-01\r\naccept: text/html\r\nx-one: 1\r\naccept: text/html\r\n"
            "accept-encoding: identity\r\ncontent-length: 1\r\n\r\nx"
        ).encode()
    )


@pytest.mark.parametrize(
    "unsafe",
    [
        {"headers": ((b"accept", b"text/html\r\nx: 1"),)},
        {"headers": ((b"accept\r\nx", b"text/html"),)},
        {"headers": ((b"accept", b"text/html"), (b"host", b"elsewhere"))},
        {"method": "GET /"},
        {"traceparent": "00-ab-cd-01\r\nx: 1"},
    ],
)
def test_cached_checks_do_not_let_an_unsafe_call_through(kit, renderer, unsafe):
    """Each part is checked in its own right, whatever was remembered; and refused each time."""
    safe = kit.calling(headers=((b"accept", b"text/html"),), traceparent="00-ab-cd-01")
    renderer.render(safe, 1.0)

    for _ in range(2):
        with pytest.raises(UnsafeRequest):
            renderer.render(kit.calling(**unsafe), 1.0)


def test_lines_with_data_of_a_viewer_are_not_cached(kit, renderer):
    """A token is never cached; only fields that are the same for all viewers are."""
    headers = (
        (b"authorization", b"Bearer secret"),
        (b"cookie", b"session=secret"),
        (b"x-user", b"secret"),
        (b"accept", b"text/html"),
    )

    renderer.render(kit.calling(headers=headers), 1.0)

    assert list(renderer._lines) == [(b"accept", b"text/html")]


def test_memory_of_methods_and_lines_is_bounded(kit, renderer):
    """Callers that never say the same twice cost no memory, and are served all the same."""
    for number in range(2000):
        value = b"text/%d" % number
        call = kit.calling(f"M{number}", headers=((b"accept", value), (b"x-%d" % number, b"1")))
        assert b"accept: %b\r\n" % value in renderer.render(call, 1.0)

    memories = (renderer._starts, renderer._names, renderer._lines)
    assert [len(memory) for memory in memories] == [512, 512, 512]


def test_long_lines_are_not_remembered(kit, renderer):
    """A bound on their number is a bound on their size."""
    line = (b"accept", b"text/" + b"l" * 500)

    request = renderer.render(kit.calling(headers=(line,)), 1.0)

    assert b"accept: %b\r\n" % line[1] in request
    assert renderer._lines == {}
