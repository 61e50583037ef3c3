"""What Prometheus gets: both formats as its own parser reads them, and who gets them."""

import asyncio
import subprocess
from collections.abc import Sequence
from functools import partial
from math import inf

import httpx
import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_classic

from bff_core import Gateway, Settings
from bff_core.errors import ConfigurationError
from bff_core.gateway.metrics import is_served_by_parent
from bff_core.gateway.metrics_port import bind_metrics, serve_metrics, timeout_of
from bff_core.observe.metrics.exposition import CLASSIC, OPENMETRICS
from bff_core.observe.metrics.families import FAMILIES
from bff_core.observe.metrics.sink import MetricsSink
from bff_core.startup.processes import Processes
from bff_core.testing import running
from bff_core.testing.scripted import Scripted, Step, fail, hang, reply
from tests.observe.metrics.shelf import TOKEN, shelf_gateway

NOW = 1_800_000_000.0
AUTHORIZED = {"authorization": f"Bearer {TOKEN}"}
APP = {"user-agent": "Shop/5.2 CFNetwork/1490 Darwin/23", "x-app-version": "5.2.1"}


class Tracer:
    """A sink that traces, so that durations have exemplars."""

    traces = True

    def __call__(self, _event: object, /) -> None:
        """Take one event."""


def counted(*reviews: Step, titles: Sequence[Step] = (), sinks: Sequence[object] = ()) -> Gateway:
    """Return a gateway that counts; its reviews answer as scripted."""
    catalog = Scripted(*(titles or [reply(200, "A tent")] * len(reviews)))
    return shelf_gateway(catalog, Scripted(*reviews), MetricsSink(now=lambda: NOW), *sinks)


async def scraped(app: Gateway, requests: int, accept: str = "") -> str:
    """Send requests, then return the metrics."""
    async with running(app) as client:
        for _ in range(requests):
            await client.get("/v1/shelf/1", headers=APP)
        page = await client.get("/metrics", headers={**AUTHORIZED, "accept": accept})
    assert page.headers["content-type"] == (OPENMETRICS if accept else CLASSIC)
    return page.text


def values(text: str, family: str) -> dict[tuple[str, ...], float]:
    """Return the values of a family by labels, without the gateway's name."""
    return {
        tuple(value for name, value in one.labels.items() if name != "gateway"): one.value
        for found in parse_classic(text)
        for one in found.samples
        if one.name == family
    }


@pytest.mark.virtual_time
async def test_requests_parts_and_calls_are_counted_by_outcome():
    """Rate, errors and duration of each, with states of parts and error codes of calls."""
    text = await scraped(counted(reply(200, 4), fail(), reply(500), hang()), 4)

    assert values(text, "bff_requests_total") == {
        ("GET", "/v1/shelf/{number}", "2xx", "complete"): 1,
        ("GET", "/v1/shelf/{number}", "2xx", "degraded"): 3,
    }
    assert values(text, "bff_parts_total") == {
        ("Shelf", "title", "ok"): 4,
        ("Shelf", "rating", "ok"): 1,
        ("Shelf", "rating", "fallback"): 3,
    }
    assert values(text, "bff_calls_total") == {
        ("catalog", "GET /title/{id}", "2xx", "upstream"): 4,
        ("reviews", "GET /stars", "2xx", "upstream"): 1,
        ("reviews", "GET /stars", "unavailable", ""): 1,
        ("reviews", "GET /stars", "5xx", "upstream"): 1,
        ("reviews", "GET /stars", "timeout", ""): 1,
    }
    assert values(text, "bff_client_requests_total") == {
        ("ios", "5.2", "complete"): 1,
        ("ios", "5.2", "degraded"): 3,
    }
    assert values(text, "bff_part_duration_seconds_count")["Shelf", "rating"] == 4
    assert values(text, "bff_part_duration_seconds_sum")["Shelf", "rating"] == 0.5


@pytest.mark.virtual_time
async def test_a_client_adds_two_versions_by_its_address():
    """Made-up ones don't take the labels of those that another client uses."""
    app = counted(*[reply(200, 4)] * 6)
    other = httpx.ASGITransport(app, client=("203.0.113.9", 1))
    async with running(app) as client:
        for version in ("7.1", "7.2", "7.3", "7.4", "7.2"):
            await client.get("/v1/shelf/1", headers={**APP, "x-app-version": version})
        async with httpx.AsyncClient(transport=other, base_url=client.base_url) as another:
            await another.get("/v1/shelf/1", headers={**APP, "x-app-version": "7.4"})
        text = (await client.get("/metrics", headers=AUTHORIZED)).text

    assert values(text, "bff_client_requests_total") == {
        ("ios", "7.1", "complete"): 1,
        ("ios", "7.2", "complete"): 2,
        ("ios", "7.4", "complete"): 1,
        ("ios", "other", "complete"): 2,
    }


