"""Builds the overview from what all gateways have counted."""

from collections.abc import Iterable, Mapping, Sequence

from bff_core.console.metrics.window import (
    DEFAULT_SECONDS,
    WINDOWS,
    GatewayWindow,
    recorded_by,
)
from bff_core.console.model import EventRow, Installation, Overview, Severity, UpstreamFigures
from bff_core.console.overview.down import ServiceNeed, add_down, stopped_services
from bff_core.console.overview.events import events_of
from bff_core.console.overview.figures import figures_of, responses_of
from bff_core.console.overview.headline import overview_headline
from bff_core.console.overview.screens import screens_of
from bff_core.console.overview.services import edges_of, gateways_of, upstreams_of

Needs = Mapping[str, Sequence[ServiceNeed]]


def overview_of(
    windows: Sequence[GatewayWindow],
    installation: Installation,
    now: float,
    actions: Iterable[EventRow] = (),
    needs: Needs | None = None,
) -> Overview:
    """Return the overview at an instant in Unix time; `needs` are those of screens by gateway."""
    stopped = stopped_services(installation.processes)
    screens = [figures for one in windows for figures in screens_of(one)]
    upstreams = upstreams_of(windows, stopped, screens)
    add_down(screens, needs or {}, (one.upstream for one in upstreams if is_down(one)))
    headline = overview_headline(windows, screens, upstreams, stopped)
    worst: Severity = "fallback" if headline.state == "failed" else headline.state
    return Overview(
        time=now,
        window=windows[0].length if windows else DEFAULT_SECONDS,
        recorded=recorded_by(windows),
        windows=list(WINDOWS),
        installation=installation,
        headline=headline,
        figures=figures_of(windows, worst),
        screens=screens,
        gateways=gateways_of(windows, screens),
        upstreams=upstreams,
        edges=edges_of(windows, screens),
        responses=responses_of(windows, now),
        events=events_of(windows, screens, actions),
    )


def is_down(service: UpstreamFigures) -> bool:
    """Whether a service is stopped, fails, or is not called."""
    return service.state == "failed"
