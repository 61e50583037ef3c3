"""The overview: which screens suffer, since when, because of what; over windows and a gateway."""

import time

import msgspec
import pytest

from bff_core.console.metrics.window import GatewayWindow, window_of
from bff_core.console.model import EventRow, Installation, Live, ProcessInfo
from bff_core.console.overview.down import ServiceNeed
from bff_core.console.overview.events import events_of
from bff_core.console.overview.overview import overview_of
from bff_core.console.routes.overview import OverviewNews
from bff_core.console.sources import GatewaySource
from bff_core.observe.metrics.occurrences import Occurrence
from bff_core.observe.metrics.samples import (
    Blamed,
    CallStep,
    SampledView,
    Samples,
    Totals,
    ViewStep,
    WindowStep,
)
from bff_core.observe.metrics.sink import MAX_OCCURRENCES, MetricsSink
from bff_core.observe.metrics.steps import STEP_SECONDS
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, fail, reply
from tests.console.conftest import browser
from tests.observe.metrics.shelf import shelf_gateway
from tests.operated_shop import OPERATOR, Shop

NOW = 1_800_000_000.0
NUMBER = int(NOW / STEP_SECONDS)
OBJECTIVE = "complete 99 %, ≤ 300 ms"
INSTALLATION = Installation(version="1", is_development=True, gateways=[])
FAST, LATE = 15, 23  # buckets up to 75 ms and 750 ms


class Clock:
    """Unix time that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def samples(gateway: str, views: dict[str, SampledView], **others: object) -> Samples:
    """Return what the one process of a gateway reports, without steps."""
    gauges = {"bff_loop_lag_seconds": [((), 0.001)]}
    return Samples(
        gateway, 7, NOW - 3600, NOW, Totals(), gauges, views, upstreams=["catalog", "reviews"],
        **others,
    )  # fmt: skip


def steps(
    label: str, *states: str, reason: str = "timeout", bucket: int = FAST
) -> list[WindowStep]:
    """Return a step for each word, oldest first: `good` answers, `bad` ones of `rating`, or `dead`.

    Each has ten answers, of which four are not complete in a bad one and all failed in a dead one.
    """
    found = []
    for back, state in enumerate(reversed(states)):
        bad = {"good": 0, "bad": 4, "dead": 10}[state]
        degraded, failed = (0, bad) if state == "dead" else (bad, 0)
        step = WindowStep(NUMBER - back)
        step.views[label] = ViewStep(10 - bad, 0, degraded, failed, {bucket: 10})
        step.calls["catalog"] = CallStep(10, 0, 0, {FAST: 10})
        step.calls["reviews"] = CallStep(10, bad, 0, {FAST: 10})
        if bad:
            step.blames.append((Blamed(label, "rating", "reviews", reason, "ios", "5.2"), bad))
        found.append(step)
    return found


def window(gateway: str, label: str, found: list[WindowStep], **others: object) -> GatewayWindow:
    """Return the window of a gateway with one view of the screen Home, which has an objective."""
    view = SampledView("Home", OBJECTIVE, {"5m": (100, 5), "24h": (1000, 5)})
    return window_of(gateway, [samples(gateway, {label: view}, **others)], found, NOW)


def mobile_home(*states: str) -> GatewayWindow:
    """Return the window of the phone's gateway, whose home screen answered so."""
    return window("mobile", "GET /v1/home", steps("GET /v1/home", *states))


def with_plain_route() -> GatewayWindow:
    """Return the window of a gateway with a good screen, and a route that belongs to none."""
    found = steps("query home", "good")
    found[0].views["GET /plain"] = ViewStep(1, 0, 0, 0, {FAST: 1})
    web = window("web", "query home", found)
    web.views["GET /plain"] = SampledView()
    return web


def overview(*windows: GatewayWindow, actions: list[EventRow] | None = None):
    """Return the overview of now."""
    return overview_of(windows, INSTALLATION, NOW, actions or [])


