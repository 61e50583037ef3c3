"""Admin endpoints of services: circuits are opened and closed, endpoints ejected and restored."""

import asyncio
import socket

import pytest

from bff_core.events import BreakerChanged, CallRejected, OperatorActed
from bff_core.observe.process_socket import SOCKETS_VARIABLE
from bff_core.upstream.operations import OpenCircuit
from tests.operated_shop import ONE, OPERATOR, THREE, TWO, opened


async def post(client, path, body):
    return await client.post(f"/operator/upstreams/{path}", json=body, headers=OPERATOR)


async def test_parts_get_their_fallback_while_an_operator_has_opened_a_circuit():
    """No call is sent, the reason is in events, and the screen is degraded as if it had failed."""
    async with opened() as (shop, client):
        done = await post(client, "open", {"upstream": "ratings", "seconds": 30})
        shown = await client.get("/product")

    action = "Opened the circuit for 30 s."
    assert done.json() == {
        "processes": 1,
        "changed": 1,
        "subject": "ratings",
        "action": action,
        "failed": [],
    }
    assert (shown.json()["stars"], shop.calls()) == (None, {ONE: 0, TWO: 0})
    assert "reason=circuit_open" in shown.headers["part-status"]
    assert [one.reason for one in shop.events(CallRejected)] == ["circuit_forced"]


async def test_an_action_is_in_the_audit_log_once():
    """The event has the actor, the service and what was done."""
    async with opened() as (shop, client):
        await post(client, "eject", {"upstream": "ratings", "endpoint": ONE, "seconds": 30})

    assert shop.events(OperatorActed) == [
        OperatorActed("operator", "", "ratings", f"Ejected {ONE} for 30 s.")
    ]


async def test_an_action_whose_request_ends_is_in_the_audit_log(monkeypatch, tmp_path):
    """It took effect here: another process of the gateway did not answer before the end."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "7.sock"))
        silent.listen()
        monkeypatch.setenv(SOCKETS_VARIABLE, str(tmp_path))
        async with opened() as (shop, _):
            acting = asyncio.ensure_future(
                shop.app.operations.audited(OpenCircuit("ratings", 30.0))
            )
            await asyncio.sleep(0.1)
            acting.cancel()
            await asyncio.wait([acting])

    assert shop.events(OperatorActed) == [
        OperatorActed("operator", "", "ratings", "Opened the circuit for 30 s: its end is unknown.")
    ]


async def test_a_circuit_that_an_operator_closes_sends_calls():
    """It closes at once; to close it again changes nothing."""
    async with opened() as (shop, client):
        await post(client, "open", {"upstream": "ratings"})
        first = await post(client, "close", {"upstream": "ratings"})
        again = await post(client, "close", {"upstream": "ratings"})
        shown = await client.get("/product")

    assert (first.json()["changed"], again.json()["changed"]) == (1, 0)
    assert shown.json()["stars"] == 4
    assert [one.state for one in shop.events(BreakerChanged)] == ["open", "closed"]


async def test_an_ejected_endpoint_gets_no_calls_until_it_is_restored():
    """All calls go to the other one; after it is restored, both get some."""
    async with opened() as (shop, client):
        await post(client, "eject", {"upstream": "ratings", "endpoint": f"{ONE}:80"})
        for _ in range(20):
            await client.get("/product")
        ejected = shop.calls()
        await post(client, "restore", {"upstream": "ratings", "endpoint": ONE})
        await asyncio.gather(*(client.get("/product") for _ in range(40)))

    assert ejected == {ONE: 0, TWO: 20}
    assert shop.calls()[ONE] > 0


async def test_the_state_of_services_is_listed():
    """Scripts find the names of endpoints, and that an operator opened a circuit."""
    async with opened() as (_, client):
        await post(client, "open", {"upstream": "ratings", "seconds": 60})
        await post(client, "eject", {"upstream": "ratings", "endpoint": TWO})
        listed = (await client.get("/operator/upstreams", headers=OPERATOR)).json()

    ratings, prices = sorted(listed["upstreams"], key=lambda one: one["upstream"] != "ratings")
    assert (ratings["breaker"]["state"], ratings["breaker"]["is_forced"]) == ("open", True)
    assert 59 < ratings["breaker"]["retry_after"] <= 60
    assert [one["is_forced"] for one in ratings["endpoints"]] == [False, True]
    assert prices["breaker"] is None


@pytest.mark.parametrize(
    ("path", "body", "status", "complaint"),
    [
        ("open", {"upstream": "rating"}, 404, "No service is called 'rating': there are prices, r"),
        ("open", {"upstream": "prices"}, 422, "prices has no circuit breaker"),
        ("open", {"upstream": "ratings", "seconds": 1e-9}, 422, "`float` >= 1.0"),
        ("open", {"upstream": "ratings", "seconds": 3601}, 422, "`float` <= 3600.0"),
        ("open", {"upstream": "ratings", "second": 5}, 422, "unknown field `second`"),
        ("close", {}, 422, "missing required field `upstream`"),
        ("eject", {"upstream": "ratings"}, 422, "missing required field `endpoint`"),
        ("eject", {"upstream": "ratings", "endpoint": "10.0.9.6"}, 404, f"there are {ONE}:80, "),
        ("eject", {"upstream": "prices", "endpoint": THREE}, 422, "has too few other endpoints"),
        ("restore", {"upstream": "ratings", "endpoint": "x"}, 404, "has no single endpoint 'x'"),
    ],
)
async def test_a_wrong_action_is_explained(path, body, status, complaint):
    """The problem names what is wrong and what there is; nothing is changed or reported."""
    async with opened() as (shop, client):
        refused = await post(client, path, body)

    assert refused.status_code == status
    assert complaint in refused.json()["detail"]
    assert shop.events(OperatorActed) == []


async def test_only_operators_act():
    """Without the token the circuit stays closed."""
    async with opened() as (shop, client):
        refused = await client.post("/operator/upstreams/open", json={"upstream": "ratings"})

    assert refused.status_code == 401
    assert shop.events(BreakerChanged) == []


async def test_a_purge_is_in_the_audit_log():
    """The entries with the tag are dropped, and the event has the tag."""
    async with opened() as (shop, client):
        await client.get("/product")
        done = await client.post("/operator/purge", json={"tags": ["price"]}, headers=OPERATOR)

    assert done.json() == {"purged": ["price"], "dropped": 1}
    assert shop.events(OperatorActed) == [OperatorActed("operator", "", "price", "Purged the tag.")]
