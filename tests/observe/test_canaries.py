"""Secrets and personal data that clients and services send are in no log, trace or record."""

import io
import logging
from collections.abc import Iterator
from typing import Annotated

import pytest
from fastapi import Depends

from bff_core import (
    ANYONE,
    Composition,
    Policy,
    Settings,
    Upstream,
    Views,
    compose,
    critical,
    gateway,
    optional,
)
from bff_core.observe.log import LOGGER, log_sink
from bff_core.observe.recording import record_requests
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, ScriptedTransport, reply
from tests.observe.otlp_receiver import OTLPReceiver

TOKEN = "canarytoken.abcdef0123456789"
JWT = "eyJhbGciOiJIUzI1NiJ9.Y2FuYXJ5and0.c2lnbmF0dXJl"
COOKIE = "canarycookie0123"
PASSWORD = "canary-pass-word"
MAIL = "canary.mail@customer.example"
CARD = "4111 1111 1111 1111"
SESSION_ID = "canarysession42"

CANARIES = (TOKEN, JWT, COOKIE, PASSWORD, MAIL, CARD, CARD.replace(" ", ""), SESSION_ID)
FORMS = (*CANARIES, MAIL.replace("@", "%40"), CARD.replace(" ", "%20"), CARD.replace(" ", "+"))

SENT = {
    "authorization": f"Bearer {TOKEN}",
    "cookie": f"session={COOKIE}; mail={MAIL}",
    "x-api-key": TOKEN,
    "dpop": JWT,
    "x-user-email": MAIL,
    "x-forwarded-access-token": JWT,
    "user-agent": f"app/1 ({MAIL}; {JWT})",
    "referer": f"https://shop.example/?token={TOKEN}",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "tracestate": "other=1",
    "baggage": f"mail={MAIL}",
}
QUERY = {
    "access_token": TOKEN,
    "password": PASSWORD,
    "mail": MAIL,
    "card": CARD,
    "q": f"Bearer {TOKEN}",
    "jwt": JWT,
}
BODY = {"password": PASSWORD, "mail": MAIL, "card": CARD, "session_id": SESSION_ID, "token": TOKEN}
LEAKS = f"no such user {MAIL}, card {CARD}, Bearer {TOKEN}, {JWT}"


class People(Upstream):
    """A service whose replies quote what they got."""

    policy = Policy(retry=None)

    async def person(self, mail: str) -> str:
        return await self.get("/people/{mail}", {"mail": mail}, str, query={"token": TOKEN})

    async def age(self) -> int:
        return await self.post("/age", int, json=BODY)


class Page(Composition):
    """A screen."""

    people: People

    @critical
    async def person(self) -> str:
        return await self.people.person(MAIL)

    @optional
    async def age(self) -> int:
        return await self.people.age()


views = Views(access=ANYONE)
Shown = Annotated[Page, Depends(compose(Page))]


@views.get("/people/{mail}/{card}")
async def shown(mail: str, card: str, page: Shown) -> dict[str, object]:
    """Show a screen."""
    return {"person": await page.person(), "age": await page.age()}


@views.post("/bug/{mail}")
async def bug(mail: str, body: dict[str, object]) -> None:
    """Fail with an exception that quotes."""
    raise RuntimeError(LEAKS)


@pytest.fixture(autouse=True)
def quiet_again() -> Iterator[None]:
    """Take our handler off again after each test."""
    yield
    log_sink("off")
    logging.getLogger(LOGGER).propagate = True


REPLIES = [
    reply(200, "whole"),
    reply(404, {"title": LEAKS, "detail": LEAKS, **BODY}),
    reply(500, {"error": LEAKS, **BODY}),
    reply(200, LEAKS.encode(), headers={"set-cookie": f"session={COOKIE}"}),
    reply(302, b"", headers={"location": f"https://x.example/?token={TOKEN}&mail={MAIL}"}),
]


@pytest.mark.parametrize("env", ["development", "production"])
@pytest.mark.parametrize("form", ["json", "text"])
async def test_no_output_has_what_was_sent(collector: OTLPReceiver, env: str, form: str) -> None:
    """In headers, path, query, body, replies and errors; at level debug, with every trace."""
    stream = io.StringIO()
    app = gateway(
        "shop",
        faces=[views],
        settings=Settings(
            env=env, upstreams={"people": "http://people"}, allowed_hosts=["localhost"], log=form,
            log_level="debug", max_lag=0, client_traces=True,
        ),
        log_headers=["User-Agent"],
        transport=lambda *_: ScriptedTransport({"people": Scripted(*(REPLIES * 2))}),
    )  # fmt: skip
    records = record_requests(app.events, "shop")
    log_sink(form, "debug", stream=stream)
    async with running(app) as client:
        for _ in REPLIES:
            await client.get(f"/people/{MAIL}/{CARD}", params=QUERY, headers=SENT)
        await client.post(f"/bug/{MAIL}", params=QUERY, headers=SENT, json=BODY)
        await client.get(f"/nowhere/{MAIL}/{JWT}", params=QUERY, headers=SENT)

    outputs = {
        "log": stream.getvalue(),
        "records": records.since(0, 100).decode(),
        "traces": "".join(body.decode("latin-1") for _, body in collector.bodies),
    }
    assert len(collector.spans) > len(REPLIES) * 3
    assert outputs["log"].count("request.answered") == len(REPLIES) + 2
    assert outputs["records"].count('"request_id"') >= len(REPLIES) + 2
    assert {(name, one) for name, text in outputs.items() for one in FORMS if one in text} == set()
