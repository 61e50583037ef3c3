"""The files for operators, read by the programs that they are for: `make test-operations`.

Go builds a collector and a reader of dashboards, once; without `OPERATIONS_TOOLS=1` nothing is
built, and the tests are skipped. Grafana itself is not in any registry of packages.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from bff_core.operations import FOLDER
from tests.processes.process import PATIENCE, ForkServer, Process
from tests.processes.services import answers
from tests.server.conftest import free_port

HERE = Path(__file__).parent
BUILD = Path(__file__).parents[3] / "build/operations"
DASHBOARDS = sorted((FOLDER / "grafana/dashboards").glob("*.json"))

SDK = ("github.com/grafana/grafana-foundation-sdk/go@v0.0.22",)

COLLECTOR_VERSION, CORE_VERSION, CONTRIB_VERSION = "v0.165.0", "v1.71.0", "v0.165.1"
CONTRIB = "github.com/open-telemetry/opentelemetry-collector-contrib"
COLLECTOR = (
    *(
        f"go.opentelemetry.io/collector/{name}@{COLLECTOR_VERSION}"
        for name in (
            "otelcol",
            "service",
            "service/telemetry/otelconftelemetry",
            "receiver/otlpreceiver",
            "exporter/otlpexporter",
            "processor/batchprocessor",
            "processor/memorylimiterprocessor",
        )
    ),
    *(
        f"go.opentelemetry.io/collector/confmap/provider/{name}@{CORE_VERSION}"
        for name in ("envprovider", "fileprovider", "yamlprovider")
    ),
    *(
        f"{CONTRIB}/exporter/{name}@{CONTRIB_VERSION}"
        for name in ("prometheusexporter", "fileexporter")
    ),
)

ADDITIONS = """
receivers:
  otlp:
    protocols:
      http: {{ endpoint: "127.0.0.1:{http}" }}
      grpc: {{ endpoint: "127.0.0.1:{grpc}" }}
exporters:
  prometheus: {{ endpoint: "127.0.0.1:{prometheus}" }}
  file: {{ path: "{traces}", flush_interval: 100ms }}
processors:
  batch: {{ timeout: 100ms }}
service:
  telemetry: {{ metrics: {{ level: none }} }}
  pipelines:
    traces: {{ exporters: [file] }}
