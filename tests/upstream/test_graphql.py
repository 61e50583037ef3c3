"""The GraphQL layer: a reply whose errors left no data gets the status of an HTTP API."""

import json

import pytest

from bff_core.call import Reply
from bff_core.testing.layer_runtime import LayerRuntime
from bff_core.testing.scripted import Scripted, reply, stream
from bff_core.upstream.layers.graphql import GraphQLLayer

pytestmark = pytest.mark.virtual_time


async def through(body: object, *, status: int = 200, **headers: str) -> Reply:
    """Return the reply with a body, as the layer hands it on."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    layer = GraphQLLayer(Scripted(reply(status, content, headers=named)))
    return await layer(LayerRuntime().call("/graphql", method="POST"))


def error(**members: object) -> dict[str, object]:
    """Return an error of a response."""
    return {"message": "no", **members}


@pytest.mark.parametrize(
    ("response", "status"),
    [
        ({"data": {"a": 1}}, 200),
        ({"data": {"errors": [1]}}, 200),
        ({"data": {"a": 1}, "errors": []}, 200),
        ({"data": {"a": 1, "b": None}, "errors": [error()]}, 206),
        ({"data": {"a": None}, "errors": [error()]}, 500),
        ({"data": None, "errors": [error()]}, 500),
        ({"errors": [error()]}, 400),
        ({"errors": [error(extensions={"code": "FORBIDDEN"})]}, 403),
        ({"errors": [error(extensions={"code": "access-denied"})]}, 403),
        ({"errors": [error(extensions={"errorType": "PERMISSION_DENIED"})]}, 403),
        ({"errors": [error(extensions={"classification": "UNAUTHORIZED"})]}, 401),
        ({"errors": [error(type="NOT_FOUND")]}, 404),
        ({"errors": [error(extensions={"code": "X", "http": {"status": 409}})]}, 409),
        ({"errors": [error(extensions={"code": "X", "status": 423})]}, 423),
        ({"errors": [error(extensions={"code": "X", "status": 200})]}, 200),
        ({"errors": [error(extensions={"code": "X"})]}, 200),
        ({"errors": [error(extensions={"code": "X\r\nY"})]}, 400),
        ({"errors": [error(extensions={"code": "X"}), error(type="NOT_FOUND")]}, 404),
        ({"errors": [error(type="NOT_FOUND"), error(type="INTERNAL")]}, 500),
        ({"data": {"a": None}, "errors": [error(type="NOT_FOUND")]}, 200),
        ({"data": {"a": 1, "b": None}, "errors": [error(type="NOT_FOUND")]}, 200),
    ],
)
async def test_errors_stand_for_a_status(response, status):
    """Each form in which servers write codes has the status that an HTTP API would answer with."""
    assert (await through(response)).status == status


@pytest.mark.parametrize(
    "body",
    [
        b'"errors"',
        b'{"errors": [',
        b'{"errors": 1}',
        b'{"errors": "no"}',
        b'{"data": [1], "errors": [{}]}',
        b"[" * 100_000 + b'"errors"',
        b'\xff"errors"',
    ],
)
async def test_what_is_no_response_passes(body):
    """A body that is no response reaches the decoder, which knows what to say of it."""
    assert await through(body) == Reply(200, (), body)


@pytest.mark.parametrize(
    "item", [1, None, "no", [], {"extensions": 1}, {"extensions": {"code": 1}}]
)
async def test_odd_errors_are_errors(item):
    """An error in an odd form is an error without a code."""
    assert (await through({"data": None, "errors": [item]})).status == 500


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "BAD_USER_INPUT", 422),
        (400, "GRAPHQL_VALIDATION_FAILED", 400),
        (400, "X", 400),
        (401, "UNAUTHENTICATED", 401),
        (503, "NOT_FOUND", 503),
    ],
)
async def test_a_failing_status_is_made_precise(status, code, expected):
    """The code of a client's mistake decides; a failure of the server stays one."""
    response = {"errors": [error(extensions={"code": code})]}

    assert (await through(response, status=status)).status == expected


async def test_the_body_stays():
    """`fails_with` and the log read what the service sent."""
    response = {"errors": [error(type="NOT_FOUND")]}

    assert json.loads((await through(response)).content) == response


@pytest.mark.parametrize(
    ("extensions", "header"),
    [
        ({"code": "RATE_LIMITED", "retryAfter": 2.1}, "3"),
        ({"code": "RATE_LIMITED", "retry_after": 0}, "0"),
        ({"code": "RATE_LIMITED", "retryAfter": -1}, None),
        ({"code": "RATE_LIMITED", "retryAfter": "soon"}, None),
        ({"code": "RATE_LIMITED"}, None),
    ],
)
async def test_a_rate_limit_has_a_retry_after(extensions, header):
    """Retries wait as long as the extensions say."""
    limited = await through({"errors": [error(extensions=extensions)]})

    assert (limited.status, limited.header("retry-after")) == (429, header)


async def test_a_retry_after_of_the_reply_stays():
    """The header field of the service has precedence."""
    response = {"errors": [error(extensions={"code": "RATE_LIMITED", "retryAfter": 2})]}

    limited = await through(response, retry_after="7")

    assert limited.header("retry-after") == "7"


async def test_streams_pass():
    """A body that is still arriving is not read."""
    layer = GraphQLLayer(Scripted(stream(b'{"errors": [{}]}')))

    assert (await layer(LayerRuntime().call())).status == 200
