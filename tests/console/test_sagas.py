"""The console's page of sagas: what is stuck, why, and resuming it."""

import time
from contextlib import asynccontextmanager
from typing import Annotated

import pytest
from fastapi import Depends
from pydantic import SecretStr

from bff_core import (
    ANYONE,
    Policy,
    Saga,
    SagaPolicy,
    Settings,
    Upstream,
    Views,
    compose,
    gateway,
    step,
)
from bff_core.console.process_commands import process_commands
from bff_core.console.sources import GatewaySource
from bff_core.events import Events, OperatorActed, SagaEnded
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply
from tests.console.conftest import CHANGE, browser
from tests.operated_shop import OPERATOR, TOKEN
from tests.processes.waiting import until

HOST = "10.0.0.1"


class Stock(Upstream):
    """Holds goods."""

    policy = Policy(retry=None)

    async def hold(self) -> str:
        return await self.post("/holds", str, json={})

    async def release(self) -> str:
        return await self.post("/releases", str, json={})


class Bank(Upstream):
    """Takes money."""

    async def charge(self, card: str) -> str:
        return await self.post("/charges", str, json={"card": card})


class Buying(Saga):
    """Holds goods, and charges for them."""

    policy = SagaPolicy(tries=1, backoff=0.001, pause=3000, longest_pause=3000)

    stock: Stock
    bank: Bank
    card: str

    @step
    async def hold(self) -> str:
        return await self.stock.hold()

    @hold.compensation
    async def release(self, held: str) -> None:
        await self.stock.release()

    @step(needs_compensation=False)
    async def charge(self) -> str:
        await self.hold()
        return await self.bank.charge(self.card)


views = Views(access=ANYONE)


@views.post("/buy/{card}")
async def buy(buying: Annotated[Buying, Depends(compose(Buying))]) -> str:
    await buying.run()
    return "bought"


class Till:
    """A gateway whose saga got stuck, and browsers at its console."""

    def __init__(self, app, client, console, stock, heard) -> None:
        self.app, self.client, self.console = app, client, console
        self.stock, self.heard = stock, heard

    async def page(self):
        found = await self.console.get("/console/api/sessions")
        assert found.status_code == 200, found.text
        return found

    async def row(self):
        (row,) = (await self.page()).json()["sagas"]
        return row

    async def until_settled(self):
        """Wait until the saga has ended."""
        await until(lambda: any(isinstance(one, SagaEnded) for one in self.heard))


@asynccontextmanager
async def opened(pages, journal):
    """Yield a till whose compensation failed: the goods could not be released."""
    heard = []
    stock = Scripted(reply(200, "held"), reply(503), reply(200, "released"))
    bank = Scripted(reply(422, {"title": "No money"}))
    scripts = {"stock": stock, "bank": bank}
    app = gateway(
        "till",
        sagas=[Buying],
        faces=[views],
        settings=Settings(
            env="development",
            upstreams=dict.fromkeys(scripts, (f"http://{HOST}",)),
            journal_url=f"sqlite:///{journal}",
            operator_token=SecretStr(TOKEN),
        ),
        events=Events(heard.append),
        transport=lambda _, runtime: ScriptedTransport({HOST: scripts[runtime.upstream]}),
    )
    async with running(app) as client:
        failed = await client.post("/buy/card-canary")
        assert failed.status_code == 422, failed.text
        source = GatewaySource(name="till", commands=process_commands(app))
        async with browser(pages.app(pages.console([source]))) as console:
            yield Till(app, client, console, stock, heard)


async def test_a_stuck_saga_is_shown_with_its_steps(pages, tmp_path):
    """The step that failed, why, and when it is tried again; nothing of the customer."""
    async with opened(pages, tmp_path / "journal.sqlite3") as till:
        found, row = await till.page(), await till.row()

    assert (row["saga"], row["gateway"], row["state"]) == ("Buying", "till", "stuck")
    assert row["reason"] == "hold: Upstream failed (bad_status)"
    assert [(one["step"], one["state"]) for one in row["steps"]] == [
        ("hold", "not-undone"),
        ("charge", "failed"),
    ]
    assert row["next_try"] == pytest.approx(time.time() + 3000, abs=60)
    assert row["can_resume"]
    assert found.json()["headline"]["text"].startswith("**1 saga is stuck.** Buying on till: hold:")
    assert "card-canary" not in found.text


async def test_a_stuck_saga_is_resumed_by_the_console(pages, tmp_path):
    """It runs at once, instead of in fifty minutes, and ends; the action has an actor."""
    async with opened(pages, tmp_path / "journal.sqlite3") as till:
        row = await till.row()
        path = f"/console/api/sagas/till/{row['id']}/resume"
        done = await till.console.post(path, json={}, headers=CHANGE)
        await till.until_settled()
        again = await till.console.post(path, json={}, headers=CHANGE)

    assert done.json()["text"] == "till: Resumed the saga."
    assert [call.target for call in till.stock.calls] == ["/holds", "/releases", "/releases"]
    assert again.status_code == 404
    assert again.json()["detail"] == f"till: No saga {row['id']} of this gateway is open."


async def test_a_stuck_saga_is_resumed_by_an_admin_endpoint(pages, tmp_path):
    """Scripts list sagas and resume one; the audit log has it."""
    async with opened(pages, tmp_path / "journal.sqlite3") as till:
        listed = (await till.client.get("/operator/sagas", headers=OPERATOR)).json()["sagas"]
        body = {"id": listed[0]["id"]}
        resumed = await till.client.post("/operator/sagas/resume", json=body, headers=OPERATOR)
        await till.until_settled()

    assert listed[0]["steps"][0] == {"step": "hold", "state": "not-undone"}
    assert (listed[0]["is_running"], listed[0]["next_try_in"] > 2900) == (False, True)
    assert resumed.json()["action"] == "Resumed the saga."
    acted = [one for one in till.heard if isinstance(one, OperatorActed)]
    assert acted == [OperatorActed("operator", "", body["id"], "Resumed the saga.")]


async def test_a_saga_of_a_gateway_that_there_is_not_is_explained(pages, tmp_path):
    """The problem names the gateways."""
    async with opened(pages, tmp_path / "journal.sqlite3") as till:
        path = "/console/api/sagas/shop/x/resume"
        refused = await till.console.post(path, json={}, headers=CHANGE)

    assert (refused.status_code, refused.json()["detail"]) == (404, "The console has: till.")
