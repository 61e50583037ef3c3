"""Which versions of apps have a label of their own, although anyone may send any version."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Final

from bff_core.client_address import network_of
from bff_core.observe.metrics.series import OTHER
from bff_core.scope import Scope

MAX_VERSIONS: Final = 40
"""How many versions have a label; others share `other`."""

MAX_ANONYMOUS: Final = MAX_VERSIONS // 2
"""How many of them anonymous clients may add where clients can sign in."""

MAX_OF_CLIENT: Final = 2
"""How many of them one client may add in a day: apps are updated, and made-up versions are many."""

DAY_SECONDS: Final = 86_400

_VERSION: Final = re.compile(rb"(\d{1,4})(\.\d{1,4})?(\.\d{1,6})*")


def shortened(given: bytes) -> str:
    """Return the first two numbers of a version; `other` for other text, or empty for none."""
    found = _VERSION.fullmatch(given)
    if found is None:
        return OTHER if given else ""
    return b"".join(one or b"" for one in found.group(1, 2)).decode()


class Versions:
    """Gives labels to versions until all are given; `now` returns Unix time.

    A client is a signed-in viewer, or else an address: behind a proxy that the settings do not
    trust, all anonymous clients are one.
    """

    __slots__ = ("_anonymous", "_by_client", "_day", "_found", "_is_guarded", "_now")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._day = 0
        self._found: set[str] = set()
        self._by_client: Counter[str] = Counter()
        self._anonymous = 0
        self._is_guarded = False

    @property
    def is_full(self) -> bool:
        """Whether no further version gets a label."""
        return len(self._found) >= MAX_VERSIONS

    def admits(self, version: str, scope: Scope) -> bool:
        """Return whether a version has a label, which it gets if the client may add one."""
        if version in self._found:
            return True
        is_anonymous = scope.audience == "anonymous"
        # Remembered: a request that was refused before its authentication does not have it.
        self._is_guarded = self._is_guarded or scope.is_guarded
        if self.is_full:
            return False
        if is_anonymous and self._is_guarded and self._anonymous >= MAX_ANONYMOUS:
            return False
        viewer = scope.audience.rpartition("#")[0]
        client = viewer or network_of(scope.client[0] if scope.client else "")
        day = int(self._now() / DAY_SECONDS)
        if day != self._day:
            self._day = day
            self._by_client.clear()
        if self._by_client[client] >= MAX_OF_CLIENT:
            return False
        self._by_client[client] += 1
        self._anonymous += is_anonymous
        self._found.add(version)
        return True
