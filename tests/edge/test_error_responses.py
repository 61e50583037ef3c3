"""Problem details: one form for every error, wherever it was raised."""

import json
from typing import Annotated

import httpx
import pytest
from fastapi import Body, FastAPI, HTTPException, Query
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.requests import ClientDisconnect

from bff_core.call import Call, Reply
from bff_core.edge.error_responses import install_problem_handlers
from bff_core.edge.problem_details import members_of, problem
from bff_core.errors import (
    BadStatus,
    CircuitOpen,
    ClientError,
    CompositionCycle,
    ConfigurationError,
    DeadlineExceeded,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    PartFailed,
    TooManyRequests,
    TransportFailed,
)
from bff_core.events import Crashed, RequestAnswered

CALL = Call("users", "GET", "/users/7?token=secret", "GET /users/{id}", 0.0)


def rendered(error):
    """Return the members of an error's problem."""
    return json.loads(problem(error).body)


class Order(BaseModel):
    """The body of a test route."""

    model_config = ConfigDict(extra="forbid")

    sku: str
    quantity: int


class Vault(BaseModel):
    """A body with a secret that is never valid."""

    pin: Annotated[int, Body()]


def raising(error):
    """Make a FastAPI application whose only route raises."""
    app = FastAPI()
    install_problem_handlers(app)

    @app.get("/fail/{number}")
    async def fail(number: int):
        raise error

    return app


def shop():
    """Make a FastAPI application with a few routes."""
    app = FastAPI()
    install_problem_handlers(app)

    @app.post("/orders")
    async def order(order: Order):
        return order

    @app.post("/vault")
    async def vault(vault: Vault):
        return vault

    @app.get("/search")
    async def search(first: Annotated[int, Query(le=50)]):
        return first

    return app


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFound("No such order."), 404, "not_found"),
        (TooManyRequests("Slow down.", retry_after=0.2), 429, "too_many_requests"),
        (CircuitOpen("open", call=CALL, retry_after=4.2), 503, "circuit_open"),
        (DeadlineExceeded("late", call=CALL), 504, "timeout"),
        (TransportFailed("10.0.0.7 refused", call=CALL, is_sent=False), 502, "unavailable"),
        (BadStatus(Reply(500), call=CALL), 502, "bad_status"),
        (BadStatus(Reply(404), call=CALL, detail="No user 7."), 404, "not_found"),
        (BadStatus(Reply(409), call=CALL, detail="Sold."), 409, "conflict"),
        (BadStatus(Reply(429), call=CALL), 503, "bad_status"),
        (BadStatus(Reply(401), call=CALL, passes_through={401}), 401, "not_authenticated"),
        (BadStatus(Reply(423), call=CALL), 423, "locked"),
        (ClientError("Sold.", status=409, code="sold_out"), 409, "sold_out"),
        (InvalidInput("No.", status=400), 400, "bad_request"),
        (PartFailed("product", DeadlineExceeded("late", call=CALL)), 504, "timeout"),
        (PartFailed("product", NotFound("No such product.")), 404, "not_found"),
        (PartFailed("product", ZeroDivisionError("1/0")), 500, "part_failed"),
        (ExceptionGroup("one", [ExceptionGroup("two", [NotFound("No.")])]), 404, "not_found"),
        (ExceptionGroup("two", [NotFound("No."), NotFound("No.")]), 500, "internal_error"),
        (HTTPException(415), 415, "unsupported_media_type"),
        (HTTPException(413), 413, "content_too_large"),
        (HTTPException(599), 599, "status_599"),
        (ConfigurationError("BFF_X"), 500, "configuration_error"),
        (CompositionCycle("a, b"), 500, "composition_cycle"),
        (ZeroDivisionError("password=hunter2"), 500, "internal_error"),
    ],
)
async def test_each_error_has_its_status_and_a_stable_code(edged, error, status, code):
    """Programs read the code, HTTP the status, and both are in the body."""
    answer = await edged(raising(error)).get("/fail/1")

    body = answer.json()
    assert answer.status_code == body["status"] == status
    assert body["code"] == code
    assert body["request_id"] == answer.headers["x-request-id"]
    assert len(body["trace_id"]) == 32
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "error",
    [
        TransportFailed("connect to 10.0.0.7:9001 refused", call=CALL, is_sent=False),
        BadStatus(Reply(500, body=b"stack trace"), call=CALL, detail="stack trace"),
        PartFailed("product", TransportFailed("10.0.0.7", call=CALL, is_sent=True)),
        ZeroDivisionError("secret"),
        ConfigurationError("BFF_SECRET"),
    ],
)
def test_internals_stay_inside(error):
    """Addresses, targets and messages of crashes never reach a client."""
    text = problem(error).body.decode()

    assert not any(word in text for word in ("10.0.0.7", "secret", "SECRET", "stack", "users"))
    assert "detail" not in json.loads(text)


