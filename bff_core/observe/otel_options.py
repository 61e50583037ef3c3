"""Reads the variables `OTEL_*`, without importing OpenTelemetry."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bff_core.errors import ConfigurationError
from bff_core.observe.otel_variables import OTelVariables

Exporter = Literal["otlp", "console"]
Root = Literal["always_on", "always_off", "traceidratio"]

OTLP: Final = "OTEL_EXPORTER_OTLP_"
ENDPOINT: Final = f"{OTLP}ENDPOINT"
PROTOCOL: Final = "http/protobuf"
PROPAGATORS: Final = ("tracecontext", "baggage")
TEMPORALITY: Final = f"{OTLP}METRICS_TEMPORALITY_PREFERENCE"
HISTOGRAM: Final = f"{OTLP}METRICS_DEFAULT_HISTOGRAM_AGGREGATION"
SAMPLER: Final = "OTEL_TRACES_SAMPLER"
SAMPLER_ARG: Final = "OTEL_TRACES_SAMPLER_ARG"

MAX_TIMEOUT: Final = 600
"""Seconds; more are milliseconds, which exporters of other languages read."""

MAX_MILLISECONDS: Final = 86_400_000
MAX_QUEUE: Final = 1_000_000


@dataclass(frozen=True, kw_only=True)
class OTelOptions:
    """What is exported; times in seconds, the queue and its batches in spans.

    `is_parent_based` samplers keep the flag of a trace that a client began; `root` and `ratio`
    decide for others. The SDK itself reads the variables of exporters and of the resource.
    """

    traces: Exporter | None
    metrics: Exporter | None
    root: Root = "always_on"
    ratio: float = 1.0
    is_parent_based: bool = True
    max_queue: int = 2048
    max_batch: int = 512
    batch_delay: float = 5.0
    metric_interval: float = 60.0
    is_delta: bool = False


def otel_options(environ: Mapping[str, str]) -> OTelOptions | None:
    """Return the options; None if nothing is exported, and no other variable is read then.

    An endpoint, or an exporter other than none, turns the export on. Raises `ConfigurationError`
    with a line for each wrong value.
    """
    variables = OTelVariables(environ)
    is_off = variables.flag("OTEL_SDK_DISABLED")
    traces = None if is_off else _exporter(variables, "TRACES")
    metrics = None if is_off else _exporter(variables, "METRICS")
    options = None
    if traces is not None or metrics is not None:
        _check_exporters(variables, TRACES=traces, METRICS=metrics)
        variables.check_attributes("OTEL_RESOURCE_ATTRIBUTES")
        _check_propagators(variables)
        options = _options(variables, traces, metrics)
    if variables.problems:
        raise ConfigurationError("\n".join(variables.problems))
    return options


_SAMPLERS: Final[Mapping[str, tuple[Root, bool]]] = {
    "always_on": ("always_on", False),
    "always_off": ("always_off", False),
    "traceidratio": ("traceidratio", False),
    "parentbased_always_on": ("always_on", True),
    "parentbased_always_off": ("always_off", True),
    "parentbased_traceidratio": ("traceidratio", True),
}


def _options(
    variables: OTelVariables, traces: Exporter | None, metrics: Exporter | None
) -> OTelOptions:
    chosen = variables.choice(SAMPLER, "parentbased_always_on", _SAMPLERS)
    root, is_parent_based = _SAMPLERS[chosen]
    if variables.text(SAMPLER_ARG) and not variables.text(SAMPLER):
        variables.refuse(SAMPLER_ARG, f"{SAMPLER}=parentbased_traceidratio as well, which reads it")
    max_queue = variables.whole("OTEL_BSP_MAX_QUEUE_SIZE", 2048, 1, MAX_QUEUE, " spans")
    batch_name = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"
    max_batch = variables.whole(batch_name, min(512, max_queue), 1, MAX_QUEUE, " spans")
    if max_batch > max_queue:
        variables.refuse(batch_name, f"at most OTEL_BSP_MAX_QUEUE_SIZE, {max_queue:,}")
    delay = variables.number("OTEL_BSP_SCHEDULE_DELAY", 5000, 0, MAX_MILLISECONDS, " milliseconds")
    interval = variables.number(
        "OTEL_METRIC_EXPORT_INTERVAL", 60_000, 1, MAX_MILLISECONDS, " milliseconds"
    )
    temporality = variables.choice(TEMPORALITY, "cumulative", ("cumulative", "delta", "lowmemory"))
    variables.choice(HISTOGRAM, "explicit_bucket_histogram", ("explicit_bucket_histogram",))
    return OTelOptions(
        traces=traces,
        metrics=metrics,
        root=root,
        ratio=variables.number(SAMPLER_ARG, 1.0, 0, 1) if root == "traceidratio" else 1.0,
        is_parent_based=is_parent_based,
        max_queue=max_queue,
        max_batch=max_batch,
        batch_delay=delay / 1000,
        metric_interval=interval / 1000,
        is_delta=temporality in {"delta", "lowmemory"},
    )


def _exporter(variables: OTelVariables, signal: str) -> Exporter | None:
    """Return what exports traces or metrics; OTLP if an endpoint is set."""
    has_endpoint = variables.text(ENDPOINT) or variables.text(f"{OTLP}{signal}_ENDPOINT")
    hint = "; BFF_METRICS=on serves metrics to Prometheus" if signal == "METRICS" else ""
    chosen = variables.choice(
        f"OTEL_{signal}_EXPORTER",
        "otlp" if has_endpoint else "none",
        ("otlp", "console", "none"),
        hint,
    )
    return "otlp" if chosen == "otlp" else "console" if chosen == "console" else None


def _check_exporters(variables: OTelVariables, **exporters: Exporter | None) -> None:
    """Check what the exporters of OTLP read: the general variables, and those of each signal."""
    signals = [f"{OTLP}{signal}_" for signal, one in exporters.items() if one == "otlp"]
    for prefix in (OTLP, *signals) if signals else ():
        variables.check_url(f"{prefix}ENDPOINT")
        variables.check_headers(f"{prefix}HEADERS")
        variables.number(f"{prefix}TIMEOUT", 10, 0.001, MAX_TIMEOUT, " seconds")
        variables.choice(f"{prefix}COMPRESSION", "none", ("none", "gzip", "deflate"))
        variables.choice(f"{prefix}PROTOCOL", PROTOCOL, (PROTOCOL,))
        variables.check_authorities(f"{prefix}CERTIFICATE")
        variables.check_certificate(f"{prefix}CLIENT_CERTIFICATE", f"{prefix}CLIENT_KEY")


def _check_propagators(variables: OTelVariables) -> None:
    name = "OTEL_PROPAGATORS"
    named = [one.strip().lower() for one in variables.text(name).split(",") if one.strip()]
    if named and ("tracecontext" not in named or not set(named) <= set(PROPAGATORS)):
        variables.refuse(name, "tracecontext, with baggage or without")
