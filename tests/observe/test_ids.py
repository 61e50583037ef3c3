"""Every log line of a request has its ids, whatever code logs it."""

import asyncio
import logging
import threading

import pytest

from bff_core import Breaker, Composition, Policy, Retry, Upstream, Views, critical, gateway
from bff_core.background import Background
from bff_core.events import BreakerChanged, Crashed, Events, LoadShed
from bff_core.observe import LogSink, RequestIds
from bff_core.scope import Scope, current_request
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, fail
from tests.observe.failing_gateway import failing_gateway, logged, own_log, settings
from tests.shop_with_view_cache import by_script

REQUEST = Scope(0.0, request_id="r-1", traceparent=f"00-{'a' * 32}-{'b' * 16}-01")


class Shop(Upstream):
    """A service that fails, with a breaker that opens at once."""

    policy = Policy(
        retry=Retry(attempts=2, backoff=0.001),
        breaker=Breaker(minimum_calls=1, failure_ratio=0.1),
    )

    async def item(self) -> dict[str, int]:
        """Read something."""
        return await self.get("/item", dict[str, int])


def shop(events, *steps):
    """Return a gateway over a service that answers by a script."""
    views, held = Views(), {}

    @views.get("/item")
    async def item() -> dict[str, int]:
        return await held["app"].services[Shop].item()

    held["app"] = gateway(
        "shop",
        services=[Shop],
        faces=[views],
        settings=settings(upstreams={"shop": "http://127.0.0.1:1"}),
        events=events,
        transport=by_script({"shop": Scripted(*steps)}),
    )
    return held["app"]


async def test_the_events_of_a_call_have_the_ids_of_its_request():
    """Attempts, retries, an open circuit and rejected calls, down to debug."""
    with logged(logging.DEBUG) as (log, events):
        async with running(shop(events, fail(), fail(), fail(), fail())) as client:
            answer = await client.get("/item")

    found = {line["event"] for line in log.lines}
    assert {
        "attempt.ended",
        "retry.scheduled",
        "breaker.changed",
        "call.rejected",
        "request.answered",
    } <= found
    assert {line.get("request_id") for line in log.lines} == {answer.headers["x-request-id"]}
    assert len({line.get("trace_id") for line in log.lines}) == 1


async def test_ids_do_not_outlive_their_request():
    """Events between two requests have no ids."""
    with logged() as (log, events):
        async with running(failing_gateway(events=events)) as client:
            await client.get("/v1/view")
            own_log.warning("between two requests")

    (line,) = log.of("between two requests")
    assert "request_id" not in line


async def test_concurrent_requests_have_their_own_ids():
    """Twenty of them, each with the line of its view."""
    with logged() as (log, events):
        async with running(failing_gateway(events=events)) as client:
            names = [f"request-{number}" for number in range(20)]
            await asyncio.gather(
                *(client.get("/v1/optional", headers={"x-request-id": name}) for name in names)
            )

    assert sorted(one["request_id"] for one in log.of("a line of the view")) == sorted(names)
    assert sorted(one["request_id"] for one in log.of("request.answered")) == sorted(names)


async def test_work_in_the_background_has_the_ids_of_the_request_that_started_it():
    """A refresh of the cache, for one; it gets nothing else of the request."""
    with logged() as (log, events):
        background = Background(asyncio.get_running_loop(), events)
        token = current_request.set(REQUEST)

        async def work() -> None:
            own_log.warning("in the background")
            raise ValueError("boom")

        task = background.spawn(work())
        current_request.reset(token)
        await asyncio.wait([task])
        await asyncio.sleep(0)

    assert [line["request_id"] for line in log.lines] == ["r-1", "r-1"]
    assert log.of("exception.unhandled")[0]["trace_id"] == "a" * 32


def test_a_filter_gives_records_ids_for_any_formatter():
    """Records that have ids are unchanged."""
    record, mine = (logging.makeLogRecord({"msg": "x"}) for _ in range(2))
    mine.request_id, mine.trace_id = "mine", "too"
    token = current_request.set(REQUEST)

    assert all(RequestIds().filter(one) for one in (record, mine))
    current_request.reset(token)
    outside = logging.makeLogRecord({"msg": "x"})
    RequestIds().filter(outside)

    assert (record.request_id, record.trace_id) == ("r-1", "a" * 32)
    assert (mine.request_id, mine.trace_id) == ("mine", "too")
    assert (outside.request_id, outside.trace_id) == ("", "")


def test_a_thread_has_no_request_ids():
    """A request started it, but it may run for hours."""
    with logged() as (log, events):
        token = current_request.set(REQUEST)
        thread = threading.Thread(target=events.emit, args=[LoadShed({}, 0, 1.0, 1, 1.0, 0.0)])
        thread.start()
        thread.join()
        current_request.reset(token)

    assert "request_id" not in log.of("load.shed")[0]


def test_ids_of_an_event_are_not_replaced():
    """Such as those of the server's refusal of another request."""
    with logged() as (log, events):
        token = current_request.set(REQUEST)
        events.emit(Crashed("x", "r-2", ValueError("boom")))
        events.emit(BreakerChanged("shop", "GET /item", "open", 1.0))
        current_request.reset(token)

    assert [line["request_id"] for line in log.lines] == ["r-2", "r-1"]


class Screen(Composition):
    """A screen with a bug in a part that no code awaits."""

    @critical
    async def lost(self) -> int:
        """Fail, unheard."""
        raise ValueError("boom that no code awaits")


@pytest.mark.parametrize("is_awaited", [True, False])
async def test_a_bug_in_a_part_that_no_code_awaits_is_logged(is_awaited):
    """When the screen is closed; an awaited one is logged where it is raised."""
    with logged() as (log, events):
        async with Screen() as screen:
            screen.part_registry.run.events = events
            part = screen.lost()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if is_awaited:
                with pytest.raises(Exception, match="boom"):
                    await part

    assert [line["where"] for line in log.of("exception.unhandled")] == (
        [] if is_awaited else ["Screen.lost"]
    )
    assert len(log.errors) == (not is_awaited)


def test_a_sink_for_ones_own_logger_needs_no_set_up():
    """`LogSink(logger)` writes to that logger's handlers."""
    records = []
    logger = logging.getLogger("tests.own")
    handler = logging.Handler()
    handler.emit = records.append
    logger.addHandler(handler)
    Events(LogSink(logger)).emit(BreakerChanged("shop", "GET /item", "open", 1.0))
    logger.removeHandler(handler)

    assert records[0].getMessage() == (
        'breaker.changed upstream=shop operation="GET /item" state=open retry_after=1'
    )
    assert records[0].event["state"] == "open"
