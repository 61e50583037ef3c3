"""Headers of a client that the gateway logs, and that it sends on to services."""

import io
import json
import logging

import pytest

from bff_core import (
    ANYONE,
    Cache,
    Composition,
    ConfigurationError,
    Policy,
    Settings,
    Upstream,
    Views,
    critical,
    gateway,
)
from bff_core.events import Events, RequestAnswered
from bff_core.observe.log import LogSink
from bff_core.observe.log_handler import own_handler
from bff_core.testing import client, reply

VERSION = {"x-app-version": "5.2.0"}


class Catalog(Upstream):
    """A service whose replies may be cached."""

    policy = Policy(public=True, cache=Cache(ttl=60))

    async def title(self) -> str:
        return await self.get("/title", str)


class Orders(Upstream):
    """A service with a version of its own, which is the gateway's."""

    headers = {"X-App-Version": "gateway-1"}  # noqa: RUF012 - as users write it

    async def count(self) -> int:
        return await self.get("/count", int)


class Page(Composition):
    """A screen of both services."""

    catalog: Catalog
    orders: Orders

    @critical
    async def title(self) -> str:
        """Name the shop."""
        return await self.catalog.title()

    @critical
    async def count(self) -> int:
        """Count the orders."""
        return await self.orders.count()


views = Views(prefix="/v1", access=ANYONE)


@views.get("/title", public=True)
async def get_title(page: Page) -> str:
    """Return the title."""
    return await page.title()


@views.get("/count")
async def get_count(page: Page) -> int:
    """Return the count."""
    return await page.count()


received = []


def make_app():
    """Return the gateway; it names the header in other letters than clients."""
    received.clear()
    return gateway(
        "ios",
        faces=[views],
        events=Events(received.append),
        log_headers=["X-App-Version", "X-App-Build"],
        propagate_headers=["X-App-Version"],
    )


def answered():
    """Return the events of requests."""
    return [event for event in received if isinstance(event, RequestAnswered)]


def opened(**scripts):
    """Return a client of the gateway."""
    return client(make_app, **{"catalog": reply(200, "Shop"), "orders": reply(200, 3), **scripts})


@pytest.mark.virtual_time
async def test_a_service_gets_the_header_of_the_client() -> None:
    """Each service learns the version of the app, and answers vary by it."""
    async with opened() as c:
        answer = await c.get("/v1/title", headers=VERSION)

    assert c.calls["catalog"][0].headers["x-app-version"] == "5.2.0"
    assert "x-app-version" in answer.headers["vary"].lower()


@pytest.mark.virtual_time
async def test_a_service_gets_no_other_header() -> None:
    """Only listed headers reach services, and none where the client sends none."""
    async with opened() as c:
        await c.get("/v1/title", headers={"x-app-build": "77", "x-other": "1"})

    sent = c.calls["catalog"][0].headers
    assert not {"x-app-version", "x-app-build", "x-other"} & set(sent)


@pytest.mark.virtual_time
async def test_a_header_of_the_service_class_wins() -> None:
    """A header that the code sets is not replaced by what a client sends."""
    async with opened() as c:
        await c.get("/v1/count", headers=VERSION)

    assert c.calls["orders"][0].headers["x-app-version"] == "gateway-1"


@pytest.mark.virtual_time
async def test_a_value_that_can_not_be_sent_is_left_out() -> None:
    """A control character from a client breaks no call."""
    async with opened() as c:
        answer = await c.get("/v1/title", headers=[(b"x-app-version", b"5\x012")])

    assert answer.status_code == 200
    assert "x-app-version" not in c.calls["catalog"][0].headers


@pytest.mark.virtual_time
async def test_versions_do_not_share_answers_that_vary_by_them() -> None:
    """A cached answer of one app version is not given to another."""
    titles = [
        reply(200, "Old", headers={"vary": "x-app-version"}),
        reply(200, "New", headers={"vary": "x-app-version"}),
    ]
    async with opened(catalog=titles) as c:
        versions = ["1", "2", "1", "2"]
        answers = [await c.get("/v1/title", headers={"x-app-version": one}) for one in versions]

    assert [answer.json() for answer in answers] == ["Old", "New", "Old", "New"]
    assert c.calls.counts["catalog"] == 2


