"""Which requests have a line in the log."""

from typing import Final

from bff_core.events import RequestAnswered
from bff_core.keywords import checks_keywords

MODES: Final = {"all": 1.0, "errors": 0.0, "off": 0.0}


@checks_keywords
class AccessLog:
    """The access log: `all` requests, `errors` from status 400 up, `off`, or a share from 0 to 1.

    A share is that of requests below 400; errors have lines as well. It chooses by the trace id, so
    that all gateways of a trace choose alike. Routes in `excluded` have lines for errors only; a
    name may end with `*`.
    """

    __slots__ = ("_bound", "_names", "_prefixes", "has_errors")

    def __init__(self, mode: str = "all", excluded: tuple[str, ...] = ()) -> None:
        share = MODES.get(mode)
        share = float(mode) if share is None else share
        self._bound = round(share * (1 << 32))
        self.has_errors = mode != "off"
        self._names = frozenset(one for one in excluded if not one.endswith("*"))
        self._prefixes = tuple(one[:-1] for one in excluded if one.endswith("*"))

    @property
    def has_all(self) -> bool:
        """Whether every request has a line."""
        return self._bound == 1 << 32 and not self._names and not self._prefixes

    def has_line(self, event: RequestAnswered) -> bool:
        """Whether a request has a line."""
        if event.status >= 400 or event.error is not None or event.is_truncated:
            return self.has_errors
        if event.route in self._names or event.route.startswith(self._prefixes):
            return False
        return int(event.trace_id[-8:] or "0", 16) < self._bound