@pytest.mark.virtual_time
async def test_blame_names_part_service_and_reason_by_client_and_version():
    """Also for an answer that failed, and for one that was complete and late."""
    titles = [reply(200, "A tent"), reply(500), reply(200, "A tent", after=0.4)]
    text = await scraped(counted(hang(), reply(200, 4), reply(200, 4), titles=titles), 3)

    view = "GET /v1/shelf/{number}"
    assert values(text, "bff_blame_total") == {
        (view, "rating", "reviews", "timeout", "ios", "5.2", "degraded"): 1,
        (view, "title", "catalog", "bad_status", "ios", "5.2", "failed"): 1,
        (view, "title", "catalog", "slow", "ios", "5.2", "slow"): 1,
    }
    assert values(text, "bff_objective_answers_total") == {
        (view, "good"): 0,
        (view, "degraded"): 1,
        (view, "failed"): 1,
        (view, "slow"): 1,
    }
    burns = values(text, "bff_objective_burn_rate")
    assert {window: round(burns[view, window], 6) for _, window in burns} == dict.fromkeys(
        ("5m", "1h", "6h", "24h"), 10.0
    )
    assert values(text, "bff_objective_budget_left_ratio") == {(view,): pytest.approx(-9.0)}
    assert values(text, "bff_objective_target_ratio") == {(view,): 0.9}


@pytest.mark.virtual_time
async def test_the_openmetrics_text_has_the_traces_of_durations_as_exemplars():
    """The parser of Prometheus accepts it; exemplars lie in the bucket of their duration."""
    app = counted(reply(200, 4, after=0.2), sinks=[Tracer()])
    text = await scraped(app, 1, "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")

    families = {one.name: one for one in parse_openmetrics(text)}
    assert families["bff_requests"].type == "counter"
    assert families["bff_request_duration_seconds"].unit == "seconds"
    (found,) = [
        one for one in families["bff_request_duration_seconds"].samples if one.exemplar is not None
    ]
    assert found.labels["le"] == "0.316"
    assert found.exemplar.value == pytest.approx(0.2)
    assert float(found.exemplar.timestamp) == NOW
    assert len(found.exemplar.labels["trace_id"]) == 32


@pytest.mark.virtual_time
async def test_every_family_has_help_a_type_and_a_unit_in_its_name():
    """The classic text has none that is not in the list, and labels are those of the list."""
    text = await scraped(counted(reply(200, 4), fail()), 2)

    for found in parse_classic(text):
        name = found.name + ("_total" if found.type == "counter" else "")
        family = FAMILIES[name]
        assert (found.type, found.documentation) == (family.kind, family.help)
        labels = set(family.labels) | {"gateway"}
        is_of_worker = family.kind == "gauge" and not family.is_over_workers
        for one in found.samples:
            assert one.labels.keys() - {"le"} == labels | ({"worker"} if is_of_worker else set())
    assert all(name.endswith("_total") for name, one in FAMILIES.items() if one.kind == "counter")


@pytest.mark.virtual_time
async def test_labels_of_paths_that_no_route_serves_are_other():
    """A scan of paths and methods adds one series."""
    app = counted(reply(200, 4))
    async with running(app) as client:
        for path in ("/admin.php", "/.git/config", "/v2/shelf/1"):
            await client.request("BREW", path)
        text = (await client.get("/metrics", headers=AUTHORIZED)).text

    assert values(text, "bff_requests_total") == {("other", "other", "4xx", "complete"): 3}


@pytest.mark.virtual_time
async def test_the_page_needs_the_token_of_the_operator():
    """Others get 401, and other methods 405; HEAD has no body."""
    async with running(counted(reply(200, 4))) as client:
        assert (await client.get("/metrics")).status_code == 401
        wrong = {"authorization": f"Bearer {TOKEN}x"}
        assert (await client.get("/metrics", headers=wrong)).status_code == 401
        assert (await client.post("/metrics", headers=AUTHORIZED)).status_code == 405
        head = await client.request("HEAD", "/metrics", headers=AUTHORIZED)
        assert (head.status_code, head.content) == (200, b"")


