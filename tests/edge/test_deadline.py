"""Deadlines: every request ends in time, and its own deadline ends it with a 504."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff_core.errors import RequestTimedOut
from bff_core.events import Crashed, RequestAnswered
from bff_core.http_exchange.request_context import declare_stream


def sleeping(seconds, *, before=None):
    """Make an application that answers late."""

    async def app(scope, receive, send):
        if before is not None:
            before(scope)
        await asyncio.sleep(seconds)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"late"})

    return app


def streaming(pieces, pause, *, is_declared):
    """Make an application that starts its answer at once and takes long to end it."""

    async def app(scope, receive, send):
        if is_declared:
            declare_stream(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(pieces):
            await asyncio.sleep(pause)
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


@pytest.mark.virtual_time
async def test_a_request_that_takes_too_long_is_a_504(edged):
    """At the deadline and a grace of 50 ms the client has its answer."""
    loop = asyncio.get_running_loop()
    gateway = edged(sleeping(3600))
    began = loop.time()

    answer = await gateway.get("/")

    assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
    assert loop.time() - began == pytest.approx(10.05)
    assert gateway.of(Crashed) == []


@pytest.mark.virtual_time
async def test_what_is_ready_at_the_deadline_is_still_sent(edged):
    """After parts have timed out, the degraded answer still arrives."""
    gateway = edged(sleeping(10.0))

    answer = await gateway.get("/")

    assert (answer.status_code, answer.text) == (200, "late")


@pytest.mark.virtual_time
async def test_a_client_may_shorten_its_timeout(edged):
    """A Request-Timeout of 0.5 s ends the request then, and faces get that deadline."""
    loop = asyncio.get_running_loop()
    scopes = []
    gateway = edged(sleeping(5, before=lambda scope: scopes.append(scope["bff.scope"].deadline)))
    began = loop.time()

    answer = await gateway.get("/", headers={"Request-Timeout": "0.5"})

    assert answer.status_code == 504
    assert scopes == [pytest.approx(began + 0.5)]
    assert loop.time() - began == pytest.approx(0.55)


@pytest.mark.virtual_time
async def test_a_client_can_not_extend_its_timeout(edged):
    """A Request-Timeout of an hour is reduced to the gateway's timeout."""
    loop = asyncio.get_running_loop()
    gateway = edged(sleeping(3600), timeout=2.0)
    began = loop.time()

    answer = await gateway.get("/", headers={"Request-Timeout": "3600"})

    assert answer.status_code == 504
    assert loop.time() - began == pytest.approx(2.05)


@pytest.mark.parametrize("wish", ["soon", "-1", "1e9", "inf", "nan", "1.", ".5", "", "1,5", "٣"])
async def test_a_malformed_timeout_is_a_400(edged, answering, wish):
    """A client with a malformed timeout learns of it at once, not after ten seconds."""
    gateway = edged(answering())

    answer = await gateway.get("/", headers={"Request-Timeout": wish.encode()})

    assert answer.status_code == 400
    assert "Request-Timeout" in answer.json()["detail"]


@given(wish=st.binary(max_size=24).filter(lambda wish: b"\n" not in wish))
async def test_no_client_gets_more_than_the_timeout(edged, answering, wish):
    """Every Request-Timeout is a 400 or a deadline within the timeout, never a crash."""
    scopes = []
    gateway = edged(answering(204, scopes=scopes), clock=lambda: 100.0)

    await gateway.speak([(b"host", b"testserver"), (b"request-timeout", wish)])

    assert gateway.status in {204, 400, 504}
    assert all(100.0 < scope.deadline <= 110.0 for scope in scopes)
    assert len(scopes) == (gateway.status == 204)


@pytest.mark.virtual_time
async def test_a_caller_without_any_time_left_is_answered_at_once(edged, answering):
    """A Request-Timeout of 0, from a caller whose own time is over, starts no work."""
    scopes = []
    gateway = edged(answering(scopes=scopes))

    answer = await gateway.get("/", headers={"Request-Timeout": "0.000"})

    assert (answer.status_code, scopes) == (504, [])


@pytest.mark.virtual_time
async def test_a_stream_may_outlast_the_deadline_once_it_started(edged):
    """A route that declares a stream can send events for an hour."""
    gateway = edged(streaming(60, 60.0, is_declared=True))

    answer = await gateway.get("/")

    assert answer.text == "x" * 60


@pytest.mark.virtual_time
async def test_a_stream_that_never_starts_is_cut(edged):
    """The deadline still bounds the time until a declared stream starts."""
    gateway = edged(sleeping(3600, before=declare_stream))

    answer = await gateway.get("/")

    assert answer.status_code == 504


@pytest.mark.virtual_time
async def test_an_answer_cut_in_the_middle_ends_the_connection(edged):
    """The server gets an error and disconnects, so that no client uses a fragment."""
    gateway = edged(streaming(60, 60.0, is_declared=False))

    with pytest.raises(RequestTimedOut):
        await gateway.speak()

    assert [message["type"] for message in gateway.sent] == ["http.response.start"]
    assert [type(event.error) for event in gateway.of(Crashed)] == [RequestTimedOut]


@pytest.mark.virtual_time
async def test_a_client_that_leaves_is_no_timeout(edged):
    """A cancellation by the server stays a cancellation, before and after the deadline."""
    gateway = edged(sleeping(5))
    request = asyncio.create_task(gateway.speak())
    await asyncio.sleep(1)

    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request

    assert gateway.sent == []
    assert [event.status for event in gateway.of(RequestAnswered)] == [499]


@pytest.mark.virtual_time
async def test_a_client_that_leaves_at_the_deadline_is_still_cancelled(edged):
    """Of two cancellations at the same time, only that of the deadline is undone."""

    async def app(scope, receive, send):
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0)

    gateway = edged(app)
    request = asyncio.create_task(gateway.speak())
    loop = asyncio.get_running_loop()
    loop.call_later(10.05, request.cancel)

    with pytest.raises(asyncio.CancelledError):
        await request


@pytest.mark.virtual_time
async def test_the_deadline_leaves_the_servers_task_unchanged(edged):
    """A server can reuse the task for the next request."""
    gateway = edged(sleeping(3600))

    await gateway.speak()

    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@pytest.mark.virtual_time
async def test_an_app_that_catches_the_cancellation_can_still_answer(edged):
    """An application that catches the cancellation and answers is not cancelled again."""

    async def app(scope, receive, send):
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"in spite"})

    gateway = edged(app)

    answer = await gateway.get("/")
    task = asyncio.current_task()

    assert answer.text == "in spite"
    assert task is not None
    assert task.cancelling() == 0


def test_one_edge_serves_on_one_loop_after_another(edged, answering):
    """A gateway can run on one event loop after another, with its deadline."""
    gateway = edged(answering())

    asyncio.run(gateway.speak())
    asyncio.run(gateway.speak())

    assert [message.get("status") for message in gateway.sent[::2]] == [200, 200]
