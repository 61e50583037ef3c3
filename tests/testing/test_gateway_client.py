"""The kit's client: scripted services by name, viewers, recorded calls, errors that help."""

import asyncio
from time import perf_counter

import httpx
import pytest
from fastapi.responses import StreamingResponse

from bff_core import (
    ANYONE,
    ApiKey,
    Basic,
    Call,
    ClientCredentials,
    ConfigurationError,
    Policy,
    Reply,
    Signature,
    Upstream,
    Viewer,
    Views,
    gateway,
)
from bff_core.testing import (
    UnscriptedCall,
    client,
    empty,
    fail,
    garbage,
    hang,
    reply,
    slow,
)
from bff_core.testing.scripts import TICK_OF_REAL_TIME_SECONDS
from tests.testing.kit_shop import (
    HAPPY,
    QUERY,
    SUMMARY,
    TENT,
    Product,
    ProductPage,
    Summary,
    make_app,
    make_open_app,
)

pytestmark = pytest.mark.virtual_time

PAGE = "/v1/products/8"


async def test_a_service_answers_by_its_script(monkeypatch):
    """Neither the environment nor a socket is needed, whatever the shell has set."""
    monkeypatch.setenv("BFF_ENV", "production")

    async with client(make_app, catalog=[reply(200, TENT)], reviews=[hang()]) as c:
        answer = await c.get(PAGE)

    assert answer.json() == {"title": "Tent", "stars": None}
    assert answer.headers["part-status"] == "product=ok, rating=missing;reason=timeout"
    assert answer.elapsed.total_seconds() == pytest.approx(0.4)


@pytest.mark.parametrize(
    "script",
    [
        reply(200, SUMMARY),
        [reply(200, Summary(3, 4.5))],
        {"GET /summaries/{id}": reply(200, SUMMARY)},
        {"/summaries/{id}": [reply(200, SUMMARY)]},
        {"/summaries/8": reply(200, SUMMARY), "/summaries/{id}": fail()},
        {"GET /summaries/8": reply(200, SUMMARY), "/summaries/8": fail()},
        lambda call: reply(200, SUMMARY),
        lambda call: Reply(200, (), b'{"count": 3, "average": 4.5}'),
        slow(0.3, reply(200, SUMMARY)),
    ],
    ids=lambda script: type(script).__name__,
)
async def test_a_script_has_many_forms(script):
    """A reply, several in order, one for each route, or a function; the closest route wins."""
    async with client(make_app, catalog=reply(200, Product(**TENT)), reviews=script) as c:
        answer = await c.get(PAGE)

    assert answer.json() == {"title": "Tent", "stars": 4.5}


async def test_an_asynchronous_function_may_script_a_service():
    """It gets each call, with what the gateway sends."""

    async def of(call: Call) -> Reply:
        assert call.operation == "GET /products/{id}"
        return Reply(200, (), b'{"id": "8", "title": "%b"}' % call.target.encode())

    async with client(make_app, catalog=of, reviews=fail()) as c:
        answer = await c.get(PAGE)

    assert answer.json()["title"] == "/products/8"


@pytest.mark.parametrize(
    ("step", "reason"),
    [(fail(), "unavailable"), (garbage(), "bad_payload"), (empty(), "bad_payload")],
)
async def test_services_fail_in_many_ways(step, reason):
    """Connections break, and bodies are no JSON."""
    async with client(make_app, catalog=reply(200, TENT), reviews=step) as c:
        answer = await c.get(PAGE)

    assert answer.headers["part-status"] == f"product=ok, rating=missing;reason={reason}"


async def test_a_service_without_script_fails_the_test():
    """The error names the call, and how to script it; a fallback does not hide it."""
    async with client(make_app, catalog=reply(200, TENT)) as c:
        with pytest.raises(UnscriptedCall) as caught:
            await c.get(PAGE)

    assert str(caught.value) == (
        "reviews was called, GET /summaries/8 (GET /summaries/{id}), and it has no script: script "
        'the call, as in client(app, reviews={"GET /summaries/{id}": reply(200, ...)})'
    )


async def test_a_route_without_script_fails_the_test():
    """The error lists the routes that the script has."""
    script = {"PUT /products/{id}": reply(200, TENT)}

    async with client(make_app, catalog=script, reviews=fail()) as c:
        with pytest.raises(UnscriptedCall, match=r"and its script has PUT /products/\{id\}: "):
            await c.get(PAGE)


async def test_a_mistake_in_a_function_fails_the_test():
    """The gateway would answer without the part, and hide it."""
    async with client(make_app, catalog=reply(200, TENT), reviews=lambda call: 1 / 0) as c:
        with pytest.raises(ZeroDivisionError):
            await c.get(PAGE)
    async with client(make_app, catalog=reply(200, TENT), reviews=lambda call: None) as c:
        with pytest.raises(TypeError, match="reviews: the function of the script returned None"):
            await c.get(PAGE)