def clock(instant: float) -> str:
    """Return the time as the sentence has it."""
    return time.strftime("%H:%M", time.localtime(instant))


def test_a_sentence_names_the_screen_part_service_and_since_when():
    """Also that the same screen of another gateway is well, and what to open."""
    states = ["bad", *["good"] * 6, "bad", "good", "bad", "good"]
    web = window("web", "query home", steps("query home", *states))
    mobile = mobile_home("good")
    found = overview(web, mobile)

    since = NOW - 3 * STEP_SECONDS
    assert found.headline.state == "fallback"
    assert found.headline.text == (
        f"**Home on web is degraded since {clock(since)}.** Part `rating` waits for "
        "**reviews**, where 11 % of calls time out. Home on mobile does not need it."
    )
    assert found.headline.links == [
        ("Open reviews", "/console/upstreams/reviews"),
        ("See a request", "/console/requests?state=degraded"),
    ]
    home, other = found.screens
    assert (home.gateway, home.screen, home.route, home.since) == ("web", "Home", "home", since)
    assert (home.complete, home.errors, home.state) == (98 / 110, 0.0, "fallback")
    assert [(one.part, one.upstream, one.reason, one.share) for one in home.blame] == [
        ("rating", "reviews", "timeout", 1.0)
    ]
    assert (other.state, other.since, other.blame) == ("ok", None, [])


@pytest.mark.parametrize(
    ("states", "reason", "bucket", "words"),
    [
        (["good"], "", FAST, "The screen meets its objective."),
        (["dead", "dead"], "unavailable", FAST, "needs **reviews**, where 100 % of calls fail."),
        (["bad"], "circuit_open", FAST, "needs **reviews**, whose circuit breaker is open."),
        (["good", "good"], "", LATE, "**Home on web is degraded"),
        ([], "", FAST, "No requests yet."),
    ],
)
def test_the_sentence_says_what_is_wrong(states, reason, bucket, words):
    """Failed, rejected, late, or nothing at all."""
    found = steps("query home", *states, reason=reason, bucket=bucket)

    assert words in overview(window("web", "query home", found)).headline.text


@pytest.mark.parametrize(
    ("aimed", "words"),
    [
        (0, "All 3 screens are complete."),
        (1, "All 3 screens are complete, and the one with an objective meets it."),
        (2, "All 3 screens are complete, and 2 meet their objectives."),
        (3, "All 3 screens meet their objectives."),
    ],
)
def test_only_screens_with_an_objective_meet_one(aimed, words):
    """Others are complete, no more."""
    names = [f"query {number}" for number in range(3)]
    found = [one for name in names for one in steps(name, "good")]
    web = window("web", names[0], found)
    for place, name in enumerate(names):
        step = steps(name, "good")[0]
        web.steps[max(web.steps)].views[name] = step.views[name]
        web.views[name] = SampledView(f"S{place}", "≤ 300 ms" if place < aimed else "")

    assert overview(web).headline.text == words


def test_what_was_not_requested_is_quiet():
    """It has no tick, and the sentence does not count it as complete."""
    web = window("web", "query home", steps("query home", "good"))
    web.views["query cart"] = SampledView("CartPage")
    web.upstreams.append("payments")
    found = overview(web)

    assert {one.screen: one.state for one in found.screens} == {"Home": "ok", "CartPage": "quiet"}
    assert {one.upstream: one.state for one in found.upstreams}["payments"] == "quiet"
    assert found.headline.text == (
        "The one screen in use meets its objective; 1 other had no requests in the last 5 min."
    )


def test_a_state_is_that_of_the_newest_answers():
    """What is over does not count, and what came last stays when nothing follows."""
    after = steps("query home", "bad", *["good"] * 8)
    last = steps("query home", "good", "bad")
    for one in last:
        one.number -= 30  # 150 seconds ago
    recovered = overview(window("web", "query home", after))
    lasting = overview(window("web", "query home", last))

    assert recovered.headline.text == "The screen meets its objective. 1 was degraded before."
    assert [one.share for one in recovered.screens[0].blame] == [1.0]
    assert lasting.headline.text.startswith("**Home on web is degraded")


