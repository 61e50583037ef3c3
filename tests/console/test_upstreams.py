"""The console's page of services: what each layer does now, and what operators do to them."""

import gc
import os
import re
import time
from contextlib import asynccontextmanager

import msgspec
import pytest

from bff_core.console.development import Development
from bff_core.console.logs.ring import LogRing
from bff_core.console.model import ProcessInfo
from bff_core.console.process_commands import process_commands
from bff_core.console.program_client import ProgramClient
from bff_core.console.sources import GatewaySource
from bff_core.console.upstreams.report import ACT_COMMAND
from bff_core.events import CallRejected
from bff_core.observe.metrics.samples import CallStep, Samples, Totals, WindowStep
from bff_core.observe.metrics.scrape import SAMPLES
from bff_core.observe.metrics.steps import number_of
from bff_core.testing.scripted import reply
from tests.console.conftest import CHANGE, browser
from tests.operated_shop import ONE, TWO, opened


class Page:
    """A browser at the console of a running shop."""

    def __init__(self, shop, shoppers, client, console) -> None:
        self.shop, self.shoppers, self.client, self.console = shop, shoppers, client, console

    async def get(self, path):
        found = await self.client.get(f"/console/api/{path}")
        assert found.status_code == 200, found.text
        return found.json()

    async def act(self, action, **more):
        path = "/console/api/upstreams/ratings/actions"
        return await self.client.post(path, json={"action": action, **more}, headers=CHANGE)

    async def row(self, name="ratings"):
        (row,) = [
            one
            for one in (await self.get("upstreams"))["rows"]
            if one["figures"]["upstream"] == name
        ]
        return row

    async def layers(self, name="ratings"):
        found = await self.get(f"upstreams/{name}")
        return {one["layer"]: one for one in found["layers"]}

    async def fail(self, count):
        """Let calls of ratings fail."""
        for host in (ONE, TWO):
            self.shop.services[host].then(*[reply(500)] * count)
        for _ in range(count):
            await self.shoppers.get("/product")


@pytest.fixture
def page(pages):
    """Return what opens the console of a shop."""

    @asynccontextmanager
    async def open_page(*, metrics=None, **settings):
        async with opened(**settings) as (shop, shoppers):
            commands = {**process_commands(shop.app), **(metrics or {})}
            source = GatewaySource(name="shop", commands=commands)
            console = pages.console([source])
            async with browser(pages.app(console)) as client:
                yield Page(shop, shoppers, client, console)

    return open_page


async def test_healthy_services_are_listed(page):
    """All answer, and each line has the state of its layers."""
    async with page() as shop:
        for _ in range(4):
            await shop.shoppers.get("/product")
        listed = await shop.get("upstreams")

    prices, ratings = listed["rows"]
    assert listed["headline"]["text"] == "All 2 services answer."
    assert (ratings["breaker"], ratings["failed"], ratings["window"]) == ("closed", 0, 4)
    assert (ratings["in_use"], ratings["permits"], ratings["retry_budget"]) == (0, 100, 0)
    assert [one["address"] for one in ratings["endpoints"]] == [f"{ONE}:80", f"{TWO}:80"]
    assert (prices["breaker"], prices["cache"], ratings["cache"]) == ("off", 0.75, None)


async def test_services_that_were_not_called_are_not_said_to_answer(page):
    """They have no tick, nor have the screens that need them."""
    async with page() as shop:
        listed, row = await shop.get("upstreams"), await shop.row()
        found = await shop.get("upstreams/ratings")

    # prices has no breaker, so that nothing counts its calls here.
    assert listed["headline"]["text"] == (
        "1 of 2 services answer; 1 was not called in the last 5 minutes."
    )
    assert row["figures"]["state"] == "missing"
    assert found["headline"]["text"] == "**ratings was not called** in the last 5 minutes."
    assert {(one["state"], one["complete"]) for one in found["screens"]} == {("missing", None)}


