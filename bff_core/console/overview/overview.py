"""Builds the overview from what all gateways have counted."""

from collections.abc import Iterable, Sequence

from bff_core.console.model import EventRow, Installation, Overview
from bff_core.console.overview.events import events_of
from bff_core.console.overview.figures import figures_of, responses_of
from bff_core.console.overview.headline import headline_of
from bff_core.console.overview.screens import screens_of
from bff_core.console.overview.services import edges_of, gateways_of, upstreams_of
from bff_core.console.overview.window import GatewayWindow
from bff_core.observe.metrics.steps import WINDOW_SECONDS


def overview_of(
    windows: Sequence[GatewayWindow],
    installation: Installation,
    now: float,
    actions: Iterable[EventRow] = (),
) -> Overview:
    """Return the overview at an instant in Unix time."""
    screens = [figures for one in windows for figures in screens_of(one)]
    upstreams = upstreams_of(windows)
    headline = headline_of(windows, screens, upstreams)
    return Overview(
        time=now,
        window=WINDOW_SECONDS,
        installation=installation,
        headline=headline,
        figures=figures_of(windows, headline.state),
        screens=screens,
        gateways=gateways_of(windows, screens),
        upstreams=upstreams,
        edges=edges_of(windows, screens),
        responses=responses_of(windows, now),
        events=events_of(windows, screens, actions),
    )
