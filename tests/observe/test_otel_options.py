"""The variables `OTEL_*`: what turns the export on, and what is said of wrong values."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

from bff_core.errors import ConfigurationError
from bff_core.observe.otel_options import OTelOptions, otel_options

ON = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
OTLP = "OTEL_EXPORTER_OTLP_"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_SERVICE_NAME": "shop"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a"},
        {"OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"},
        {"OTEL_PROPAGATORS": "b3", "OTEL_BSP_MAX_QUEUE_SIZE": "0", f"{OTLP}TIMEOUT": "soon"},
    ],
)
def test_without_an_exporter_nothing_is_read(environ: dict[str, str]) -> None:
    """Variables that a platform sets for all its programs do no harm then."""
    assert otel_options(environ) is None


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, OTelOptions(traces="otlp", metrics="otlp")),
        ({"OTEL_METRICS_EXPORTER": "None"}, OTelOptions(traces="otlp", metrics=None)),
        (
            {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"},
            OTelOptions(
                traces="otlp",
                metrics="otlp",
                root="traceidratio",
                ratio=0.1,
                is_parent_based=False,
            ),
        ),
        (
            {"OTEL_BSP_MAX_QUEUE_SIZE": "100", "OTEL_BSP_SCHEDULE_DELAY": "250"},
            OTelOptions(
                traces="otlp", metrics="otlp", max_queue=100, max_batch=100, batch_delay=0.25
            ),
        ),
        (
            {f"{OTLP}METRICS_TEMPORALITY_PREFERENCE": "Delta"},
            OTelOptions(traces="otlp", metrics="otlp", is_delta=True),
        ),
        (
            {
                f"{OTLP}HEADERS": "authorization=Basic%20YTpi, x-tenant = shop=1,",
                f"{OTLP}TIMEOUT": "2.5",
                f"{OTLP}TRACES_COMPRESSION": "GZIP",
                f"{OTLP}METRICS_ENDPOINT": "https://[::1]:4318/v1/metrics",
                "OTEL_PROPAGATORS": "tracecontext,baggage",
                "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=live,team=a=b",
            },
            OTelOptions(traces="otlp", metrics="otlp"),
        ),
    ],
)
def test_values_of_the_standard_are_read(environ: dict[str, str], wanted: OTelOptions) -> None:
    """With their defaults; words in upper or lower case."""
    assert otel_options({**ON, **environ}) == wanted


RATIO = {"OTEL_TRACES_SAMPLER": "traceidratio"}
URL = "a URL of a host, such as http://collector:4318"
PEM = "a readable file of certificates in PEM (No such file or directory)"
WRONG = [
    ("OTEL_SDK_DISABLED", "1", "true or false", {}),
    ("OTEL_TRACES_EXPORTER", "zipkin", "otlp, console or none", {}),
    ("OTEL_TRACES_EXPORTER", "otlp,console", "otlp, console or none", {}),
    (
        "OTEL_METRICS_EXPORTER",
        "prometheus",
        "otlp, console or none; BFF_METRICS=on serves metrics to Prometheus",
        {},
    ),
    ("OTEL_TRACES_SAMPLER", "jaeger_remote", "always_on, always_off, traceidratio, ", {}),
    ("OTEL_TRACES_SAMPLER_ARG", "10", "a number from 0 to 1", RATIO),
    ("OTEL_TRACES_SAMPLER_ARG", "10%", "a number from 0 to 1", RATIO),
    ("OTEL_TRACES_SAMPLER_ARG", "nan", "a number from 0 to 1", RATIO),
    ("OTEL_TRACES_SAMPLER_ARG", "0.1", "OTEL_TRACES_SAMPLER=parentbased_traceidratio as well", {}),
    ("OTEL_PROPAGATORS", "b3", "tracecontext, with baggage or without", {}),
    ("OTEL_PROPAGATORS", "tracecontext,jaeger", "tracecontext, with baggage or without", {}),
    ("OTEL_PROPAGATORS", "baggage", "tracecontext, with baggage or without", {}),
    ("OTEL_PROPAGATORS", "none", "tracecontext, with baggage or without", {}),
    ("OTEL_RESOURCE_ATTRIBUTES", "team", "attributes as name=value,name=value", {}),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "a whole number from 1 to 1,000,000 spans", {}),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "2e3", "a whole number from 1 to 1,000,000 spans", {}),
    ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "-1", "a whole number from 1 to 1,000,000 spans", {}),
    ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096", "at most OTEL_BSP_MAX_QUEUE_SIZE, 2,048", {}),
    ("OTEL_BSP_SCHEDULE_DELAY", "5s", "a number from 0 to 86,400,000 milliseconds", {}),
    ("OTEL_METRIC_EXPORT_INTERVAL", "0", "a number from 1 to 86,400,000 milliseconds", {}),
    (f"{OTLP}METRICS_TEMPORALITY_PREFERENCE", "both", "cumulative, delta or lowmemory", {}),
    (
        f"{OTLP}METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        "base2_exponential_bucket_histogram",
        "explicit_bucket_histogram",
        {},
    ),
    (f"{OTLP}ENDPOINT", "collector:4318", URL, {}),
    (f"{OTLP}ENDPOINT", "http://", URL, {}),
    (f"{OTLP}ENDPOINT", "grpc://collector:4317", URL, {}),
    (f"{OTLP}TRACES_ENDPOINT", "http://a:b", URL, {}),
    (f"{OTLP}METRICS_ENDPOINT", "http://a b", URL, {}),
    (f"{OTLP}PROTOCOL", "grpc", "http/protobuf", {}),
    (f"{OTLP}TRACES_PROTOCOL", "http/json", "http/protobuf", {}),
    (f"{OTLP}TIMEOUT", "soon", "a number from 0.001 to 600 seconds", {}),
    (f"{OTLP}TIMEOUT", "0", "a number from 0.001 to 600 seconds", {}),
    (f"{OTLP}TRACES_TIMEOUT", "10000", "a number from 0.001 to 600 seconds", {}),
    (f"{OTLP}COMPRESSION", "zstd", "none, gzip or deflate", {}),
    (f"{OTLP}CERTIFICATE", "/no/such.pem", PEM, {}),
    (f"{OTLP}CLIENT_CERTIFICATE", "/no/such.pem", "a readable certificate in PEM, and ", {}),
    (f"{OTLP}METRICS_CLIENT_KEY", "/no.key", f"{OTLP}METRICS_CLIENT_CERTIFICATE as well", {}),
]


@pytest.mark.parametrize(("name", "value", "wanted", "others"), WRONG)
def test_a_wrong_value_is_one_clear_error(
    name: str, value: str, wanted: str, others: dict[str, str]
) -> None:
    """It names the variable, the value and what is allowed."""
    with pytest.raises(ConfigurationError) as caught:
        otel_options({**ON, **others, name: value})

    message = str(caught.value)
    assert message.startswith(f"{name}={value!r} is not supported: give {wanted}")
    assert "\n" not in message


def test_all_wrong_values_are_shown_at_once() -> None:
    """A line for each."""
    with pytest.raises(ConfigurationError) as caught:
        otel_options({**ON, "OTEL_PROPAGATORS": "b3", "OTEL_BSP_MAX_QUEUE_SIZE": "0"})

    assert [line.partition("=")[0] for line in str(caught.value).splitlines()] == [
        "OTEL_PROPAGATORS",
        "OTEL_BSP_MAX_QUEUE_SIZE",
    ]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        (f"{OTLP}HEADERS", "x-a=1,authorization: Bearer hush", "'***' (its header 2)"),
        (f"{OTLP}TRACES_HEADERS", "x-key=hush\nsecond", "'***' (its header 1)"),
        (f"{OTLP}ENDPOINT", "htp://me:hush@host/v1?key=hush", "'htp://***@host/v1'"),
    ],
)
def test_secrets_are_not_shown(name: str, value: str, shown: str) -> None:
    """Those of headers and URLs."""
    with pytest.raises(ConfigurationError) as caught:
        otel_options({**ON, name: value})

    assert str(caught.value).startswith(f"{name}={shown} is not supported")
    assert "hush" not in str(caught.value)


def test_certificates_are_loaded_at_start(tmp_path: Path) -> None:
    """Those of an authority, and a client's with its key; a file without any is an error."""
    authority = trustme.CA()
    issued = authority.issue_cert("client")
    names = ("authority.pem", "client.pem", "client.key", "none.pem")
    paths = [tmp_path / name for name in names]
    authority.cert_pem.write_to_path(str(paths[0]))
    issued.cert_chain_pems[0].write_to_path(str(paths[1]))
    issued.private_key_pem.write_to_path(str(paths[2]))
    paths[3].write_text("no certificate")
    right = {
        f"{OTLP}CERTIFICATE": str(paths[0]),
        f"{OTLP}CLIENT_CERTIFICATE": str(paths[1]),
        f"{OTLP}CLIENT_KEY": str(paths[2]),
    }

    assert otel_options({**ON, **right}) is not None
    for name in (f"{OTLP}CERTIFICATE", f"{OTLP}CLIENT_CERTIFICATE"):
        with pytest.raises(ConfigurationError, match=f"^{name}="):
            otel_options({**ON, **right, name: str(paths[3])})
    with pytest.raises(ConfigurationError, match="CLIENT_KEY if its key is in another file"):
        otel_options({**ON, **right, f"{OTLP}CLIENT_KEY": ""})


def test_a_propagator_that_is_not_installed_is_no_traceback() -> None:
    """FastAPI imports propagators; a gateway that exports nothing does not need them."""
    environ = {**os.environ, "OTEL_PROPAGATORS": "b3"}
    code = "import bff_core, os; print(os.environ['OTEL_PROPAGATORS'])"
    done = subprocess.run(
        (sys.executable, "-c", code), env=environ, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("b3\n", "")
