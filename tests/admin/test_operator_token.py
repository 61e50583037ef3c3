"""The operator token: one check for admin endpoints, metrics and the console."""

from contextlib import asynccontextmanager

import httpx
import pytest

from bff_core import Settings, gateway
from bff_core.admin.operator_token import (
    MAX_ADDRESSES,
    MAX_FAILURES,
    MAX_REPORTS,
    WINDOW_SECONDS,
    OperatorToken,
    bearer_of,
)
from bff_core.events import Events, OperatorRefused
from bff_core.testing import running

TOKEN = "the-operator-s-own-token"
PLACES = {
    "admin": "/operator/upstreams",
    "metrics": "/metrics",
    "console": "/console/api/installation",
}


class Guard:
    """A token whose clock stands still, and the events about wrong ones."""

    def __init__(self, token=TOKEN):
        self.now = 1000.0
        self.found = []
        self.token = OperatorToken(token, Events(self.found.append), lambda: self.now)

    def send(self, token="wrong", address="203.0.113.7"):
        return self.token.refusal(token.encode(), address, "console")

    def reports(self):
        return [(one.client, one.attempts) for one in self.found]


@asynccontextmanager
async def opened(*, peer="203.0.113.7"):
    """Yield a client of a gateway in production, and the events about wrong tokens."""
    found = []
    settings = Settings(
        env="production",
        console="on",
        operator_token=TOKEN,
        allowed_hosts=["shop.example"],
        log="off",
    )
    app = gateway("shop", settings=settings, sinks=[found.append])
    transport = httpx.ASGITransport(app, client=(peer, 50000))
    async with (
        running(app),
        httpx.AsyncClient(transport=transport, base_url="https://shop.example") as client,
    ):
        yield client, lambda: [one for one in found if isinstance(one, OperatorRefused)]


@pytest.mark.parametrize("place", PLACES)
async def test_wrong_tokens_are_limited_and_audited_at_each_place(place):
    """Guesses get 429 and stand in the log with their address; the right token still works."""
    wrong = {"authorization": "Bearer a-guess-of-the-token"}
    right = {"authorization": f"bearer {TOKEN}"}
    async with opened() as (client, reports):
        statuses = [
            (await client.get(PLACES[place], headers=wrong)).status_code
            for _ in range(MAX_FAILURES + 1)
        ]
        limited = await client.get(PLACES[place], headers=wrong)
        accepted = await client.get(PLACES[place], headers=right)
        found = reports()

    assert statuses == [401] * MAX_FAILURES + [429]
    assert 0 < int(limited.headers["retry-after"]) <= WINDOW_SECONDS
    assert accepted.status_code == 200
    assert [(one.place, one.client, one.attempts) for one in found] == [
        (place, "203.0.113.7", 1),
        (place, "203.0.113.7", 10),
    ]
    assert "guess" not in repr(found)


async def test_wrong_tokens_count_for_all_places_together():
    """One who guesses at the metrics is limited at the console, too."""
    wrong = {"authorization": "Bearer a-guess-of-the-token"}
    async with opened() as (client, _):
        for _ in range(MAX_FAILURES):
            await client.get("/metrics", headers=wrong)
        form = {"token": "guess"}
        refused = await client.post("/console/login", data=form)

    assert refused.status_code == 429


@pytest.mark.parametrize("place", PLACES)
async def test_a_missing_token_is_no_guess(place):
    """A scraper without a token, or a browser's first visit, is neither counted nor reported."""
    async with opened() as (client, reports):
        statuses = {(await client.get(PLACES[place])).status_code for _ in range(20)}
        found = reports()

    assert (statuses, found) == ({401}, [])


def test_an_address_may_try_again_after_the_window():
    """The wait shrinks, and then the count begins again."""
    guard = Guard()
    for _ in range(MAX_FAILURES):
        guard.send()

    guard.now += 100
    assert guard.send().wait == WINDOW_SECONDS - 100
    assert guard.send(address="203.0.113.8").wait == 0
    guard.now += WINDOW_SECONDS - 100
    assert guard.send().wait == 0


def test_a_network_of_ipv6_is_one_address():
    """Who has a /64 can't use a new address for each guess."""
    guard = Guard()
    waits = [guard.send(address=f"2001:db8::{number:x}").wait for number in range(1, 12)]

    assert [bool(one) for one in waits] == [False] * MAX_FAILURES + [True]
    assert guard.send(address="2001:db8:0:1::1").wait == 0


def test_many_guesses_are_few_lines():
    """A flood from one address is a line for each power of ten."""
    guard = Guard()
    for _ in range(1234):
        guard.send()

    assert [attempts for _, attempts in guard.reports()] == [1, 10, 100, 1000]


def test_guesses_from_many_addresses_are_bounded_in_lines_and_memory():
    """A botnet can fill neither the log nor the memory."""
    guard = Guard()
    for number in range(3 * MAX_ADDRESSES):
        guard.send(address=f"10.0.{number // 256}.{number % 256}")

    assert len(guard.reports()) == MAX_REPORTS
    assert len(guard.token._failures) == MAX_ADDRESSES
    guard.now += WINDOW_SECONDS
    guard.send(address="10.9.9.9")
    assert guard.reports()[-1] == ("10.9.9.9", 1)


@pytest.mark.parametrize("given", ["", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), f" {TOKEN}", "é"])
def test_only_the_token_itself_is_accepted(given):
    """No part of it, no other spelling."""
    assert Guard().send(given) is not None
    assert Guard().send(TOKEN) is None


@pytest.mark.parametrize("given", ["", "x"])
def test_without_a_token_none_is_accepted(given):
    """An empty token of an unset variable does not open anything."""
    assert Guard("").send(given) is not None


@pytest.mark.parametrize(
    ("field", "token"),
    [
        (b"Bearer abc", b"abc"),
        (b"bearer  abc ", b"abc"),
        (b"Basic abc", b""),
        (b"abc", b""),
        (b"Bearer", b""),
        (b"", b""),
    ],
)
def test_the_scheme_is_bearer(field, token):
    """In any case of its letters (RFC 9110), and no other scheme."""
    assert bearer_of(field) == token
