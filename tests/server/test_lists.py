"""The lists of the server, member by member: caching of lines, framing, headers of refusals."""

import pytest

from bff_core.server import response_head as heads
from bff_core.server.early_refusal import (
    HEAD_TOO_LARGE,
    NO_HOST,
    NOT_HTTP,
    UNFINISHED,
    EarlyRefusals,
)
from bff_core.server.response import ResponseRenderer
from bff_core.server.response_head import HeadRenderer

START = "http.response.start"
BODY = "http.response.body"


def lines_of(status: int, *fields: tuple[bytes, bytes], **options) -> list[bytes]:
    """Return the lines of an answer's head, and its body as the last."""
    answer = ResponseRenderer(**{"has_body": True, "is_old": False, "is_last": False} | options)
    sent = answer.start({"type": START, "status": status, "headers": fields}, b"")
    sent += b"".join(answer.body({"type": BODY, "body": b"ok"}))
    return sent.split(b"\r\n")


@pytest.mark.parametrize(
    "name",
    [
        b"content-length", b"date", b"etag", b"location", b"server", b"server-timing",
        b"set-cookie", b"x-request-id", b"traceparent",
    ],
)  # fmt: skip
def test_a_line_of_this_field_is_not_cached(name):
    """Its values do not repeat, or are secret."""
    for spelling in (name, name.title()):
        HeadRenderer(200, [(spelling, b"77777"), (b"x-often", b"77777")], b"")

        assert (spelling, b"77777") not in heads._lines
    assert (b"x-often", b"77777") in heads._lines


@pytest.mark.parametrize("value", [b"close", b"Close", b"x, close", b"close ,x"])
def test_the_server_renders_one_connection_close(value):
    """The application's own field is dropped."""
    lines = lines_of(200, (b"connection", value), (b"content-length", b"2"))

    assert lines.count(b"connection: close") == 1
    assert [line for line in lines if line.startswith(b"connection")] == [b"connection: close"]


@pytest.mark.parametrize("value", [b"chunked", b"gzip, chunked", b"identity"])
def test_an_application_does_not_choose_the_transfer_coding(value):
    """The server frames the body."""
    lines = lines_of(200, (b"transfer-encoding", value))

    assert [line for line in lines if b"transfer" in line] == [b"transfer-encoding: chunked"]


@pytest.mark.parametrize("value", [b"-1", b"1.0", b"", b"0x2", b"2, 2", b" 2", b"\xb2"])
def test_a_malformed_length_is_refused(value):
    """Two programs would read two different answers."""
    with pytest.raises(ValueError, match="Content-Length"):
        lines_of(200, (b"content-length", value))


def test_two_lengths_are_refused():
    """Even if they are equal."""
    with pytest.raises(ValueError, match="Content-Length"):
        lines_of(200, (b"content-length", b"2"), (b"content-length", b"2"))


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_of_this_status_has_no_body(status):
    """Its first byte would be parsed as the next answer (RFC 9110, section 6.4.1)."""
    *head, body = lines_of(status)

    assert body == b""
    assert b"transfer-encoding: chunked" not in head


@pytest.mark.parametrize("status", [200, 201, 202, 203, 205, 206, 301, 400, 404, 500, 503])
def test_an_answer_of_another_status_has_a_body(status):
    """It is framed by a length or by chunks."""
    assert lines_of(status)[-5:] == [b"2", b"ok", b"0", b"", b""]


@pytest.mark.parametrize("octet", [*range(9), *range(10, 32), 127])
def test_this_control_character_is_refused_in_a_value(octet):
    """It could end the line, or hide what follows (RFC 9110, section 5.5)."""
    with pytest.raises(ValueError, match="can't be sent"):
        lines_of(200, (b"x-a", b"a%bb" % bytes([octet])))


@pytest.mark.parametrize("octet", [9, 32, 126, 128, 255])
def test_this_character_is_sent_in_a_value(octet):
    """A tab, visible characters, and bytes beyond ASCII."""
    value = b"a%bb" % bytes([octet])

    assert b"x-a: " + value in lines_of(200, (b"x-a", value))


@pytest.mark.parametrize("octet", [*range(33), *b'"(),/:;<=>?@[\\]{}', 127, 128, 255])
def test_this_character_is_refused_in_a_name(octet):
    """A name is a token (RFC 9110, section 5.1)."""
    with pytest.raises(ValueError, match="not a valid name of a header field"):
        lines_of(200, (b"x-%b" % bytes([octet]), b"1"))


@pytest.mark.parametrize("refusal", [NOT_HTTP, NO_HOST, HEAD_TOO_LARGE, UNFINISHED], ids=str)
@pytest.mark.parametrize(
    "line",
    [
        b"x-content-type-options: nosniff",
        b"x-frame-options: DENY",
        b"referrer-policy: no-referrer",
        b"cross-origin-resource-policy: same-origin",
        (
            b"content-security-policy: default-src 'none'; frame-ancestors 'none'; "
            b"base-uri 'none'; form-action 'none'"
        ),
        b"cache-control: no-store",
        b"connection: close",
    ],
)
def test_a_refusal_before_the_gateway_has_this_line(refusal, line):
    """It has the security headers of any other answer, and closes its connection."""
    assert line in EarlyRefusals().render(refusal, b"").split(b"\r\n")
