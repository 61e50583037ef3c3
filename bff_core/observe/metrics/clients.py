"""Which kind of client sent a request, and which version of an app: labels with few values."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Final

from bff_core.client_kinds import MAX_AGENT_BYTES, client_kind
from bff_core.observe.metrics.series import OTHER
from bff_core.observe.metrics.versions import Versions, shortened
from bff_core.scope import Scope

MAX_KNOWN: Final = 1000
"""How many combinations of the two headers are remembered, so that they are matched once."""

MAX_KNOWN_BYTES: Final = 512
"""How long both headers may be together to be remembered."""


class ClientSeries:
    """The answers to one kind of client by state; `labels` are the kind and the app's version."""

    __slots__ = ("labels", "states")

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self.states: defaultdict[str, int] = defaultdict(int)


class Clients:
    """Recognizes clients by `User-Agent` and `X-App-Version`, whose values clients may choose.

    A version is shortened to its first two numbers; which have a label, `Versions` decides.
    """

    __slots__ = ("_known", "_versions", "found")

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._known: dict[tuple[bytes | None, bytes | None], ClientSeries] = {}
        self._versions = Versions(now)
        self.found: dict[tuple[str, ...], ClientSeries] = {}

    def of(self, scope: Scope) -> ClientSeries:
        """Return the client of a request; its labels are empty where they are not known."""
        fields = scope.fields
        if fields is None:
            return self._series("", "")
        key = fields.get(b"user-agent"), fields.get(b"x-app-version")
        return self._known.get(key) or self._recognized(key, scope)

    def _recognized(self, key: tuple[bytes | None, bytes | None], scope: Scope) -> ClientSeries:
        agent, given = key[0] or b"", key[1] or b""
        shown = agent[:MAX_AGENT_BYTES]
        kind = client_kind(shown)
        version = shortened(given)
        is_admitted = version in {"", OTHER} or self._versions.admits(version, scope)
        series = self._series(kind if shown else "", version if is_admitted else OTHER)
        is_settled = is_admitted or self._versions.is_full
        if is_settled and len(agent) + len(given) <= MAX_KNOWN_BYTES:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[key] = series
        return series

    def _series(self, *labels: str) -> ClientSeries:
        series = self.found.get(labels)
        if series is None:
            series = self.found[labels] = ClientSeries(labels)
        return series