@pytest.mark.parametrize(
    ("scripts", "message"),
    [
        ({"catalogue": reply()}, "no service 'catalogue': it calls catalog, reviews"),
        ({"catalog": []}, r"catalog: an empty list of replies: write \[reply\(200, ...\)\]"),
        ({"catalog": TENT}, "catalog: 'id' is no route: write a path"),
        ({"catalog": {"/products/{id}": 7}}, r"catalog /products/\{id\}: 7 is no reply"),
        ({"catalog": [b"{}"]}, r"catalog: b'\{\}' is no reply: write reply\(200, ...\)"),
    ],
)
async def test_a_wrong_script_is_refused(scripts, message):
    """The error says what is wrong, and what to write."""
    with pytest.raises(TypeError, match=message):
        await client(make_app, **scripts).__aenter__()


async def test_replies_come_in_order_and_the_last_one_repeats():
    """A flaky service is sent the call again; replies that were never sent can be reported."""
    script = [reply(503), reply(200, SUMMARY), reply(200, SUMMARY), reply(404)]

    async with client(make_app, catalog=reply(200, TENT), reviews=script) as c:
        answer = await c.get(PAGE)
        with pytest.raises(AssertionError, match="reviews: 2 of 4 replies unused"):
            c.assert_all_used()
        for _ in range(3):
            await c.get(PAGE)
        c.assert_all_used()

    assert answer.json()["stars"] == 4.5
    assert [one.status for one in c.calls["reviews"]] == [503, 200, 200, 404, 404]


async def test_a_script_is_replaced_in_the_middle_of_a_test():
    """A service goes down, and comes back."""
    async with client(make_app, services=HAPPY) as c:
        c.services["reviews"].then(fail())
        down = await c.get(PAGE)
        c.services["reviews"].then([reply(200, SUMMARY)])
        back = await c.get(PAGE)

    assert [one.json()["stars"] for one in (down, back)] == [None, 4.5]


async def test_calls_are_recorded():
    """What the service received, when, and how it was answered."""
    async with client(make_app, services=HAPPY) as c:
        c.services["catalog"].then(slow(0.25, reply(200, TENT)))
        await c.put("/v1/products/8", params={"title": "New"}, headers={"traceparent": "none"})

    [call] = c.calls
    assert (call.service, call.method, call.target) == ("catalog", "PUT", "/products/8")
    assert (call.operation, call.json()) == ("PUT /products/{id}", {"title": "New"})
    assert call.headers["content-type"] == "application/json"
    assert (call.status, call.error, call.began) == (200, None, 0)
    assert call.duration == pytest.approx(0.25)
    assert str(call) == "catalog: PUT /products/8  200  0.000-0.250 s"
    assert c.calls.counts == {"catalog": 1}


async def test_calls_in_parallel_differ_from_calls_in_sequence():
    """Even where no call takes any time."""
    async with client(make_app, services=HAPPY) as c:
        await c.get(PAGE)
        c.calls.assert_parallel("catalog", "reviews")
        with pytest.raises(AssertionError, match="catalog was not answered before reviews was"):
            c.calls.assert_sequential("catalog", "reviews")
        c.calls.clear()
        await c.get("/v1/slowly/8")
        c.calls.assert_sequential("catalog", "reviews")
        assert not c.calls.in_parallel("catalog", "reviews")
        with pytest.raises(AssertionError, match=r"were not called in parallel.*\ncatalog: GET"):
            c.calls.assert_parallel("catalog", "reviews")
        with pytest.raises(AssertionError, match="not answered before catalog was called"):
            c.calls.assert_sequential("reviews", "catalog")


async def test_calls_to_one_service_run_in_parallel_or_not():
    """Two requests of the same moment, or one after the other."""
    async with client(make_app, services=HAPPY) as c:
        await asyncio.gather(c.get("/v1/products/1"), c.get("/v1/products/2"))
        c.calls.assert_parallel("catalog", "catalog")
        c.calls.clear()
        await c.get("/v1/products/1")
        await c.get("/v1/products/2")
        c.calls.assert_sequential("catalog", "catalog")
        assert not c.calls.in_parallel("catalog", "catalog")


@pytest.mark.virtual_time(on=False)
async def test_calls_in_parallel_are_found_in_real_time():
    """The kit also works on a usual event loop."""
    async with client(make_app, services=HAPPY) as c:
        await c.get(PAGE)
        c.calls.assert_parallel("catalog", "reviews")
        c.calls.clear()
        await c.get("/v1/slowly/8")
        c.calls.assert_sequential("catalog", "reviews")