async def test_of_processes_that_are_equally_well_the_busiest_is_shown(pages):
    """One that had no lookups yet would contradict the table, which is about all."""
    async with opened() as (quiet, _), opened() as (busy, shoppers):
        sources = [
            GatewaySource(name=name, commands=process_commands(shop.app))
            for name, shop in (("a", quiet), ("b", busy))
        ]
        async with browser(pages.app(pages.console(sources))) as client:
            for _ in range(4):
                await shoppers.get("/product")
            found = (await client.get("/console/api/upstreams/prices")).json()

    now = {one["layer"]: one["now"] for one in found["layers"]}
    assert (now["cache"], found["row"]["cache"]) == ("75 % hits, 0 % stale", 0.75)
    assert (found["pid"], len(found["processes"])) == (os.getpid(), 2)


async def test_the_layers_of_a_service_have_their_policy_and_its_source(page, tmp_path):
    """In the order of the stack: what the policy says, where that is from, what is now."""
    policies = tmp_path / "policies.toml"
    policies.write_text("[ratings.retry]\nattempts = 2\n")
    async with page(policies=str(policies)) as shop:
        await shop.shoppers.get("/product")
        ratings, prices = await shop.layers(), await shop.layers("prices")

    assert list(ratings) == [
        *("deadline", "redirect", "cache", "coalesce", "hedge", "retry", "breaker", "bulkhead"),
        *("credentials", "attempt", "balance", "transport"),
    ]
    assert (ratings["retry"]["policy"], ratings["retry"]["source"]) == (
        "2 attempts, 20 % of calls + 3",
        "file",
    )
    assert (ratings["coalesce"]["is_on"], ratings["coalesce"]["source"]) == (False, "code")
    assert ratings["deadline"]["policy"] == "10 s"
    assert ratings["deadline"]["now"] == "part stars gives it 0.6 s"
    assert ratings["bulkhead"]["now"] == "0 taken, none queued"
    assert ratings["bulkhead"]["source"] == "default"
    assert prices["cache"]["policy"] == "fresh 60 s"
    assert prices["cache"]["now"] == "0 % hits, 0 % stale"
    assert prices["breaker"]["policy"] == "off"


async def test_the_page_of_a_service_has_its_timeouts_and_screens(page):
    """The part's timeout comes first; the views that call the service are named."""
    async with page() as shop:
        found = await shop.get("upstreams/ratings")

    timeouts = [(one["label"], one["seconds"]) for one in found["timeouts"]]
    assert timeouts == [("part stars", 0.6), ("an attempt", 2.5), ("the call", 10.0)]
    assert [(one["screen"], one["route"]) for one in found["screens"]] == [
        ("Product", "GET /product")
    ]
    assert found["opens_at"] == 0.5


async def test_a_service_that_fails_is_named_first(page):
    """The sentence has the share of failures, and what our policy does about them."""
    async with page() as shop:
        await shop.fail(12)
        listed, row, layers = await shop.get("upstreams"), await shop.row(), await shop.layers()

    assert listed["headline"]["state"] == "failed"
    assert listed["headline"]["text"] == (
        "**ratings fails: 100 % of its calls.** Its retry budget is spent, its circuit is still "
        "closed."
    )
    assert row["retry_budget"] == 1
    assert row["figures"]["state"] == "failed"
    assert (layers["retry"]["now"], layers["retry"]["state"]) == ("budget spent", "fallback")
    assert layers["breaker"]["state"] == "fallback"


async def test_a_service_that_is_stopped_is_named_with_where_it_starts(page):
    """That explains a spent budget and an open circuit: in the sentence, the table and its page."""
    async with page() as shop:
        await shop.fail(12)
        info = ProcessInfo(name="ratings", kind="service", port=1, state="stopped", since=0.0)
        run = Development(
            logs=LogRing(),
            client=ProgramClient(),
            processes=lambda: [info],
            start=lambda _: None,
            stop=lambda _: None,
        )
        shop.console.run = run
        listed, found = await shop.get("upstreams"), await shop.get("upstreams/ratings")
        info.state = "running"
        started = await shop.get("upstreams")
        await run.client.aclose()

    since = time.strftime("%H:%M", time.localtime(0))
    words = f"**ratings is stopped since {since}.** Calls to it fail until it is started."
    links = [
        ["Open ratings", "/console/upstreams/ratings"],
        ["Start it on Faults", "/console/faults"],
    ]
    assert (listed["headline"]["text"], listed["headline"]["links"]) == (words, links)
    assert (found["headline"]["text"], found["headline"]["links"]) == (words, links[1:])
    figures = [one["figures"] for one in listed["rows"]] + [found["row"]["figures"]]
    assert [one["is_stopped"] for one in figures] == [False, True, True]
    assert started["headline"]["text"].startswith("**ratings fails")