PRODUCT, CHECKOUT = "GET /v1/products/{id}", "POST /v1/checkout"
NEEDS = {
    "mobile": [
        ServiceNeed("GET /v1/home", "reviews", False),
        ServiceNeed(PRODUCT, "reviews", False),
        ServiceNeed(CHECKOUT, "reviews", True),
        ServiceNeed(CHECKOUT, "catalog", True),
    ]
}


def stopped(name: str) -> Installation:
    """Return an installation whose service does not run."""
    found = ProcessInfo(name=name, kind="service", port=1, state="stopped", since=NOW - 60)
    return msgspec.structs.replace(INSTALLATION, processes=[found])


@pytest.mark.parametrize(
    ("name", "state", "words"),
    [
        (
            "reviews",
            "failed",
            "Checkout fails without it; Home and ProductPage show less unless cached.",
        ),
        ("catalog", "failed", "Checkout fails without it."),
        ("payments", "fallback", "No screen needs it."),
    ],
)
def test_a_service_that_is_stopped_is_named_before_a_screen_suffers(name, state, words):
    """With the screens that need it: those that fail without it, and those that show less."""
    home = mobile_home("good")
    home.views |= {PRODUCT: SampledView("ProductPage"), CHECKOUT: SampledView("Checkout")}
    home.upstreams.append("payments")
    found = overview_of([home], stopped(name), NOW, [], NEEDS)

    assert found.headline.text == f"**{name} is stopped since {clock(NOW - 60)}.** {words}"
    assert found.headline.state == state
    assert found.headline.links == [
        (f"Open {name}", f"/console/upstreams/{name}"),
        ("Start it on Faults", "/console/faults"),
    ]
    assert [one.upstream for one in found.upstreams if one.is_stopped] == [name]
    causes = {(one.source, one.target) for one in found.edges if one.is_cause}
    assert (("mobile", name) in causes) is (name != "payments")


def test_a_screen_that_answers_from_a_cache_is_well():
    """The sentence does not say that it fails now."""
    home = window("mobile", CHECKOUT, steps(CHECKOUT, "good"))
    found = overview_of([home], stopped("catalog"), NOW, [], NEEDS)

    assert found.headline.text.endswith("Home fails without it unless cached.")


def test_a_screen_that_only_shows_less_is_no_alarm():
    """Nothing fails without the service."""
    home = mobile_home("good")
    found = overview_of([home], stopped("reviews"), NOW, [], NEEDS)

    assert found.headline.state == "fallback"
    assert found.headline.text.endswith(
        "Home shows less unless cached; no screen fails without it."
    )
    assert [(one.upstream, one.is_critical) for one in found.screens[0].down] == [
        ("reviews", False)
    ]


def test_a_screen_that_suffers_names_the_service_that_is_stopped():
    """The process is the cause, not the share of calls."""
    home = mobile_home("bad")
    found = overview_of([home], stopped("reviews"), NOW, [], NEEDS)

    assert found.headline.text.endswith("Part `rating` waits for **reviews**, which is stopped.")


def test_another_service_that_is_stopped_is_named_too():
    """It may be the next that screens suffer from."""
    home = mobile_home("bad")
    found = overview_of([home], stopped("catalog"), NOW, [], NEEDS)

    assert "waits for **reviews**, where 40 % of calls time out. " in found.headline.text
    assert found.headline.text.endswith("**catalog** is stopped.")


def test_old_failures_of_a_service_count_while_a_screen_suffers():
    """Without calls since, a service that was started again is not failed for minutes."""
    found = steps("query home", "bad")
    found[0].number -= 30  # 150 seconds ago
    suffering = window("web", "query home", found)
    recovered = window("web", "query home", [*found, *steps("query home", "good")])
    del recovered.steps[NUMBER].calls["reviews"]

    states = [
        {one.upstream: one.state for one in overview(each).upstreams}["reviews"]
        for each in (suffering, recovered)
    ]
    assert states == ["failed", "quiet"]