"""

pytestmark = [
    pytest.mark.alone,
    pytest.mark.needs("go"),
    pytest.mark.skipif(
        not os.environ.get("OPERATIONS_TOOLS"), reason="OPERATIONS_TOOLS=1 is not set"
    ),
]


def built(name: str, modules: tuple[str, ...]) -> Path:
    """Build the program of a file beside this one, unless it is built; return it."""
    folder, program = BUILD / name, BUILD / name / name
    source = (HERE / f"{name}.go").read_text()
    if program.exists() and (folder / "main.go").read_text() == source:
        return program
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.go").write_text(source)
    (folder / "go.mod").write_text(f"module {name}\n\ngo 1.25\n")
    for command in (("go", "get", *modules), ("go", "build", "-o", name, ".")):
        done = subprocess.run(
            command,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1800,
            check=False,
        )
        assert done.returncode == 0, done.stdout
    return program


@pytest.fixture(scope="module")
def reader() -> Path:
    """Return the reader of dashboards."""
    return built("dashboards", SDK)


@pytest.fixture(scope="module")
def otelcol() -> Path:
    """Return the collector."""
    return built("collector", COLLECTOR)


def mistakes(reader: Path, *paths: Path) -> str:
    """Return what is wrong with dashboards."""
    return subprocess.run((reader, *paths), stdout=subprocess.PIPE, text=True, check=True).stdout


def test_dashboards_fit_the_model_of_grafana(reader):
    """Each field has a name and a type that Grafana reads, and none is missing."""
    assert len(DASHBOARDS) == 4
    assert mistakes(reader, *DASHBOARDS) == ""


@pytest.mark.parametrize(
    ("old", "new"), [('"gridPos"', '"gridPosition"'), ('"decimals": 1', '"decimals": "1"')]
)
def test_the_reader_finds_mistakes(reader, tmp_path, old, new):
    """An unknown field, and one of another type."""
    wrong = tmp_path / "wrong.json"
    wrong.write_text(DASHBOARDS[0].read_text().replace(old, new, 1))

    assert "panels[" in mistakes(reader, wrong)


def test_the_collector_accepts_its_configuration(otelcol):
    """As the container gets it."""
    done = subprocess.run(
        (otelcol, "validate", f"--config={FOLDER / 'otel-collector.yml'}"),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


@contextmanager
def collecting(otelcol: Path, folder: Path, **ports: int) -> Iterator[Path]:
    """Run the collector with our configuration at other ports; return the file of traces."""
    traces = folder / "traces.json"
    (folder / "additions.yml").write_text(ADDITIONS.format(traces=traces, **ports))
    with (folder / "collector.log").open("w") as log:
        process = subprocess.Popen(
            (
                otelcol,
                f"--config={FOLDER / 'otel-collector.yml'}",
                f"--config={folder / 'additions.yml'}",
            ),
            stdout=log,
            stderr=log,
        )
        try:
            wait_until(lambda: is_listening(ports["prometheus"]))
            yield traces
        finally:
            process.terminate()
            process.wait(PATIENCE)


def wait_until(condition: Callable[[], bool]) -> None:
    """Poll a condition; fail when it does not come true."""
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)


def is_listening(port: int) -> bool:
    """Whether the metrics of the collector can be read."""
    with suppress(httpx.TransportError):
        return httpx.get(f"http://127.0.0.1:{port}/metrics").status_code == 200
    return False


def spans_in(traces: Path) -> list[tuple[str, dict]]:
    """Return the spans of the file, each with the name of its service."""
    found = []
    for line in traces.read_text().splitlines() if traces.exists() else ():
        for one in json.loads(line)["resourceSpans"]:
            resource = {
                attribute["key"]: attribute["value"] for attribute in one["resource"]["attributes"]
            }
            service = resource["service.name"]["stringValue"]
            found += [(service, span) for scope in one["scopeSpans"] for span in scope["spans"]]
    return found


def test_a_collector_gets_the_traces_and_metrics_of_a_gateway(
    otelcol, fork_server: ForkServer, tmp_path
):
    """One trace for a request, with a span for each part below it; durations by route."""
    http, grpc, prometheus, port = free_port(), free_port(), free_port(), free_port()
    with collecting(otelcol, tmp_path, http=http, grpc=grpc, prometheus=prometheus) as traces:
        gateway = Process(
            fork_server,
            *("bff_core", "serve", "tests.operations.observed:app", "--port", str(port)),
            log=tmp_path / "gateway.log",
            environ={
                "BFF_ENV": "development",
                "BFF_UPSTREAM_CATALOG": "http://10.0.0.1",
                "BFF_UPSTREAM_REVIEWS": "http://10.0.0.2",
                "BFF_UPSTREAM_NEWS": "http://10.0.0.3",
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{http}",
                "OTEL_BSP_SCHEDULE_DELAY": "100",
                "OTEL_METRIC_EXPORT_INTERVAL": "200",
            },
            is_ready=lambda: answers(port, "/readyz"),
        )
        gateway.start().wait_until_ready()
        try:
            assert httpx.get(f"http://127.0.0.1:{port}/v1/shelf").status_code == 200
            wait_until(lambda: len(spans_in(traces)) >= 5)
            text = ""

            def has_metrics() -> bool:
                nonlocal text
                text = httpx.get(f"http://127.0.0.1:{prometheus}/metrics").text
                return "http_client_request_duration_seconds_count" in text

            wait_until(has_metrics)
        finally:
            gateway.kill()
        spans = [span for service, span in spans_in(traces) if service == "observed"]

    (root,) = [one for one in spans if not one.get("parentSpanId")]
    names = {one["name"]: one for one in spans}
    assert root["name"] == "GET /v1/shelf"
    assert {one["traceId"] for one in spans} == {root["traceId"]}
    assert {one.get("parentSpanId", "") for one in spans} - {""} <= {one["spanId"] for one in spans}
    assert names["Shelf.title"]["parentSpanId"] == root["spanId"]
    assert names["GET /title/{number}"]["parentSpanId"] == names["Shelf.title"]["spanId"]
    assert 'http_route="/v1/shelf"' in text
    assert 'job="observed"' in text