def test_the_detail_of_a_services_refusal_is_passed_on():
    """The detail of a service's 404, 409 or 422 is meant for the client."""
    body = rendered(BadStatus(Reply(422), call=CALL, detail="Quantity must be positive."))

    assert body["detail"] == "Quantity must be positive."
    assert body["title"] == "Unprocessable content"


def test_a_failed_part_is_named_with_the_code_of_its_cause():
    """The client learns which part of the screen failed, and the code of the cause."""
    body = rendered(PartFailed("product", CircuitOpen("open", call=CALL, retry_after=5)))

    assert (body["part"], body["code"]) == ("product", "circuit_open")


def test_error_names_its_faults_one_by_one():
    """The faults of each field are passed on as members of problem details."""
    faults = [{"pointer": "/quantity", "detail": "must be positive"}]
    body = rendered(PartFailed("order", InvalidInput("Look again.", errors=faults)))

    assert (body["status"], body["detail"], body["errors"]) == (422, "Look again.", faults)


def test_problem_within_an_answer_says_when_to_come_back():
    """An item of a batch has no headers, so its problem details have the whole seconds."""
    error = PartFailed("order", BadStatus(Reply(409, ((b"retry-after", b"7"),)), call=CALL))

    assert members_of(error)["retry_after"] == 7
    assert "retry_after" not in rendered(error)


@pytest.mark.parametrize("status", [200, 399, 500])
def test_fault_of_a_client_has_a_status_of_its_kind(status):
    """A ClientError must have a 4xx status."""
    with pytest.raises(ValueError, match="400 to 499"):
        ClientError("No.", status=status)


@pytest.mark.parametrize(("seconds", "header"), [(0.0, b"1"), (0.2, b"1"), (4.2, b"5")])
def test_retry_after_is_whole_seconds_and_never_now(seconds, header):
    """Fractions are rounded up, so that no client comes back too early."""
    headers = dict(problem(CircuitOpen("open", call=CALL, retry_after=seconds)).headers)

    assert headers[b"retry-after"] == header


def test_a_failed_part_says_when_to_come_back():
    """The wait of the cause is the wait of the screen."""
    error = PartFailed("product", CircuitOpen("open", call=CALL, retry_after=3))

    assert dict(problem(error).headers)[b"retry-after"] == b"3"


async def test_the_routers_own_404_is_a_problem(edged):
    """A path that no route serves."""
    answer = await edged(shop()).get("/nothing")

    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not_found"
    assert answer.json()["title"] == "Not found"
    assert "detail" not in answer.json()


async def test_a_wrong_method_is_answered_with_the_right_ones(edged):
    """A 405 has Allow."""
    answer = await edged(shop()).ask("DELETE", "/orders")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json()["code"] == "method_not_allowed"


async def test_input_that_does_not_fit_says_where(edged):
    """Each fault has a JSON pointer into the part of the request that it is about."""
    answer = await edged(shop()).ask("POST", "/orders", json={"quantity": "many", "a/b~c": 1})

    faults = {fault["pointer"]: fault for fault in answer.json()["errors"]}
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid_input"
    assert set(faults) == {"/sku", "/quantity", "/a~1b~0c"}
    assert faults["/quantity"]["in"] == "body"
    assert faults["/quantity"]["type"] == "int_parsing"


async def test_a_parameter_that_does_not_fit_says_which(edged):
    """Query parameters are named as such."""
    answer = await edged(shop()).get("/search", params={"first": 51})

    assert answer.json()["errors"] == [
        {
            "in": "query",
            "pointer": "/first",
            "detail": "Input should be less than or equal to 50",
            "type": "less_than_equal",
        }
    ]


async def test_the_value_that_does_not_fit_is_not_echoed(edged):
    """A mistyped password must not be in an answer, which may be logged somewhere."""
    answer = await edged(shop()).ask("POST", "/vault", json={"pin": "hunter2"})

    assert answer.status_code == 422
    assert "hunter2" not in answer.text


async def test_a_body_that_is_no_json_is_a_problem(edged):
    """Syntax errors have the same form as any fault of input."""
    answer = await edged(shop()).ask(
        "POST", "/orders", content=b"{", headers={"content-type": "application/json"}
    )

    assert (answer.status_code, answer.json()["errors"][0]["type"]) == (422, "json_invalid")
    assert answer.json()["errors"][0]["pointer"] == ""