def test_a_window_says_how_much_of_it_is_recorded():
    """A young gateway has less, and its chart is as long as that."""
    young = samples("web", {"query home": SampledView("Home")})
    young.started = NOW - 40
    found = overview(window_of("web", [young], steps("query home", "good"), NOW, 900.0))
    old = overview(window("web", "query home", steps("query home", *["good"] * 100)))

    assert (found.window, found.recorded) == (900, 40)
    assert found.screens[0].rate == pytest.approx(10 / 40)
    assert (old.window, old.recorded) == (300, 300)
    assert old.screens[0].rate == pytest.approx(10 / STEP_SECONDS, rel=0.05)
    assert {len(one.course) for one in found.figures} == {12}


def test_a_route_without_a_screen_is_no_screen():
    """Whether it is requested or not, it is not among those that the sentence counts."""
    page = overview(with_plain_route())

    assert {one.screen: one.is_screen for one in page.screens} == {
        "GET /plain": False,
        "Home": True,
    }
    assert page.headline.text == "The screen meets its objective."


@pytest.mark.parametrize(
    ("part", "reason", "words"),
    [
        (
            "rating",
            "not_allowed",
            "Part `rating` is to blame: the viewer has no permission for it.",
        ),
        ("", "status 503", "The gateway is to blame: status 503."),
        ("", "slow", "The gateway itself takes long: no service that it calls does."),
    ],
)
def test_trouble_without_a_service_is_the_gateways(part, reason, words):
    """The sentence says so in words."""
    found = steps("query home", "bad")
    found[0].blames = [(Blamed("query home", part, "", reason), 4)]

    assert overview(window("web", "query home", found)).headline.text.endswith(words)


def test_several_services_that_are_stopped_are_one_list():
    """Their names are separated by commas, the last two by "and"."""
    processes = [
        ProcessInfo(name=name, kind="service", port=1, state="stopped")
        for name in ("catalog", "pricing", "users")
    ]
    home = window("web", "query home", steps("query home", "bad"))
    home.upstreams = ["catalog", "pricing", "users"]
    all_stopped = msgspec.structs.replace(INSTALLATION, processes=processes)
    found = overview_of([home], all_stopped, NOW)

    assert found.headline.text.endswith("**catalog**, **pricing** and **users** are stopped.")


def test_a_gateway_that_does_not_answer_comes_first():
    """Its figures stay those of its last minutes."""
    web = window_of("web", [], steps("query home", "bad"), NOW)
    found = overview(web, mobile_home("good"))

    assert found.headline.text.startswith("**web** does not answer")
    assert [(one.gateway, one.state) for one in found.gateways] == [
        ("web", "failed"),
        ("mobile", "ok"),
    ]


def test_edges_mark_the_way_from_a_degraded_screen_to_its_cause():
    """Other services and other gateways are no cause."""
    web = window("web", "query home", steps("query home", "bad"))
    mobile = mobile_home("good")
    found = overview(web, mobile)

    assert [(one.source, one.target) for one in found.edges if one.is_cause] == [
        ("web/home", "web"),
        ("web", "reviews"),
    ]
    assert [(one.source, one.target) for one in found.edges if not one.is_cause] == [
        ("mobile/GET /v1/home", "mobile"),
        ("web", "catalog"),
        ("mobile", "catalog"),
        ("mobile", "reviews"),
    ]
    states = {one.upstream: (one.state, one.errors) for one in found.upstreams}
    assert states == {"catalog": ("ok", 0.0), "reviews": ("failed", 0.2)}


