"""Reads the variables `OTEL_*`, without importing OpenTelemetry."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bff_core.errors import ConfigurationError

Exporter = Literal["otlp", "console"]
Root = Literal["always_on", "always_off", "traceidratio"]

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
PROTOCOLS: Final = (
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
)
PROTOCOL: Final = "http/protobuf"
PROPAGATORS: Final = frozenset({"tracecontext", "baggage"})


@dataclass(frozen=True, kw_only=True)
class OTelOptions:
    """What is exported; times in seconds.

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


def otel_options(environ: Mapping[str, str]) -> OTelOptions | None:
    """Return the options; None if nothing is exported.

    An endpoint, or an exporter other than none, turns the export on. Raises `ConfigurationError`
    for a value that is not supported.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    traces, metrics = _exporter(environ, "TRACES"), _exporter(environ, "METRICS")
    if traces is None and metrics is None:
        return None
    for name in PROTOCOLS:
        _choice(environ, name, PROTOCOL, {PROTOCOL})
    for propagator in (environ.get("OTEL_PROPAGATORS") or "tracecontext").split(","):
        if propagator.strip() not in PROPAGATORS:
            raise _wrong("OTEL_PROPAGATORS", propagator, "tracecontext (with baggage or without)")
    chosen = _choice(environ, "OTEL_TRACES_SAMPLER", "parentbased_always_on", _SAMPLERS)
    root, is_parent_based = _SAMPLERS[chosen]
    return OTelOptions(
        traces=traces,
        metrics=metrics,
        root=root,
        ratio=_ratio(environ) if root == "traceidratio" else 1.0,
        is_parent_based=is_parent_based,
        max_queue=int(_number(environ, "OTEL_BSP_MAX_QUEUE_SIZE", 2048)),
        max_batch=int(_number(environ, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512)),
        batch_delay=_number(environ, "OTEL_BSP_SCHEDULE_DELAY", 5000) / 1000,
        metric_interval=_number(environ, "OTEL_METRIC_EXPORT_INTERVAL", 60_000) / 1000,
    )


_SAMPLERS: Final[Mapping[str, tuple[Root, bool]]] = {
    "always_on": ("always_on", False),
    "always_off": ("always_off", False),
    "traceidratio": ("traceidratio", False),
    "parentbased_always_on": ("always_on", True),
    "parentbased_always_off": ("always_off", True),
    "parentbased_traceidratio": ("traceidratio", True),
}


def _exporter(environ: Mapping[str, str], signal: str) -> Exporter | None:
    name = f"OTEL_{signal}_EXPORTER"
    has_endpoint = environ.get(ENDPOINT) or environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
    chosen = (environ.get(name) or ("otlp" if has_endpoint else "none")).strip().lower()
    if chosen == "none":
        return None
    if chosen == "otlp":
        return "otlp"
    if chosen == "console":
        return "console"
    raise _wrong(name, chosen, "otlp, console or none")


def _choice(
    environ: Mapping[str, str], name: str, default: str, known: Mapping[str, object] | set[str]
) -> str:
    value = (environ.get(name) or default).strip().lower()
    if value not in known:
        raise _wrong(name, value, " or ".join(known))
    return value


def _ratio(environ: Mapping[str, str]) -> float:
    name = "OTEL_TRACES_SAMPLER_ARG"
    ratio = _number(environ, name, 1.0)
    if ratio > 1:
        raise _wrong(name, environ[name], "a number from 0 to 1")
    return ratio


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise _wrong(name, text, "a number from 0 up")
    return value


def _wrong(name: str, value: str, wanted: str) -> ConfigurationError:
    return ConfigurationError(f"{name}={value.strip()!r} is not supported: give {wanted}")
