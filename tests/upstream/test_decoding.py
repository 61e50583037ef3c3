"""Replies into typed values: success, absence and failures are distinguished."""

from dataclasses import dataclass
from math import inf

import pytest

from bff_core.call import Call, Reply
from bff_core.errors import BadPayload, BadStatus, ConfigurationError
from bff_core.upstream.decoding import decoding
from bff_core.upstream.typed_reply import TypedReply

CALL = Call("users", "GET", "/users/7", "GET /users/{id}", inf)
PROBLEM = ((b"content-type", b"application/problem+json"),)


@dataclass(frozen=True)
class Profile:
    """What the tests decode."""

    id: str
    tags: tuple[str, ...] = ()


def value(model, body=b"", status=200, headers=()):
    return decoding(model).value(Reply(status, headers, body), CALL)


def test_success_becomes_the_declared_type():
    """Known fields are typed, unknown ones skipped."""
    assert value(Profile, b'{"id": "7", "tags": ["a"], "new": 1}') == Profile("7", ("a",))


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ok": true}', b"<html>", b"\xff", b"null"])
@pytest.mark.parametrize("model", [None, type(None)])
def test_the_body_of_a_write_may_be_ignored(model, body):
    """The write has happened, whatever its service says of it."""
    assert value(model, body) is None
    assert value(TypedReply[None], body, 201).status == 201


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"id": 7}',
        b'{"id": NaN}',
        b'{"id": "\xff"}',
        b"<html>",
        b"[" * 100_000,
    ],
)
def test_body_that_does_not_fit_is_a_bad_payload(body):
    """Garbage, wrong types and bottomless nesting are the service's fault, and raised as such."""
    with pytest.raises(BadPayload) as caught:
        value(Profile | list[object] if body.startswith(b"[[") else Profile, body)

    assert (caught.value.status, caught.value.upstream) == (502, "users")


def test_not_found_is_none_where_the_type_allows_it():
    """Absence is an answer if the method says so."""
    assert value(Profile | None, status=404) is None


def test_not_found_is_an_error_where_the_type_does_not_allow_it():
    """A 404 is passed through with what the service says."""
    with pytest.raises(BadStatus) as caught:
        value(Profile, b'{"detail": "no user 7"}', 404, PROBLEM)

    assert (caught.value.status, caught.value.detail) == (404, "no user 7")


def test_success_without_a_body_is_none_where_the_type_allows_it():
    """A 204 answers a call that expects nothing."""
    assert value(None, status=204) is None


@pytest.mark.parametrize(
    ("status", "answered"),
    [
        *((500, 502), (501, 502), (503, 503), (504, 504), (301, 502), (304, 502), (999, 502)),
        *((400, 502), (401, 502), (403, 502), (405, 502), (408, 502), (429, 503)),
        *((one, one) for one in (402, 404, 409, 410, 412, 422, 423)),
    ],
)
def test_other_statuses_are_translated(status, answered):
    """A service's failure is ours to answer for; conflicts and the like are the client's."""
    with pytest.raises(BadStatus) as caught:
        value(Profile, b'{"detail": "secret host db-7"}', status, PROBLEM)

    assert caught.value.status == answered
    assert (caught.value.detail != "") == (answered == status < 500)


def test_type_that_json_can_not_become_is_refused():
    """A model that msgspec can't decode is an error of the author."""
    with pytest.raises(ConfigurationError, match="can't be decoded"):
        decoding(dict[object, int] | dict[str, int])


@pytest.mark.parametrize(
    ("status", "retry_after", "waited"),
    [
        *((503, "7", 7), (503, "999999", 3600), (503, "9" * 400, 3600), (503, "soon", None)),
        *((500, "7", None), (504, "7", None), (429, "7", 7), (409, "7", 7), (423, "7", 7)),
        *((code, "Sun, 29 Nov 2026 01:00:30 GMT", 30) for code in (409, 429, 503)),
        *((503, "Sun, 29 Nov 2026 00:59:00 GMT", 0), (503, "Mon, 29 Nov 2027 01:00:30 GMT", 3600)),
        *((503, "Sunday, 29-Nov-26 01:00:30 GMT", 30), (503, "Sun Nov 29 01:00:30 2026", 30)),
    ],
)
def test_a_client_gets_the_wait_of_the_service(status, retry_after, waited):
    """The service's Retry-After goes on, in seconds or as a date, within reason."""
    date = (b"date", b"Sun, 29 Nov 2026 01:00:00 GMT")
    with pytest.raises(BadStatus) as caught:
        value(Profile, status=status, headers=((b"retry-after", retry_after.encode()), date))

    assert caught.value.retry_after == waited


def test_date_without_a_date_of_the_reply_is_judged_by_our_clock():
    """A service that sends no Date may still say when to come back."""
    reply = Reply(503, ((b"retry-after", b"Thu, 01 Jan 1970 00:01:30 GMT"),))

    assert BadStatus(reply, call=CALL, wall=lambda: 60.0).retry_after == 30


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("/v2/users/7", "answered 301, a redirect to '/v2/users/7'; Policy(redirects=...) "),
        (
            "https://eve:pw@login.internal/in?token=secret#x",
            "answered 301, a redirect to 'https://login.internal/in'; Policy(redirects=...) ",
        ),
        ("http://[", "answered 301, a redirect to 'an invalid reference'"),
    ],
)
def test_redirect_that_is_not_followed_says_where_to(location, said):
    """The log names the target without what may be secret in it; the client learns nothing."""
    with pytest.raises(BadStatus, match="answered 301") as caught:
        value(Profile, status=301, headers=((b"location", location.encode()),))

    assert said in str(caught.value)
    assert (caught.value.status, caught.value.detail) == (502, "")
