"""Which kind of client sent a request, and which version of an app: labels with few values."""

import re
from collections import defaultdict
from typing import Final

from bff_core.observe.metrics.series import OTHER
from bff_core.scope import Scope

MAX_KNOWN: Final = 1000
"""How many combinations of the two headers are remembered."""

MAX_VERSIONS: Final = 40
"""How many versions have a label of their own; later ones are `other`."""

MAX_AGENT_BYTES: Final = 256

_VERSION: Final = re.compile(rb"(\d{1,4})(\.\d{1,4})?(\.\d{1,6})*")

_KINDS: Final = (
    (re.compile(rb"okhttp|dalvik|android(?!.*mozilla)", re.IGNORECASE), "android"),
    (re.compile(rb"cfnetwork|darwin", re.IGNORECASE), "ios"),
    (re.compile(rb"^mozilla/", re.IGNORECASE), "browser"),
    (
        re.compile(rb"^(curl|wget|httpie|python|go-http|node|undici|axios|java)", re.IGNORECASE),
        "script",
    ),
)
"""Kinds of clients by `User-Agent`, the first that matches."""


class ClientSeries:
    """The answers to one kind of client by state; `labels` are the kind and the app's version."""

    __slots__ = ("labels", "states")

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self.states: defaultdict[str, int] = defaultdict(int)


class Clients:
    """Recognizes clients by `User-Agent` and `X-App-Version`, whose values clients may choose.

    A version is shortened to its first two numbers.
    """

    __slots__ = ("_known", "_versions", "found")

    def __init__(self) -> None:
        self._known: dict[tuple[bytes | None, bytes | None], ClientSeries] = {}
        self._versions: set[str] = set()
        self.found: dict[tuple[str, ...], ClientSeries] = {}

    def of(self, scope: Scope) -> ClientSeries:
        """Return the client of a request; its labels are empty where they are not known."""
        fields = scope.fields
        if fields is None:
            return self._recognized(b"", b"")
        key = fields.get(b"user-agent"), fields.get(b"x-app-version")
        known = self._known.get(key)
        if known is None:
            known = self._recognized(key[0] or b"", key[1] or b"")
            if len(self._known) < MAX_KNOWN:
                self._known[key] = known
        return known

    def _recognized(self, agent: bytes, version: bytes) -> ClientSeries:
        shown = agent[:MAX_AGENT_BYTES]
        kind = next((name for pattern, name in _KINDS if pattern.search(shown)), OTHER)
        labels = kind if shown else "", self._version(version)
        series = self.found.get(labels)
        if series is None:
            series = self.found[labels] = ClientSeries(labels)
        return series

    def _version(self, given: bytes) -> str:
        found = _VERSION.fullmatch(given)
        if found is None:
            return OTHER if given else ""
        version = b"".join(one or b"" for one in found.group(1, 2)).decode()
        if version not in self._versions and len(self._versions) >= MAX_VERSIONS:
            return OTHER
        self._versions.add(version)
        return version
