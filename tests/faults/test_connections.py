"""Answers that stop half-way: cut in time, never on a connection that is used again."""

import asyncio

import pytest

from tests.faults.limits import CALL_TIMEOUT, PAIR_ATTEMPT
from tests.processes.client import ask

HALTING = {
    "hang mid-body": {"kind": "hang_mid_body"},
    "drip": {"kind": "drip", "size": 8, "interval": 0.05},
    "reset": {"kind": "reset", "fraction": 0.5},
    "reset at once": {"kind": "reset"},
    "truncated": {"kind": "truncated"},
    "wrong length": {"kind": "wrong_length", "delta": 10},
}

IN_TIME = {"reset", "reset at once", "truncated"}
"""These end by themselves; the others last until somebody cuts them."""


@pytest.mark.parametrize("halting", HALTING)
async def test_hang_mid_body_drip_reset_truncated_body(fault_site, halting):
    """A 502 where the fault shows, else a 504 at the deadline; what was cut is closed."""
    idle = fault_site.gateway.look()["upstreams"]["catalog"]["idle"]
    with fault_site.catalog.fault(**HALTING[halting]):
        answer = await ask(fault_site.port, "/v1/products/3")
        held = fault_site.gateway.look()["upstreams"]["catalog"]
    after = await ask(fault_site.port, "/v1/products/3")

    assert answer.status == (502 if halting in IN_TIME else 504)
    assert answer.json()["code"] == ("unavailable" if halting in IN_TIME else "timeout")
    assert answer.seconds <= CALL_TIMEOUT + 0.15
    assert (held["active"], held["waiting"]) == (0, 0)
    assert held["idle"] <= max(0, idle - 1)
    assert after.status == 200
    assert after.json()["title"]


@pytest.mark.parametrize("halting", HALTING)
async def test_one_retry_elsewhere(fault_site, halting):
    """With a second endpoint the client notices nothing but the time of the first attempt."""
    bad, good = fault_site.catalogs[:2]
    with bad.fault(**HALTING[halting]):
        paths = [f"/v1/pair/{number}" for number in range(10, 18)]
        answers = await asyncio.gather(*(ask(fault_site.port, path) for path in paths))
        calls = bad.call_count, good.call_count

    assert [answer.status for answer in answers] == [200] * 8
    assert max(answer.seconds for answer in answers) <= PAIR_ATTEMPT + 0.4
    assert calls[0] > 0
    assert calls[1] == 8


async def test_no_retry_of_what_is_not_idempotent(fault_site):
    """A write that may have happened is not sent again; its client gets a 502."""
    with fault_site.users.fault("reset", fraction=0.5):
        answer = await ask(fault_site.port, "/v1/newsletter", method="POST", headers=viewer("1"))
        attempts = fault_site.users.call_count

    assert (answer.status, answer.json()["code"]) == (502, "unavailable")
    assert attempts == 1


async def test_surplus_bytes_reach_no_client(fault_site):
    """Bytes after the end of an answer belong to no answer."""
    with fault_site.users.fault("surplus"), fault_site.catalog.fault("surplus", delay=0.02):
        first = [
            await ask(fault_site.port, "/v1/me", headers=viewer(one)) for one in ("1", "2", "3")
        ]
        pages = []
        for number in range(4, 8):
            pages.append(await ask(fault_site.port, f"/v1/products/{number}"))
            await asyncio.sleep(0.03)
        own = [fault_site.users.ask("GET", f"/users/{one}")["email"] for one in ("1", "2", "3")]
        titles = [fault_site.catalog.ask("GET", f"/products/{n}")["title"] for n in range(4, 8)]

    assert [answer.json()["text"] for answer in first] == own
    assert [page.json()["title"] for page in pages] == titles


async def test_retries_stay_within_the_budget(fault_site):
    """Of many calls to a service that fails them all, a fifth and three are repeated at most."""
    requests, attempts = 50, 0
    for fault in ("error", "reset", "truncated"):
        fault_site.catalog.forget()
        with fault_site.catalog.fault(fault):
            paths = [f"/v1/thrifty/{1 + number}" for number in range(requests)]
            statuses = await asyncio.gather(*(status_of(fault_site.port, path) for path in paths))
            attempts += fault_site.catalog.call_count

        assert set(statuses) == {502}
    assert attempts > 3 * requests
    # Idle connections that turn out to be closed are replaced within the budget, too.
    assert attempts <= 1.2 * (3 * requests) + 3


async def status_of(port: int, path: str) -> int:
    return (await ask(port, path)).status


def viewer(number: str) -> dict[str, str]:
    return {"authorization": f"Bearer demo-{number}"}