@pytest.mark.virtual_time(on=False)
async def test_calls_in_parallel_are_found_on_a_busy_machine():
    """Also if the answer to the first one takes the processor until the tick is over."""

    def answer(_):
        until = perf_counter() + 3 * TICK_OF_REAL_TIME_SECONDS
        while perf_counter() < until:
            pass
        return reply(200, TENT)

    async with client(make_app, catalog=answer, reviews=reply(200, SUMMARY)) as c:
        await c.get(PAGE)

    c.calls.assert_parallel("catalog", "reviews")


async def test_calls_of_unknown_or_silent_services_are_mistakes():
    """A typing mistake does not look like a service that was not called."""
    async with client(make_app, services=HAPPY) as c:
        with pytest.raises(AssertionError, match="no service 'review': it has catalog, reviews"):
            c.calls["review"]
        with pytest.raises(AssertionError, match="catalog was not called\nno calls"):
            c.calls.assert_parallel("catalog", "reviews")


async def test_viewers_sign_in():
    """A user id becomes the viewer that the gateway's demo users are; a Viewer is as it is."""
    async with client(make_app, viewer="7", services=HAPPY) as c:
        by_id = await c.get("/v1/me")
        by_viewer = await c.as_viewer(Viewer("8", scopes=frozenset({"profile"}))).get("/v1/me")
        without_scope = await c.as_viewer(Viewer("9")).get("/v1/me")
        anonymous = await c.get("/v1/me", headers={"authorization": ""})
        c.sign_in("10")
        signed_in = await c.get("/v1/me")

    assert [by_id.json(), by_viewer.json(), signed_in.json()] == ["7", "8", "10"]
    assert [without_scope.status_code, anonymous.status_code] == [403, 401]


async def test_gateway_without_authenticator_may_have_viewers():
    """Its callers are anonymous, unless the test says who calls."""
    async with client(make_open_app, services=HAPPY) as c:
        anonymous = await c.get("/v1/me")
        with pytest.raises(TypeError, match="has no authenticator: open the client with"):
            c.as_viewer("1")
    async with client(make_open_app, viewer="1", services=HAPPY) as c:
        without_scope = await c.get("/v1/me")

    assert (anonymous.status_code, without_scope.status_code) == (401, 403)


async def test_the_gateways_own_authenticator_may_be_tested():
    """With its settings, which no other test needs."""
    environ = {"BFF_ISSUER": "https://id.example"}
    options = {"own_authenticator": True, "environ": environ, "services": HAPPY}

    async with client(make_app, **options) as c:
        issued = await c.get("/v1/me", headers={"authorization": "Bearer issued"})
        given = await c.as_viewer(Viewer("1", scopes=frozenset({"profile"}))).get("/v1/me")

    assert (issued.status_code, given.status_code) == (403, 200)


async def test_environment_of_the_test_configures_the_gateway():
    """A deadline of the settings holds."""
    async with client(
        make_app, environ={"BFF_TIMEOUT": "0.3"}, catalog=hang(), reviews=hang()
    ) as c:
        answer = await c.get(PAGE)

    assert answer.status_code == 504
    assert answer.elapsed.total_seconds() == pytest.approx(0.3, abs=0.05)


async def test_settings_of_production_may_be_tested():
    """With a viewer of the test, though the demo authenticator is refused there."""
    environ = {"BFF_ENV": "production", "BFF_ALLOWED_HOSTS": "localhost"}

    async with client(make_app, services=HAPPY, viewer="ann", environ=environ) as c:
        answer = await c.get("/v1/products/8")

    assert answer.status_code == 200
    assert c.app.settings.env == "production"
    with pytest.raises(ConfigurationError, match="BFF_AUTH=demo"):
        async with client(make_app, environ={**environ, "BFF_AUTH": "demo"}):
            pass


@pytest.mark.parametrize("fails", [False, True])
async def test_a_stream_that_breaks_off_raises(fails):
    """It would look like a complete answer otherwise."""
    views = Views(access=ANYONE)

    @views.get("/rows", response_model=None)
    async def rows() -> StreamingResponse:
        async def chunks():
            yield b"one"
            if fails:
                raise ValueError("two")

        return StreamingResponse(chunks())

    async with client(lambda: gateway("rows", faces=[views])) as c:
        if not fails:
            assert (await c.get("/rows")).content == b"one"
            return
        with pytest.raises(httpx.RemoteProtocolError, match=r"broke off after 3 bytes"):
            await c.get("/rows")


