"""Replies into typed values: success, absence and failures told apart."""

from dataclasses import dataclass
from math import inf

import pytest

from bff_core.call import Call, Reply
from bff_core.errors import BadPayload, BadStatus, ConfigurationError
from bff_core.upstream.decoding import decoding

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
    """Garbage, wrong types and bottomless nesting are the service's fault, told as such."""
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
    ("status", "told"), [(500, 502), (503, 503), (504, 504), (301, 502), (401, 502), (409, 409)]
)
def test_other_statuses_are_translated(status, told):
    """A service's failure is ours to answer for; conflicts and the like are the client's."""
    with pytest.raises(BadStatus) as caught:
        value(Profile, b'{"detail": "secret host db-7"}', status, PROBLEM)

    assert caught.value.status == told
    assert (caught.value.detail != "") == (told == 409)


def test_type_that_json_can_not_become_is_refused():
    """A model that msgspec can't decode is an error of the author."""
    with pytest.raises(ConfigurationError, match="can't be decoded"):
        decoding(dict[object, int] | dict[str, int])


@pytest.mark.parametrize(
    ("status", "told", "waited"),
    [(503, "7", 7), (503, "999999", 3600), (503, "soon", None), (500, "7", None)],
)
def test_client_is_told_to_wait_as_the_service_said(status, told, waited):
    """A 503 hands the service's Retry-After on, within reason."""
    with pytest.raises(BadStatus) as caught:
        value(Profile, status=status, headers=((b"retry-after", told.encode()),))

    assert caught.value.retry_after == waited