async def answered(port: int, request: bytes) -> bytes:
    """Send bytes to a port, and return all that it answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


ACCEPT = b"accept: application/openmetrics-text\r\nX-Prometheus-Scrape-Timeout-Seconds: 0.9\r\n"


@pytest.mark.parametrize(
    ("request_head", "status", "body"),
    [
        (b"GET /metrics HTTP/1.1\r\nHost: anything\r\n" + ACCEPT, 200, b"# EOF\n"),
        (b"GET http://10.0.0.7:9464/metrics HTTP/1.1\r\n" + ACCEPT, 200, b"# EOF\n"),
        (b"HEAD /metrics?a=b HTTP/1.1\r\n" + ACCEPT, 200, b""),
        (b"GET / HTTP/1.1\r\n", 404, b"The metrics are at /metrics.\n"),
        (b"POST /other HTTP/1.1\r\n", 404, b"The metrics are at /metrics.\n"),
        (b"HEAD /other HTTP/1.1\r\n", 404, b""),
        (b"POST /metrics HTTP/1.1\r\n", 405, b"Use GET.\n"),
        (b"GET /metrics\r\n", 400, b"Send an HTTP/1 request.\n"),
        (b"GET http://[/metrics HTTP/1.1\r\n", 400, b"Send an HTTP/1 request.\n"),
        (b"GET /metrics HTTP/1.1\r\na: " + b"b" * 40_000, 431, b"The head is too long.\n"),
    ],
)
async def test_a_port_of_its_own_serves_the_metrics_and_nothing_else(request_head, status, body):
    """It needs no token, and accepts any `Host`: Prometheus sends what its target is called."""

    async def scrape(accept: str, seconds: float) -> tuple[str, bytes]:
        return f"{accept.strip()}; {seconds}", b"# EOF\n"

    async with serve_metrics(bind_metrics("127.0.0.1", 0), scrape) as port:
        head, _, content = (await answered(port, request_head + b"\r\n")).partition(b"\r\n\r\n")

    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert content == body
    assert (b"allow: GET, HEAD" in head) == (status == 405)
    assert (b"content-type: application/openmetrics-text; 0.9" in head) == (status == 200)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("10", 10), ("0.5", 0.5), ("", inf), ("soon", inf), ("-1", inf), ("nan", inf)],
)
def test_the_timeout_of_prometheus_is_a_positive_number(value, seconds):
    """Anything else counts as none."""
    assert timeout_of(value) == seconds


async def test_a_port_has_one_gateway_only():
    """The second gateway does not start, and says what to change."""
    with bind_metrics("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigurationError) as caught:
            bind_metrics("127.0.0.1", port)

    assert f"BFF_METRICS_PORT={port}: another process, perhaps another gateway" in str(caught.value)


PORT = Settings(metrics_port=9464)
SERVED = ("127.0.0.1", 9464)


@pytest.mark.parametrize(
    ("processes", "is_served"),
    [
        (Processes(1), False),
        (Processes(1, is_own_server=True), False),
        (Processes(2, is_own_server=True, metrics=SERVED), True),
    ],
)
def test_the_parent_serves_the_port_of_several_workers(processes, is_served):
    """A single process does it itself, behind any server."""
    assert is_served_by_parent(PORT, processes) == is_served


@pytest.mark.parametrize(
    ("processes", "advice"),
    [
        (Processes(2), "2 workers of another server can't share a port: use `bff serve"),
        (Processes(2, is_own_server=True), "set port and host in the environment"),
        (
            Processes(2, is_own_server=True, metrics=("127.0.0.1", 9465)),
            "set port and host in the environment",
        ),
    ],
)
def test_several_workers_without_a_parent_that_serves_the_port_do_not_start(processes, advice):
    """One that is blocked would get scrapes that the others can't answer."""
    with pytest.raises(ConfigurationError, match=advice):
        is_served_by_parent(PORT, processes)


@pytest.mark.virtual_time
@pytest.mark.needs("promtool")
async def test_promtool_has_nothing_to_say_about_the_text():
    """Names, units and help are as Prometheus wants them."""
    text = await scraped(counted(reply(200, 4), fail(), hang()), 3)
    command = ("promtool", "check", "metrics")
    check = partial(subprocess.run, command, input=text, capture_output=True, text=True)
    done = await asyncio.to_thread(check, check=False)

    assert (done.returncode, done.stdout + done.stderr) == (0, "")