def test_figures_and_responses_have_a_course():
    """The last point is that of now; before the first request there is nothing."""
    found = overview(window("web", "query home", steps("GET /graphql", "good", "bad")))

    figures = {one.name: one for one in found.figures}
    assert list(figures) == [
        "Requests",
        "Complete",
        "Errors",
        "Latency p95",
        "Calls per request",
        "Calls saved by cache and coalescing",
    ]
    assert figures["Complete"].value == 80
    assert figures["Calls per request"].value == 2
    assert {len(one.course) for one in found.figures} == {60}
    responses = found.responses
    assert responses.start + 60 * responses.step > NOW >= responses.start + 59 * responses.step
    total = [a + b for a, b in zip(responses.ok, responses.degraded, strict=True)]
    assert {place for place, rate in enumerate(total) if rate} == {58, 59}


def test_budget_and_burn_rate_are_those_of_the_objective():
    """A view without an objective has neither, and is named by its route."""
    plain, home = overview(with_plain_route()).screens

    assert home.budget_left == pytest.approx(0.5)
    assert home.burn == pytest.approx(5.0)
    assert (plain.screen, plain.route) == ("GET /plain", "GET /plain")
    assert (plain.objective, plain.budget_left, plain.burn) == ("", None, None)


def test_events_say_what_happened_with_the_actor_once_for_all_workers():
    """Newest first, with what people did and the budgets that are spent."""
    opened = [
        Occurrence("1", NOW - 9, "breaker.changed", "reviews", {"state": "open"}),
        Occurrence("2", NOW - 7, "breaker.changed", "reviews", {"state": "open"}),
        Occurrence("3", NOW - 1, "cache.purged", "", {"tags": "a", "by": "operator", "count": "2"}),
    ]
    web = window("web", "query home", steps("query home", "bad"), occurrences=opened)
    web.views["query home"].spent["24h"] = (100, 2)
    action = EventRow(
        id="a", time=NOW - 2, state="ok", subject="reviews", text="closed", actor="operator"
    )
    rows = overview(web, actions=[action]).events

    assert [(one.text, one.actor) for one in rows] == [
        ("budget of **Home** is spent: 60.0 % complete", ""),
        ("tag **a** purged, 2 replies dropped", "operator"),
        ("closed", "operator"),
        ("breaker of **reviews** is open: too many calls failed", ""),
    ]


def test_the_time_that_a_loop_was_blocked_is_rounded():
    """The event has microseconds, the sentence has not."""
    blocked = [Occurrence("1", NOW - 9, "event_loop.blocked", "", {"waited": "0.251265"})]
    web = window("web", "query home", [], occurrences=blocked)

    assert [one.text for one in overview(web).events] == [
        "the **event loop** was blocked for 251 ms"
    ]


def test_what_operators_do_is_an_event_once():
    """By an endpoint or a page: its effects on the service, or the purge, are not repeated."""
    acted = {"actor": "operator", "action": "Opened the circuit for 30 s."}
    purged = {"actor": "operator", "action": "Purged the tag."}
    by_page = {"actor": "operator", "action": "circuit of **catalog** closed"}
    opened = [
        Occurrence("1", NOW - 60, "breaker.changed", "reviews", {"state": "open"}),
        Occurrence("2", NOW - 60, "operator.acted", "reviews", acted),
        Occurrence(
            "3", NOW - 40, "cache.purged", "", {"tags": "a", "by": "operator", "count": "2"}
        ),
        Occurrence("4", NOW - 40, "operator.acted", "a", purged),
        Occurrence("5", NOW - 30, "operator.acted", "b", purged),
        Occurrence("6", NOW - 20, "operator.acted", "catalog", by_page),
        Occurrence("7", NOW - 20, "breaker.changed", "catalog", {"state": "closed"}),
    ]
    action = EventRow(
        id="operation-1",
        time=NOW - 20,
        state="ok",
        subject="catalog",
        text=by_page["action"],
        actor="operator",
    )
    web = window("web", "query home", [], occurrences=opened)

    assert [(one.text, one.actor) for one in overview(web, actions=[action]).events] == [
        ("circuit of **catalog** closed", "operator"),
        ("**b**: Purged the tag.", "operator"),
        ("tag **a** purged, 2 replies dropped", "operator"),
        ("**reviews**: Opened the circuit for 30 s.", "operator"),
    ]