async def test_a_slow_service_is_named_with_the_timeout_that_it_exceeds(page):
    """The sentence compares with the shortest timeout, here that of a part."""

    async def samples(_):
        calls = {"ratings": CallStep(100, 0, buckets={8: 69, 23: 31})}
        step = WindowStep(number_of(time.time()), calls=calls)
        return msgspec.json.encode(
            Samples("shop", 1, 0.0, 0.0, Totals(), gauges={}, views={}, steps=[step])
        )

    async with page(metrics={SAMPLES: samples}) as shop:
        listed, found = await shop.get("upstreams"), await shop.get("upstreams/ratings")

    assert listed["headline"]["text"] == (
        "**ratings is slow: 31 % of its calls take longer than 0.6 s.** Its circuit is still "
        "closed."
    )
    assert listed["rows"][1]["figures"]["p95"] > 0.6
    assert sum(one["calls"] for one in found["buckets"]) == 100
    assert found["failures"][-1] == 0


async def test_an_open_circuit_is_named_with_its_reason(page):
    """It says how many calls failed, and when it is probed."""
    async with page() as shop:
        await shop.fail(20)
        found = await shop.get("upstreams/ratings")

    text = found["headline"]["text"]
    assert text.startswith("**The circuit of ratings is open: ")
    assert "calls failed.** It is probed in " in text
    close = next(one for one in found["actions"] if one["action"] == "close")
    assert (close["is_possible"], close["note"]) == (True, "Calls are sent again at once.")


async def test_a_circuit_that_an_operator_opens_says_so(page):
    """No call is sent, the page names the operator, and the console's events have the action."""
    async with page() as shop:
        done = await shop.act("open", seconds=45)
        await shop.shoppers.get("/product")
        found, row = await shop.get("upstreams/ratings"), await shop.row()
        (event,) = await shop.console.actions()

    assert done.json()["text"] == "shop: Opened the circuit for 45 s."
    assert found["headline"]["text"].startswith("**An operator opened the circuit of ratings.**")
    assert (row["breaker"], row["is_forced"]) == ("open", True)
    assert [one.reason for one in shop.shop.events(CallRejected)] == ["circuit_forced"]
    assert (event.actor, event.subject) == ("developer", "ratings")
    assert event.text == "**ratings**, shop: Opened the circuit for 45 s."


async def test_actions_that_are_possible_change_with_the_state(page):
    """Each endpoint can be ejected while the others remain, and restored after that."""
    async with page() as shop:
        before = (await shop.get("upstreams/ratings"))["actions"]
        await shop.act("eject", endpoint=f"{ONE}:80")
        ejected = await shop.get("upstreams/ratings")
        await shop.act("restore", endpoint=f"{ONE}:80")
        after = (await shop.get("upstreams/ratings"))["actions"]

    assert [(one["title"], one["is_possible"]) for one in before] == [
        ("Open the circuit", True),
        ("Close the circuit", False),
        (f"Eject {ONE}:80", True),
        (f"Eject {TWO}:80", True),
        ("Purge a tag", False),
    ]
    assert [(one["title"], one["is_possible"]) for one in ejected["actions"]][2:4] == [
        (f"Eject {TWO}:80", False),
        (f"Restore {ONE}:80", True),
    ]
    assert "1 of 2 endpoints of ratings is ejected by an operator" in ejected["headline"]["text"]
    assert after == before


async def test_a_tag_is_purged(page):
    """The entry with the tag is dropped: the next request calls the service."""
    async with page() as shop:
        await shop.shoppers.get("/product")
        done = await shop.act("purge", tag="price")
        await shop.shoppers.get("/product")
        layers = await shop.layers("prices")

    assert done.json()["text"] == "shop: Purged the tag."
    assert layers["cache"]["now"] == "0 % hits, 0 % stale"


