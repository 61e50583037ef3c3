"""Errors of generated clients: what a service documents can be caught, with its typed body."""

import pytest

from bff_core import BadStatus
from bff_core.testing.scripted import Scripted, reply
from tests.codegen.upstream.generated import (
    NUMBER,
    TEXT,
    answers,
    client,
    document,
    get,
    ref,
    thing,
)

ERROR = thing("code", code=TEXT)


def failing(**failures):
    """Return a document whose only operation fails with some bodies: `_404={"Error": …}`."""
    responses = {
        "200": {"description": "Fine", "content": {"application/json": {"schema": NUMBER}}}
    }
    for status, (description, media_type, schema) in failures.items():
        content = {media_type: {"schema": schema} if schema is not None else {}}
        responses[status.removeprefix("_")] = {
            "description": description,
            "content": content if media_type else {},
        }
    return document({"/x": get({}, responses=responses)}, {"Error": ERROR})


JSON = "application/json"


async def failure(made, status, body=b"", kind=JSON):
    """Return the error that a reply raises."""
    shop = made.over(Scripted(reply(status, body, headers={"content-type": kind})))
    with pytest.raises(BadStatus) as caught:
        await shop.read()
    return caught.value


async def test_a_documented_failure_is_an_exception_with_a_typed_body():
    """`except errors.NotFoundError as error` reads `error.body.code`."""
    with client(failing(_404=("No such pet", JSON, ref("Error")))) as made:
        error = await failure(made, 404, {"code": "gone"})

        assert isinstance(error, made.errors.NotFoundError)
        assert error.body.code == "gone"
        assert (error.status, error.code, error.reply.status) == (404, "not_found", 404)
        assert made.errors.NotFoundError.__doc__ == "404: No such pet."
        assert "Raises NotFoundError." in (made.operations.ShopOperations.read.__doc__ or "")


async def test_clients_get_what_they_get_today():
    """A 400 stays a 502 for the client, whatever its body is."""
    with client(failing(_400=("Wrong", JSON, ref("Error")))) as made:
        error = await failure(made, 400, {"code": "x"})

    assert (type(error).__name__, error.status, error.body.code) == ("BadRequestError", 502, "x")


async def test_a_body_that_does_not_fit_is_the_plain_error():
    """A proxy's page is not taken for the service's error."""
    with client(failing(_404=("None", JSON, ref("Error")))) as made:
        error = await failure(made, 404, b"<html>", "text/html")

    assert type(error) is BadStatus


async def test_a_new_code_of_an_error_is_still_that_error():
    """A service that adds a code does not skip `except errors.NotFoundError`."""
    error_schema = thing("code", code={"type": "string", "enum": ["gone", "hidden"]})
    responses = {**answers({}), **answers(error_schema, status="404")}
    with client(document({"/x": get({}, responses=responses)})) as made:
        error = await failure(made, 404, {"code": "sold"})

        assert isinstance(error, made.errors.NotFoundError)
        assert error.body.code.name == "UNRECOGNIZED"


async def test_problem_details_without_a_schema():
    """The media type of RFC 9457 is enough for its members; its detail reaches the client."""
    kind = "application/problem+json"
    with client(failing(_409=("Conflict", kind, None))) as made:
        error = await failure(made, 409, {"title": "T", "detail": "D", "more": 1}, kind)

    assert (error.body.title, error.body.detail) == ("T", "D")
    assert error.detail == "D"


async def test_ranges_and_default():
    """A single status precedes its range, and that the default."""
    with client(
        failing(
            _404=("None", JSON, ref("Error")),
            _4XX=("Client", JSON, ref("Error")),
            default=("Other", JSON, ref("Error")),
        )
    ) as made:
        names = [
            type(await failure(made, status, {"code": "c"})).__name__
            for status in (404, 418, 500, 302)
        ]

    assert names == ["NotFoundError", "ClientFailureError", "UnexpectedError", "BadStatus"]


async def test_a_failure_without_a_body():
    """A status that is documented without a body can be caught, too."""
    with client(failing(_403=("No", "", None))) as made:
        error = await failure(made, 403, b"whatever", "text/plain")

    assert (type(error).__name__, error.body) == ("ForbiddenError", None)


async def test_bodies_that_differ_by_operation_are_a_union():
    """One exception for a status, whose body is one of the documented types."""
    other = thing("reasons", reasons={"type": "array", "items": TEXT})
    content = failing(_422=("Wrong", JSON, ref("Error")))
    second = get({}, name="second")["get"]
    second["responses"]["422"] = {"description": "Bad", "content": {JSON: {"schema": other}}}
    content["paths"]["/y"] = {"get": second}
    with client(content) as made:
        first = await failure(made, 422, {"code": "c"})
        shop = made.over(Scripted(reply(422, {"reasons": ["r"]})))
        with pytest.raises(made.errors.UnprocessableContentError) as caught:
            await shop.second()

    assert first.body.code == "c"
    assert caught.value.body.reasons == ("r",)


async def test_the_error_has_its_call_and_text():
    """The typed error is the plain one, with its call and its text."""
    with client(failing(_404=("None", JSON, ref("Error")))) as made:
        error = await failure(made, 404, {"code": "c"})

    assert error.call.operation == "GET /x"
    assert str(error) == "shop: GET /x: answered 404"
    assert isinstance(error.__cause__, BadStatus)