def test_keys_that_are_no_unicode_are_answered_like_others():
    """A lone surrogate in a key must not crash the answer about it."""
    fault = {"loc": ("body", "\ud800"), "msg": "not permitted", "type": "extra_forbidden"}

    body = problem(RequestValidationError([fault])).body

    assert body.isascii()
    assert json.loads(body)["errors"][0]["pointer"] == "/\ud800"


async def test_a_body_with_a_thousand_faults_gets_a_short_answer(edged):
    """The answer is bounded whatever was sent."""
    answer = await edged(shop()).ask("POST", "/orders", json={f"k{n}": 1 for n in range(1000)})

    assert len(answer.json()["errors"]) == 50


async def test_the_detail_and_headers_of_an_http_exception_arrive(edged):
    """Details and headers of FastAPI's HTTPException reach the client."""
    error = HTTPException(409, {"sku": "A-1"}, headers={"X-Stock": "0"})

    answer = await edged(raising(error)).get("/fail/1")

    assert answer.json()["context"] == {"sku": "A-1"}
    assert answer.headers["x-stock"] == "0"


async def test_a_status_without_body_has_none(edged):
    """Raising a 304 is a way to say 'not modified'."""
    answer = await edged(raising(HTTPException(304, headers={"ETag": '"1"'}))).get("/fail/1")

    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"')


async def test_a_401_says_how_to_authenticate(edged):
    """Each 401 has a challenge, wherever it was raised."""
    answer = await edged(raising(NotAuthenticated("Sign in."))).get("/fail/1")

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_crash_is_reported_to_the_sinks_once_and_not_to_the_client(edged):
    """The log has the exception and the route; the client gets only the request id."""
    error = ZeroDivisionError("1/0")
    gateway = edged(raising(error))

    answer = await gateway.get("/fail/1", headers={"X-Request-ID": "quote-me"})

    assert answer.status_code == 500
    assert gateway.of(Crashed) == [
        Crashed("/fail/{number}", "quote-me", error, "GET", "/fail/1", 500)
    ]
    assert [event.status for event in gateway.of(RequestAnswered)] == [500]


@pytest.mark.parametrize(
    ("error", "crashes"),
    [
        (NotFound("No."), 0),
        (CircuitOpen("open", call=CALL, retry_after=1), 0),
        (HTTPException(503), 0),
        (CompositionCycle("a, b"), 1),
        (PartFailed("product", ZeroDivisionError()), 1),
        (ExceptionGroup("two", [NotFound("No."), ValueError("x")]), 1),
    ],
)
async def test_only_an_unexpected_error_is_a_crash(edged, error, crashes):
    """A failing service is expected; a composition cycle or another exception is a crash."""
    gateway = edged(raising(error))

    await gateway.get("/fail/1")

    assert len(gateway.of(Crashed)) == crashes


@pytest.mark.parametrize("error", [NotFound("No such order."), ZeroDivisionError("1/0")])
async def test_an_error_is_the_same_from_fastapi_and_from_the_edge(edged, error):
    """A client needs one parser for all errors, wherever they are raised."""

    async def plain(scope, receive, send):
        raise error

    ids = {"X-Request-ID": "1", "traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}
    routed = await edged(raising(error), client_traces=True).get("/fail/1", headers=ids)
    at_the_edge = await edged(plain, client_traces=True).get("/", headers=ids)

    assert routed.json() == at_the_edge.json()
    assert dict(routed.headers) == dict(at_the_edge.headers)


async def test_an_error_amid_an_answer_ends_the_connection(edged):
    """After a broken answer the connection is closed; no second answer follows."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise NotFound("too late")

    gateway = edged(app)

    with pytest.raises(NotFound):
        await gateway.speak()

    assert len(gateway.sent) == 2
    assert len(gateway.of(Crashed)) == 1


async def test_an_error_behind_a_complete_answer_is_only_logged(edged):
    """A failing background task does not affect the answer that the client has."""

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"whole"})
        raise ValueError("in the background")

    gateway = edged(app)

    answer = await gateway.get("/")

    assert answer.text == "whole"
    assert len(gateway.of(Crashed)) == 1


async def test_a_client_that_hangs_up_while_sending_is_no_crash(edged):
    """A client that disconnects within its body gets no answer, and nothing is logged."""

    async def app(scope, receive, send):
        raise ClientDisconnect

    gateway = edged(app)

    await gateway.speak()

    assert gateway.sent == []
    assert gateway.of(Crashed) == []
    assert [event.status for event in gateway.of(RequestAnswered)] == [499]


async def test_without_an_edge_fastapi_answers_the_same_without_ids():
    """`install_problem_handlers` is enough for a test of one router."""
    transport = httpx.ASGITransport(raising(NotFound("No such order.")))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/fail/1")

    assert answer.json() == rendered(NotFound("No such order."))
