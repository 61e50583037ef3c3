"""Records what a composed answer depends on: whether, how long and for whom it may be cached."""

from dataclasses import dataclass, field
from math import inf
from typing import Final, Literal

from bff_core.call import SAFE, Call, Reply

Sharing = Literal[0, 1, 2]
"""Which viewers may share an answer; a greater number means fewer viewers."""

PUBLIC: Final = 0
PER_TENANT: Final = 1
PER_VIEWER: Final = 2

CREDENTIALS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})
"""Request headers that make an answer uncacheable once they are read."""

_TENANT_PREFIX: Final = "tenant:"


@dataclass(slots=True, eq=False)
class AnswerCacheability:
    """What was read while one answer was composed; stored in the request's `Scope`.

    `sharing` says which viewers may share everything that was read; `narrowed_by` names the value
    that only these may share. `fresh_until` (an instant of the monotonic clock) is when the first
    of the replies becomes stale, `age` the age of the oldest in seconds, `tags` are the tags of
    all. `headers` are the request headers that were read; `has_query` is whether the query was
    read. `reason` is why the answer can't be cached, empty if it can. `calls_before` is how many
    calls the request had made when recording began.
    """

    calls_before: int = 0
    sharing: Sharing = PUBLIC
    narrowed_by: str = ""
    fresh_until: float = inf
    age: float = 0.0
    replies: int = 0
    headers: list[str] = field(default_factory=list)
    has_query: bool = False
    tags: dict[str, None] = field(default_factory=dict)
    reason: str = ""

    def add_reply(self, call: Call, reply: Reply) -> None:
        """Record a reply that the answer may depend on."""
        self.replies += 1
        reuse = reply.reuse
        if call.method not in SAFE and not call.is_read:
            self.forbid("write")
            return
        if reuse is None:
            self.forbid("part")
            return
        self.fresh_until = min(self.fresh_until, reuse.fresh_until)
        self.age = max(self.age, reply.age)
        self.tags.update(dict.fromkeys(reuse.tags))
        audience = call.audience
        if audience is not None:
            is_tenant = audience.startswith(_TENANT_PREFIX)
            self.narrow(PER_TENANT if is_tenant else PER_VIEWER, f"a reply of {call.upstream}")

    def narrow(self, sharing: Sharing, cause: str) -> None:
        """Record that at most these viewers may share the answer, because of `cause`."""
        if sharing > self.sharing:
            self.sharing, self.narrowed_by = sharing, cause

    def add_header(self, name: str) -> None:
        """Record a request header that the answer depends on."""
        name = name.lower()
        if name in CREDENTIALS:
            self.forbid(name)
        elif name not in self.headers:
            self.headers.append(name)

    def forbid(self, reason: str) -> None:
        """Record that the answer can't be cached; the first reason is reported."""
        self.reason = self.reason or reason

    def uncacheable_reason(self, calls: int, now: float) -> str:
        """Return why the answer can't be cached, empty if it can.

        `calls` is how many calls the request has made. A call without a recorded reply has failed,
        was streamed or is still running, and the answer may depend on it.
        """
        if self.reason:
            return self.reason
        if not self.replies:
            return "no_parts"
        if self.replies != calls - self.calls_before:
            return "unfinished"
        return "" if now < self.fresh_until else "stale"