def test_what_a_stopped_service_causes_is_an_event():
    """To stop it is no change of its circuit, which opens by itself."""
    opened = [Occurrence("1", NOW - 8, "breaker.changed", "reviews", {"state": "open"})]
    stopped = EventRow(
        id="action-1", time=NOW - 10, state="missing", subject="reviews", text="**reviews** was st…"
    )
    web = window("web", "query home", [], occurrences=opened)

    assert [one.text for one in overview(web, actions=[stopped]).events] == [
        "breaker of **reviews** is open: too many calls failed",
        "**reviews** was st…",
    ]


def test_many_events_cost_little():
    """All that four workers store takes a small part of the 52 ms that it did, once a second."""
    kinds = ("breaker.changed", "operator.acted")
    found = [
        Occurrence(f"{n}", NOW - n / 1000, kinds[n % 2], f"s{n % 7}", {"state": "open"})
        for n in range(4 * MAX_OCCURRENCES)
    ]
    web = window("web", "query home", [], occurrences=found)
    times = []
    for _ in range(5):
        began = time.thread_time()
        assert events_of([web], [])
        times.append(time.thread_time() - began)

    assert min(times) < 0.02


async def test_an_admin_endpoint_is_in_the_events():
    """From the endpoint to the page, with the actor."""
    app = Shop().app
    app.events.listen(MetricsSink())
    async with running(app) as client:
        body = {"upstream": "ratings", "seconds": 30}
        await client.post("/operator/upstreams/open", json=body, headers=OPERATOR)
        async with browser(app) as page:
            found = (await page.get("/console/api/overview")).json()

    assert [(one["text"], one["actor"]) for one in found["events"]] == [
        ("**ratings**: Opened the circuit for 30 s.", "operator")
    ]


async def test_the_page_shows_what_a_gateway_has_counted():
    """From its requests to the sentence, over the API."""
    catalog, reviews = Scripted(reply(200, "A tent")), Scripted(fail())
    app = shelf_gateway(catalog, reviews, MetricsSink())
    async with running(app) as client, browser(app) as page:
        await client.get("/v1/shelf/1", headers={"x-app-version": "5.2.0"})
        found = (await page.get("/console/api/overview")).json()
        unknown = await page.get("/console/api/overview?gateway=web")
        minute = (await page.get("/console/api/overview?window=60")).json()
        wrong = await page.get("/console/api/overview?window=61")

    assert found["headline"]["text"].endswith(
        "Part `rating` needs **reviews**, where 100 % of calls fail."
    )
    (screen,) = found["screens"]
    assert (screen["screen"], screen["route"]) == ("Shelf", "GET /v1/shelf/{number}")
    assert screen["objective"] == "complete 90 %, ≤ 300 ms"
    assert {one["upstream"]: one["state"] for one in found["upstreams"]} == {
        "catalog": "ok",
        "reviews": "failed",
    }
    assert screen["down"] == [{"upstream": "reviews", "is_critical": False}]
    assert (found["window"], minute["window"]) == (300, 60)
    assert (unknown.status_code, wrong.status_code) == (404, 422)


async def test_the_live_stream_has_the_overview_once_a_second_and_new_events(pages):
    """What is known is not sent again."""
    sink = MetricsSink()
    app = shelf_gateway(Scripted(), Scripted(), sink)
    async with running(app):
        source = GatewaySource(name="mobile", commands=app.metrics.commands())
        console = pages.console([source])
        wall = Clock()
        console.wall = wall
        news = OverviewNews(console)
        first, second, third = Live(time=NOW), Live(time=NOW), Live(time=NOW)
        await news(first, False)
        wall.now += 0.5
        await news(second, False)
        wall.now += 0.5
        console.state.actions.append(
            EventRow(id="a", time=NOW, state="ok", subject="x", text="y", actor="operator")
        )
        await news(third, False)

    overviews = [one.overview is not None for one in (first, second, third)]
    assert overviews == [True, False, True]
    assert first.events == []
    assert [one.id for one in third.events] == ["a"]