@pytest.mark.virtual_time
async def test_the_event_of_a_request_has_the_headers() -> None:
    """Sinks get the listed headers that a request has, refused requests included."""
    async with opened() as c:
        await c.get("/v1/title", headers={**VERSION, "x-app-build": "77", "x-other": "1"})
        await c.get("/nowhere", headers={"x-app-version": "5" * 300})
        await c.get("/v1/title")

    assert [event.headers for event in answered()] == [
        {"x-app-version": "5.2.0", "x-app-build": "77"},
        {"x-app-version": "5" * 200},
        None,
    ]


def line_of(form: str) -> str:
    """Return the line of a request with two headers."""
    stream = io.StringIO()
    logger = logging.getLogger(f"tests.client_headers.{form}")
    logger.propagate, logger.level = False, logging.INFO
    logger.handlers = [own_handler(form, stream)]
    sent = {"x-app-version": "5.2 \x1b[31m", "x-note": "Bearer abc.def"}
    LogSink(logger)(
        RequestAnswered(
            method="GET",
            route="/v1/title",
            status=200,
            duration=0.01,
            request_id="r",
            trace_id="t",
            headers=sent,
        )
    )
    return stream.getvalue()


def test_the_json_line_has_the_headers() -> None:
    """A log pipeline finds the version of the app; credentials are masked."""
    found = json.loads(line_of("json"))["headers"]

    assert found == {"x-app-version": "5.2 \x1b[31m", "x-note": "Bearer ***"}


def test_the_text_line_has_the_headers() -> None:
    """A reader finds the version of the app, without escape sequences of the client."""
    line = line_of("text")

    assert "x-app-version: 5.2" in line
    assert "Bearer ***" in line
    assert "\x1b" not in line


SECRETS = [
    *("Authorization", "Cookie", "Proxy-Authorization", "X-API-Key", "DPoP", "X-Session-Id"),
    *("X-Auth", "X-Refresh-Token", "X-Client-Secret", "Client-Cert", "X-Password", "X-Signature"),
]
OF_THE_CALL = [
    *("Accept", "Cache-Control", "Connection", "Content-Length", "Content-Type", "Expect"),
    *("Host", "Idempotency-Key", "If-Match", "If-None-Match", "Range", "Request-Timeout"),
    *("TE", "traceparent", "Transfer-Encoding", "Upgrade", "X-Request-ID"),
]


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("argument", ["log_headers", "propagate_headers"])
def test_credentials_are_neither_logged_nor_propagated(argument, name) -> None:
    """A gateway does not start with a header of credentials in a list."""
    with pytest.raises(ConfigurationError, match=f"{argument}=.*{name}.*credential"):
        gateway("ios", **{argument: [name]})


@pytest.mark.parametrize("name", OF_THE_CALL)
def test_headers_of_one_message_are_not_propagated(name) -> None:
    """A gateway does not start with a header that each call has of its own."""
    with pytest.raises(ConfigurationError, match=f"{name}.*each call"):
        gateway("ios", propagate_headers=[name])


TRUSTED = [
    *("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "True-Client-IP"),
    *("X-Original-URL", "X-Rewrite-URL", "X-Host", "X-Original-Host"),
    *("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"),
]


@pytest.mark.parametrize("name", TRUSTED)
def test_headers_that_services_trust_are_not_propagated(name) -> None:
    """No client can choose address, host, method or path for a service."""
    with pytest.raises(ConfigurationError, match=f"{name}.*believe that a proxy set it"):
        gateway("ios", propagate_headers=[name])


@pytest.mark.parametrize("given", ["X-App-Version", [7], ["X App"], [""], [b"x-app"]])
@pytest.mark.parametrize("argument", ["log_headers", "propagate_headers"])
def test_other_values_than_names_are_refused(argument, given) -> None:
    """The error shows how to write the list."""
    with pytest.raises(ConfigurationError, match=rf'{argument}=\["X-App-Version"\]'):
        gateway("ios", **{argument: given})


@pytest.mark.parametrize("name", ["Accept-Language", "User-Agent", "X-App-Version", "X-Author"])
def test_other_headers_may_be_propagated(name) -> None:
    """Headers that describe the client are fine."""
    made = gateway(
        "ios",
        settings=Settings(env="development"),
        propagate_headers=[name],
        log_headers=[name],
    )

    assert made.config.log_headers == [name.lower()]