@pytest.mark.parametrize(
    ("action", "status", "detail"),
    [
        ({"action": "open", "seconds": 0}, 422, "Give 1 to 3,600 s, not 0."),
        ({"action": "open", "seconds": 3601}, 422, "to 3,600 s, not 3601."),
        ({"action": "open", "seconds": 1e-9}, 422, "Give 1 to 3,600 s, not 1e-09."),
        ({"action": "open", "seconds": 1e300}, 422, "not 1e+300."),
        ({"action": "eject", "seconds": -1, "endpoint": ONE}, 422, "not -1."),
        ({"action": "eject"}, 422, "Name the endpoint"),
        ({"action": "restore"}, 422, "Name the endpoint"),
        ({"action": "restore", "endpoint": "x"}, 404, f"'x': there are {ONE}:80, {TWO}:80."),
        ({"action": "purge"}, 422, "Name the tag"),
        ({"action": "purge", "tag": "x" * 1025}, 422, "tag has more than 1,024 characters"),
        ({"action": "eject", "endpoint": "x" * 1025}, 422, "endpoint has more than 1,024"),
        ({"action": "stop"}, 422, "Invalid enum value 'stop'"),
        ({"action": "open", "gateway": "web"}, 404, "The console has: shop."),
    ],
)
async def test_a_wrong_action_is_explained(page, action, status, detail):
    """The problem says what to give; nothing is changed, and no event says so."""
    async with page() as shop:
        refused = await shop.act(**action)
        events = await shop.console.actions()

    assert refused.status_code == status
    assert detail in refused.json()["detail"]
    assert events == []


async def test_an_unknown_service_is_explained(page):
    """The problem names the services that there are."""
    async with page() as shop:
        found = await shop.client.get("/console/api/upstreams/rating")

    assert found.status_code == 404
    assert found.json()["detail"] == "There are: prices, ratings."


async def test_a_slow_endpoint_is_marked_while_someone_looks(page):
    """Attempts are measured from the first look on; the page compares the endpoints."""
    async with page() as shop:
        await shop.shoppers.get("/product")
        before = await shop.row()
        shop.shop.services[ONE].then(*[reply(200, 4, after=0.11)] * 20)
        for _ in range(20):
            await shop.shoppers.get("/product")
        row, found = await shop.row(), await shop.get("upstreams/ratings")

    slow, fast = row["endpoints"]
    assert [one["p95"] for one in before["endpoints"]] == [None, None]
    assert (slow["state"], fast["state"]) == ("fallback", "ok")
    assert slow["p95"] >= 0.11 > fast["p95"]
    eject = next(one for one in found["actions"] if one["endpoint"] == f"{ONE}:80")
    assert re.fullmatch(r"p95 \d{3} ms; fastest of the others: \d+ ms\.", eject["note"])


async def test_an_action_without_an_answer_is_in_the_audit_log(page):
    """It may have taken effect."""

    async def lost(_body: bytes) -> bytes:
        raise ConnectionResetError

    async with page(metrics={ACT_COMMAND: lost}) as shop:
        answer = await shop.act("open", seconds=30)
        refused = await shop.act("eject", endpoint="", seconds=30)
        (row,) = await shop.console.actions()

    assert (answer.status_code, refused.status_code) == (503, 422)
    assert (row.subject, row.actor) == ("ratings", "developer")
    assert row.text == f"**ratings**: {answer.json()['detail']}"


@pytest.mark.parametrize("path", ["upstreams", "upstreams/ratings"])
async def test_an_unknown_gateway_is_refused_before_anything_is_read(page, path, recwarn):
    """A coroutine that is never awaited would be a warning among the lines of the log."""
    async with page() as opened_page:
        found = await opened_page.client.get(f"/console/api/{path}?gateway=nope")
        gc.collect()

    assert found.status_code == 404
    assert [str(one.message) for one in recwarn if one.category is RuntimeWarning] == []