async def test_a_stream_that_calls_a_service_without_script_fails_the_test():
    """The error is that of the missing script, not that the stream broke off."""
    views = Views(access=ANYONE)

    @views.get("/rows/{product_id}", response_model=None)
    async def get_rows(page: ProductPage) -> StreamingResponse:
        async def rows():
            yield b"first"
            yield (await page.product()).title.encode()

        return StreamingResponse(rows())

    with pytest.raises(UnscriptedCall, match="catalog was called"):
        async with client(lambda: gateway("rows", faces=[views]), reviews=hang()) as c:
            await c.get("/rows/8")


async def test_a_gateway_may_be_opened_many_times():
    """One that exists, too; limits, caches and circuits begin anew, and it is as it was after."""
    async with client(make_app, services=HAPPY) as c:
        app = c.app
    before = app.config
    stars = []
    for script in (reply(200, SUMMARY), fail(), reply(200, SUMMARY)):
        async with client(app, catalog=reply(200, TENT), reviews=script) as c:
            stars.append((await c.get(PAGE)).json()["stars"])

    assert stars == [4.5, None, 4.5]
    assert app.config is before


async def test_an_app_may_be_named():
    """As on the command line of the server."""
    async with client("tests.testing.kit_shop:make_app", services=HAPPY) as c:
        assert (await c.get(PAGE)).status_code == 200


@pytest.mark.parametrize(
    ("app", "options", "message"),
    [
        (lambda: None, {}, "is no gateway, but of type NoneType: pass a Gateway, or a function"),
        ("tests.testing.kit_shop:TENT", {}, "is no gateway, but of type dict"),
        ("tests.testing.kit_shop:mak_app", {},
         "module 'tests.testing.kit_shop' has no 'mak_app': it has make_app, make_open_app"),
        ("tests.testing.kit_shp:make_app", {}, r"there is no module 'tests\.testing\.kit_shp'"),
        ("tests.testing.kit_shop", {}, "write module:attribute, as in shop.app:app"),
    ],
)  # fmt: skip
async def test_other_apps_are_refused(app, options, message):
    """The error says what may be passed."""
    with pytest.raises(TypeError, match=message):
        await client(app, **options).__aenter__()


async def test_a_made_gateway_can_not_be_configured():
    """Its settings were read when it was made."""
    async with client(make_app, services=HAPPY) as c:
        app = c.app
    with pytest.raises(TypeError, match="environ= configures a gateway that the test makes"):
        await client(app, environ={"BFF_TIMEOUT": "1"}).__aenter__()


async def test_a_gateway_has_one_client_at_a_time():
    """A second one would take its services away."""
    async with client(make_app, services=HAPPY) as c:
        with pytest.raises(TypeError, match="'shop' runs already: close its client first"):
            await client(c.app, services=HAPPY).__aenter__()
        assert (await c.get(PAGE)).status_code == 200


async def test_variables_of_others_are_refused():
    """They would have no effect."""
    with pytest.raises(TypeError, match=r"environ=\{'TIMEOUT': ...\}: variables of a gateway"):
        await client(make_app, environ={"TIMEOUT": "1"}).__aenter__()


async def test_graphql_is_queried():
    """With variables as keywords; a part that is missing has an error at its field."""
    async with client(make_app, catalog=reply(200, TENT), reviews=fail()) as c:
        answer = await c.graphql(QUERY, id="8")

    assert answer.json()["data"] == {"title": "Tent", "stars": None}


async def test_gateway_without_graphql_says_so():
    """The error names what is missing."""
    async with client(make_open_app, services=HAPPY) as c:
        with pytest.raises(TypeError, match="'open' has no GraphQL face"):
            await c.graphql(QUERY, id="8")


async def test_services_with_credentials_need_no_secrets():
    """A key, a password and a signature are made up; a token comes from a scripted provider."""

    class Tokens(Upstream):
        """The provider of tokens."""

    def made(name, credentials):
        return type(name, (Upstream,), {"policy": Policy(credentials=credentials)})

    maps = made("Maps", ApiKey(secret="maps"))
    mail = made("Mail", Basic(username="shop", secret="mail"))
    signed = made("Signed", Signature(secret="signing", key_id="k1"))
    orders = made(
        "Orders",
        ClientCredentials(upstream="tokens", path="/token", client_id="shop", secret="orders"),
    )

    def make():
        return gateway("shop", services=[Tokens, maps, mail, signed, orders])

    token = {"access_token": "t1", "token_type": "Bearer", "expires_in": 60}
    others = dict.fromkeys(("maps", "mail", "signed", "orders"), reply())
    async with client(make, tokens=reply(200, token), services=others) as c:
        for kind in (maps, mail, signed, orders):
            await c.app.services[kind].request("GET", "/")

    assert c.calls.counts == {"maps": 1, "mail": 1, "signed": 1, "tokens": 1, "orders": 1}
    assert c.calls["orders"][0].headers["authorization"] == "Bearer t1"
    assert "signature" in c.calls["signed"][0].headers
